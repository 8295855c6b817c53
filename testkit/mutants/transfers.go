package main

// transfers are mutants of state transfer, and of what the state digest is for.
var transfers = []mutant{
	{
		Name: "part-unchecked", Why: "any server gives a replica any state",
		File: "pbft/transfer.go", Old: "!t.held[k] && HashPart(data) != t.hashes[k]", New: "!t.held[k] && len(data) == 0",
	},
	{
		Name: "manifest-uncertified", Why: "a snapshot that no quorum signed is taken for the state",
		File: "pbft/snapshot.go", Old: "messages.Checkpoint, 0, m.Seq, digest, m.Certificate, quorum)", New: "messages.Checkpoint, 0, m.Seq, digest, m.Certificate, 1)",
		TestsOnly: "a simulated server has no state of its own to give",
	},
	{
		Name: "manifest-unproved", Why: "a snapshot of whatever a server made up is taken for the state",
		File: "pbft/snapshot.go", Old: "digest, m.Certificate, quorum); err != nil {", New: "digest, m.Certificate, quorum); err != nil && quorum == 0 {",
	},
	{
		Name: "dedup-lost", Why: "what was executed before a state transfer is executed again after it",
		File: "actors/install.go", Old: "\tx.state = state\n", New: "\tx.state = state\n\tstate.clients = pbft.NewClients(x.t.cfg.Genesis.Params.NonceWindow)\n",
		Tests: []string{"./testkit"},
	},
	{
		Name: "digest-misses-clients", Why: "replicas that executed different vertices sign one state",
		File: "pbft/execution.go", Old: "\tb = append(b, clients[:]...)\n", New: "",
		TestsOnly: "no simulated replica has a client table of its own",
	},
	{
		Name: "window-before-disk", Why: "a crash takes back the checkpoint that votes rest on",
		File: "actors/sequencer.go", Old: "c.Send(s.t.links.executor, &becameStable{e.Checkpoint})",
		New:   "c.Send(s.t.links.executor, &becameStable{e.Checkpoint})\n\t\t\ts.perform(c, s.core.OnStable(e.Checkpoint))\n\t\t\ts.announce(c)",
		Tests: []string{"./replica"}, TestsOnly: "the record above the window stays on disk in it",
	},
	{
		Name: "trimmed-above-snapshot", Why: "who has taken a snapshot over finds nothing to go on with",
		File: "actors/retention.go", Old: "to := min(oldest, stable-keep)", New: "to := max(oldest, stable-keep)",
		Tests: []string{"./testkit"}, TestsOnly: "a newer snapshot is fetched instead, and nothing is lost but time",
	},
	{
		Name: "liar-not-left", Why: "a server of wrong parts is asked for ever",
		File: "pbft/transfer.go", Old: "s.wrong, s.spans = true, nil\n\t\t\tt.emit", New: "s.spans = nil\n\t\t\tt.emit",
	},
	{
		Name: "old-generation-read", Why: "a restart finds the state of before the transfer",
		File: "actors/install.go", Old: "\tbatch.Set(keyGeneration, []byte{gen})\n", New: "",
		Tests: []string{"./testkit"},
	},
	{
		Name: "skipped-vertices-kept", Why: "who waits for a vertex that was executed elsewhere waits for ever",
		File: "actors/install.go", Old: "\tx.t.pool.Skipped(seq, state.clients.Spent)\n", New: "",
		Tests: []string{"./testkit"}, TestsOnly: "its clients do not wait",
	},
	{
		Name: "view-below-the-state", Why: "a view that is left while a state is taken over is forgotten by a restart",
		File: "pbft/viewentry.go", Old: ", s.executed, s.beside)", New: ", s.executed)", TestsOnly: "a state is taken over within a moment",
	},
	{
		Name: "old-checkpoint-over-new", Why: "a checkpoint that is written twice replaces the state that was taken over in between",
		File: "actors/checkpointer.go", Old: "s.stable.Seq <= x.stored", New: "false", TestsOnly: "it takes two panics and an install between two messages",
	},
	{
		Name: "served-snapshot-dropped", Why: "a snapshot goes while somebody fetches it",
		File: "actors/snapshots.go", Old: "\t\tone.used = s.t.cfg.Clock.Now()\n\t\tchunk = ", New: "\t\tchunk = ", TestsOnly: "who fetches takes the next one",
	},
	{
		Name: "served-for-ever", Why: "who asks again and again keeps a snapshot on the disk for ever",
		File: "actors/snapshots.go", Old: " && now.Sub(oldest.taken) < pinMax*beat", New: "", TestsOnly: "its clusters do not run for an hour",
	},
	{
		Name: "never-rests", Why: "who catches up takes from the others what they share",
		File: "actors/pace.go", Old: "return !p.hurry", New: "return false", TestsOnly: noBusyMachine,
	},
	{
		Name: "always-rests", Why: "who catches up no faster than the others go on never gets there",
		File: "actors/pace.go", Old: "p.hurry = executed", New: "p.hurry = false && executed", TestsOnly: noBusyMachine,
	},
	{
		Name: "rests-too-long", Why: "who fetches a snapshot rests until the others have it no more",
		File: "actors/pace.go", Old: " && others < kept", New: "", TestsOnly: noBusyMachine,
	},
	{
		Name: "rest-after-anything", Why: "a member that sends parts again and again keeps a replica from asking for others",
		File: "actors/sync.go", Old: "if keepsParts(effects) && s.unhurried()", New: "if s.unhurried()", TestsOnly: noBusyMachine,
	},
	{
		Name: "boasts-believed", Why: "one member that says it is far ahead takes away the others' rest",
		File: "actors/sync.go", Old: "said[len(said)-messages.Weak(s.t.n)]", New: "said[len(said)-1]", TestsOnly: noBusyMachine,
	},
	{
		Name: "drips-waited-for", Why: "who brings one batch now and then, each in time, keeps a replica late for ever",
		File: "actors/patience.go", Old: "if p.deadline.After(p.until) {", New: "if p.began.After(p.until) {", TestsOnly: noDrips,
	},
	{
		Name: "drips-not-compared", Why: "who takes as long as it may, where others are quick, takes most of the time",
		File: "actors/patience.go", Old: "fetchSlack*p.sequences", New: "1000*p.sequences", TestsOnly: noDrips,
	},
	{
		Name: "slow-in-good-standing", Why: "who takes long is asked before those that failed once",
		File: "actors/patience.go", Old: "quick = took <= p.step()", New: "quick = true", TestsOnly: noDrips,
	},
	{
		Name: "patience-for-good", Why: "whoever fails makes a replica patient with all for ever",
		File: "actors/patience.go", Old: "for p.failed > 0 && 2*took", New: "for p.failed < 0 && 2*took", TestsOnly: noDrips,
	},
	{
		Name: "boasts-make-patient", Why: "who claims what nobody has, and is silent, gets time to be silent later",
		File: "actors/patience.go", Old: "func (p *patience) fail() {\n\tif p.sure {", New: "func (p *patience) fail() {\n\tif true {", TestsOnly: noDrips,
	},
	{
		Name: "boasts-forgive", Why: "who is slow is asked again because it boasts",
		File: "actors/sync.go", Old: "if s.missing() {\n\t\tclear", New: "if true {\n\t\tclear", TestsOnly: noDrips,
	},
	{
		Name: "boasts-waited-for", Why: "a replica waits for what nobody has while it falls behind",
		File: "actors/sync.go", Old: "case s.patience.sure || !s.missing():", New: "case s.patience.sure || s.executed > 0:", TestsOnly: noDrips,
	},
	{
		Name: "boasts-asked-for", Why: "a replica asks a boaster for more than there is, and waits for it",
		File: "actors/sync.go", Old: "s.asked = min(s.asked, s.others())", New: "s.asked = min(s.asked, s.asked)", TestsOnly: noDrips,
	},
	{
		Name: "batches-cost-nothing", Why: "who asks for ranges and reads none has a server read and encode a journal in every heartbeat",
		File: "actors/serving.go", Old: "s.bytes[m.from] += costOfDecided(d)", New: "s.bytes[m.from] += 0 * costOfDecided(d)", TestsOnly: noFullBatches,
	},
	{
		Name: "range-cut", Why: "who asked for more than its share takes the server for one that failed",
		File: "actors/serving.go", Old: "if s.rest[m] = nil; rest != nil {", New: "if s.rest[m] = nil; false {", TestsOnly: noFullBatches,
	},
	{
		Name: "rests-add-up", Why: "a server goes on with what its asker has from others since",
		File: "actors/serving.go", Old: "\ts.rest[m.from] = nil\n\tif base", New: "\tif s.rest[m.from] != nil && m.request.To != s.rest[m.from].request.To {\n\t\treturn\n\t}\n\tif base", TestsOnly: noFullBatches,
	},
	{
		Name: "boaster-asked-again", Why: "who answers a request for a manifest with another boast is asked for ever",
		File: "pbft/transfer.go", Old: "\t\tt.fail(from)\n", New: "", TestsOnly: noLyingServer,
	},
	{
		Name: "refused-not-counted", Why: "who alone has what its manifest lists takes as long over it as it likes",
		File: "pbft/transferwatch.go", Old: "return refused > 0 && usable-refused <= faulty", New: "return false", TestsOnly: noLyingServer,
	},
	{
		Name: "found-liar-counts", Why: "a correct member is left because a liar, who was found, refuses nothing any more",
		File: "pbft/transferwatch.go", Old: "\t\t\tfaulty-- // one is found already\n", New: "", TestsOnly: noLyingServer,
	},
	{
		Name: "drip-enough", Why: "one part now and then keeps a replica from looking for another snapshot",
		File: "pbft/transferwatch.go", Old: "case t.stretch.came < t.stretch.due:", New: "case t.stretch.came == 0:", TestsOnly: noLyingServer,
	},
	{
		Name: "stalled-source-first", Why: "whose snapshot does not come is asked for the next one",
		File: "pbft/transferwatch.go", Old: "\t\tt.fail(t.source)\n", New: "", TestsOnly: noLyingServer,
	},
	{
		Name: "patience-fixed", Why: "on a slow network no state is ever transferred",
		File: "pbft/transferwatch.go", Old: "partPatience << min(s.late, patienceDoublings)", New: "partPatience", TestsOnly: "its network is not that slow",
	},
	{
		Name: "older-word-kept", Why: "one member serves alone what the others have by now",
		File: "pbft/transferwatch.go", Old: "s.snapshot < t.manifest.Seq {", New: "s.snapshot > t.manifest.Seq {", TestsOnly: "nothing is lost but time",
	},
	{
		Name: "any-refusal-counts", Why: "a member answers for a state that another one sent",
		File: "pbft/transfer.go", Old: "if !t.done || t.digest != manifest {", New: "if t.manifest == nil {", TestsOnly: noLyingServer,
	},
	{
		Name: "handed-over-again", Why: "installs of one state queue up while the first takes its time",
		File: "pbft/transfer.go", Old: "finishPatience = 600", New: "finishPatience = 61", TestsOnly: noLyingServer,
	},
	{
		Name: "word-of-a-state-lost", Why: "a panic at the word that a state is whole costs a minute",
		File: "actors/execution.go", Old: "\tc.Send(x.t.links.sync, &executorRestarted{})\n", New: "", Tests: []string{"./testkit/sim"},
	},
	{
		Name: "old-install-ends-the-new", Why: "a panic after one transfer ends the next one, whole as it is",
		File: "pbft/transfer.go", Old: "if t.manifest != nil && t.manifest.Seq > seq {", New: "if false {", TestsOnly: "its executor does not panic over a state",
	},
	{
		Name: "unawaited-installed", Why: "the parts of one manifest are served as those of another",
		File: "actors/install.go", Old: "return m != nil && m.Digest() == in.manifest.Digest(), nil", New: "return m != in.manifest, nil", TestsOnly: noLyingServer,
	},
	{
		Name: "refused-tried-again", Why: "a state that was refused is tried as often as it was handed over",
		File: "actors/install.go", Old: "\tbatch.Delete(keyIncoming)\n\tif err := batch.Commit(false)", New: "\tif err := batch.Commit(false)", TestsOnly: noLyingServer,
	},
	{
		Name: "parts-of-another", Why: "a replica offers parts that it has not got",
		File: "actors/install.go", Old: " && pbft.HashPart(part) == listed[i] &&", New: " &&", TestsOnly: noLyingServer,
	},
	{
		Name: "cut-anyhow", Why: "who was given a state cut in another way offers parts that it has not got",
		File: "actors/install.go", Old: "(len(part) == messages.PartBytesMax || last &&", New: "(len(part) > 0 || last &&", TestsOnly: noLyingServer,
	},
	{
		Name: "rest-not-kept", Why: "a heartbeat ends the rest between two rounds of parts",
		File: "pbft/transferask.go", Old: " || u.Resting", New: "", TestsOnly: noBusyMachine,
	},
}

const (
	noDrips       = "none of its liars drips, and a boast costs it but time"
	noFullBatches = "its ranges are small"
	noBusyMachine = "work takes no time in it"
	noLyingServer = "its servers of a state do not lie in this way"
)
