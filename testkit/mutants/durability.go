package main

// durability are mutants of what must be on disk, and of what is made of it.
var durability = []mutant{
	{
		Name: "send-before-flush", Why: "a vote that a power cut takes back is out",
		File: "actors/sequencer.go", Old: "durable: len(group.Records) == 0}\n\tif !s.release.durable {", New: "durable: true}\n\tif len(group.Records) > 0 {",
	},
	{
		Name: "ledger-forgotten", Why: "a restarted replica votes again, otherwise",
		File: "pbft/voterrestore.go", Old: "func (v *Voter) Restore(r Record) {", New: "func (v *Voter) Restore(r Record) {\n\tif r.Kind != 0 {\n\t\treturn\n\t}",
	},
	{
		Name: "view-forgotten", Why: "a restarted replica votes in a view it left",
		File: "pbft/voterrestore.go", Old: "if r.ViewChange.View > v.view {", New: "if r.ViewChange.View > v.view+1000 {",
	},
	{
		Name: "new-view-forgotten", Why: "what a view began with is lost in a restart",
		File: "pbft/voterrestore.go", Old: "\t\tv.restoreNewView(r.NewView)\n", New: "",
	},
	{
		Name: "prepared-forgotten", Why: "a restarted replica hides what it prepared",
		File: "pbft/voterrestore.go", Old: "m.prepare(vote.View, vote.Digest)", New: "_ = m.prepared",
	},
	{
		Name: "accepted-forgotten", Why: "a restarted replica accepts another digest",
		File: "pbft/voterrestore.go", Old: "\t\tm.accept(vote.View, vote.Digest)\n\tcase RecordPrepared:", New: "\tcase RecordPrepared:",
	},
	{
		Name: "checkpoint-vote-forgotten", Why: "a restarted replica may sign another state",
		File: "pbft/voterrestore.go", Old: "v.checkpoints[vote.Seq] = vote.Digest\n\t\treturn", New: "return",
	},
	{
		Name: "amnesia-votes", Why: "a replica that lost its disk votes at once",
		File: "actors/newcomer.go", Old: "observing = observing && !t.cfg.FirstStart", New: "observing = false",
		Tests: []string{"./testkit"}, TestsOnly: "who loses a disk counts as faulty in it",
	},
	{
		Name: "amnesia-forgotten", Why: "a second start makes a voter of a replica that lost its disk",
		File: "actors/newcomer.go", Old: "observing = string(said) != string(voterVotes)", New: "observing = unwritten && len(said) > 0",
		Tests: []string{"./testkit"}, TestsOnly: "who loses a disk counts as faulty in it",
	},
	{
		Name: "amnesia-vouched-for", Why: "who voted beside it, unheard, takes it for new",
		File: "pbft/newcomer.go", Old: "Nothing: s.voter.silent()}", New: "Nothing: true}",
	},
	{
		Name: "amnesia-too-short", Why: "it votes where it may have voted before",
		File: "pbft/newcomer.go", Old: "NewWatermarks(executed[n.need-1], window).High", New: "NewWatermarks(executed[n.need-1], 0).High",
		TestsOnly: "who loses a disk counts as faulty in it",
	},
	{
		Name: "amnesia-in-its-view", Why: "an old ViewChange of its own hides what it votes now",
		File: "pbft/newcomer.go", Old: "s.voter.View() <= view) {", New: "s.voter.View() < view) {",
		TestsOnly: "who loses a disk counts as faulty in it",
	},
	{
		Name: "double-unnoticed", Why: "an old copy of a folder goes on voting",
		File: "pbft/restore.go", Old: "!s.halted && !s.voter.Remembers(v.Value())", New: "!s.halted && v.Value().Kind == 0",
		Tests: []string{"./testkit"}, TestsOnly: "it restores no backups",
	},
	{
		Name: "old-votes-halt", Why: "whoever kept an old vote of a member stops it",
		File: "pbft/voterrestore.go", Old: "return vote.View <= v.view\n\t}\n\tm :=", New: "return vote.View == v.view\n\t}\n\tm :=",
		TestsOnly: "nobody sends old votes in it",
	},
	{
		Name: "double-untold", Why: "a member is not told of votes signed with its key",
		File: "pbft/status.go", Old: "if (own || theirs) && s.lacks(st, v) {", New: "if own && s.lacks(st, v) || theirs && s.halted {",
		TestsOnly: "it restores no backups",
	},
	{
		Name: "history-replayed", Why: "a start takes as long as the replica is old",
		File: "actors/recovery.go", Old: "ReplayFrom(segments[max(first-1, 0)].ID", New: "ReplayFrom(segments[first*0].ID",
		Tests: []string{"./testkit"}, TestsOnly: "it reads, and does not count what",
	},
	{
		Name: "written-and-not-flushed", Why: "a power cut takes back groups whose votes are out",
		File: "storage/direct_linux.go", Old: "err := unix.Fdatasync(int(f.Fd()));", New: "err := error(nil);",
		Tests: []string{"./storage"}, TestsOnly: "its disk is in memory",
	},
	{
		Name: "written-after-a-failure", Why: "the state names values that never reached the disk",
		File: "storage/statefs.go", Old: "\terr := f.state.failed()\n", New: "\tvar err error\n",
		Tests: []string{"./storage"}, TestsOnly: "its state store meets no disk that fails",
	},
	{
		Name: "failed-values-told", Why: "Pebble panics when it cannot end a file of values",
		File: "storage/statefs.go", Old: "\tif !f.values {\n\t\treturn err\n\t}\n\tf.state.fail(err)\n\treturn nil", New: "\treturn err",
		Tests: []string{"./storage"}, TestsOnly: "its state store meets no disk that fails",
	},
	{
		Name: "failed-state-spins", Why: "a disk that failed takes a processor, and the replica stops late",
		File: "storage/statefs.go", Old: "\t\tfs.state.rest()\n", New: "",
		Tests: []string{"./storage"}, TestsOnly: "its state store meets no disk that fails",
	},
	{
		Name: "turn-lost-with-a-panic", Why: "a checkpoint whose turn was lost is not written while nothing is proposed",
		File: "actors/execution.go", Old: "\tx.turn.again()\n", New: "",
		Tests: []string{"./testkit"}, TestsOnly: "something is always proposed there",
	},
	{
		Name: "no-turns", Why: "all members write a checkpoint at once, and the cluster stands still",
		File: "actors/turn.go", Old: "* time.Duration(self) / time.Duration(members)", New: "* 0",
		TestsOnly: "it costs time",
	},
	{
		Name: "turn-for-the-certificate", Why: "members that wait for their turn are sent what they have with every heartbeat",
		File: "pbft/status.go", Old: "!s.writesStable(st) {", New: "st != nil {",
		TestsOnly: "it costs time",
	},
	{
		Name: "turn-for-ever", Why: "who was told a lie about a checkpoint never gets its certificate",
		File: "pbft/status.go", Old: "return s.tick < s.stableAt+turnTicks && st.Executed < s.stable.Seq+s.cfg.Params.CheckpointInterval &&\n", New: "return s.stable.Seq > 0 &&\n",
	},
	{
		Name: "turn-on-an-idle-chain", Why: "who was told a lie about the last checkpoint before the load ends waits for more load",
		File: "pbft/status.go", Old: "return s.tick < s.stableAt+turnTicks && ", New: "return ",
		TestsOnly: "few of the runs drawn end like that",
	},
}
