package main

// supervision are mutants of what a panic of an actor may cost.
var supervision = []mutant{
	{
		Name: "restart-from-memory", Why: "a sequencer that panicked has forgotten its votes",
		File: "actors/recovery.go", Old: "\tfor _, record := range append(views, replay.records...) {\n\t\tcore.Restore(record)", New: "\tfor _, record := range append(views, replay.records...) {\n\t\tif len(done) == 0 || record.Kind == 0 {\n\t\t\tcore.Restore(record)\n\t\t}",
		Tests: []string{"./testkit"},
	},
	{
		Name: "rebuild-before-the-journal", Why: "what is on its way to the disk is not read from there",
		File: "actors/rebuild.go", Old: "c.Send(s.t.links.journal, &rebuild{s.life})", New: "c.Send(s.t.links.executor, &rebuild{s.life})",
		Tests: []string{"./testkit"},
	},
	{
		Name: "replay-dropped", Why: "a restarted tracker knows of no vote",
		File: "actors/sequencer.go", Old: "for _, e := range s.core.Replay(m.seq) {", New: "for _, e := range s.core.Replay(m.seq)[:0] {",
		Tests: []string{"./testkit"},
	},
	{
		Name: "restarts-unlimited", Why: "an actor panics for ever and nobody is told",
		File: "actors/restart.go", Old: "s.count(child) > budget.max {", New: "s.count(child) > budget.max+1000 {",
		Tests: []string{"./testkit"}, TestsOnly: "it does not exhaust budgets",
	},
	{
		Name: "poison-replayed", Why: "one vote makes its tracker panic until the replica stops",
		File: "actors/quarantine.go", Old: "return ok && q.struck[v] >= quarantineStrikes", New: "return ok && q.struck[v] < 0",
		Tests: []string{"./testkit"}, TestsOnly: "its panics are not tied to votes",
	},
	{
		Name: "peers-use-up-budgets", Why: "a peer stops the replica with messages that make it panic",
		File: "actors/restart.go", Old: "\tif in != nil {\n\t\tin.Release()", New: "\tif in != nil && in.From > 63 {\n\t\tin.Release()",
		Tests: []string{"./testkit"}, TestsOnly: "it does not exhaust budgets",
	},
	{
		Name: "delivered-twice", Why: "an executor that panicked tells of a batch again",
		File: "actors/execution.go", Old: "for v := x.delivery; v.step < len(deliverySteps); {", New: "v := x.delivery\n\tfor v.step = 0; v.step < len(deliverySteps); {",
		Tests: []string{"./testkit"},
	},
	{
		Name: "undelivered", Why: "an executor that panicked forgets whom it owed a word",
		File: "actors/execution.go", Old: "\tif x.delivery != nil {\n\t\tx.deliver(c)", New: "\tif x.delivery != nil && x.life == 0 {\n\t\tx.deliver(c)",
		Tests: []string{"./testkit"},
	},
	{
		Name: "doubtful-memory", Why: "an executor goes on with a state it was changing",
		File: "actors/execution.go", Old: "\tif x.changing {", New: "\tif x.changing && x.life == 0 {",
		Tests: []string{"./testkit"}, TestsOnly: "it makes nothing panic within a step",
	},
	{
		Name: "checkpoint-lost-with-its-writer", Why: "a panic while a checkpoint is written keeps the window where it is for good",
		File: "actors/execution.go", Old: "\tif x.storing != nil {\n\t\tc.Send(x.t.links.checkpointer", New: "\tif false {\n\t\tc.Send(x.t.links.checkpointer",
	},
	{
		Name: "decisions-lost", Why: "an executor that lost a decision waits for it for ever",
		File: "actors/execution.go", Old: "\tc.Send(x.t.links.sequencer, &executorRestarted{})\n", New: "",
		Tests: []string{"./testkit"},
	},
	{
		Name: "cut-batches-lost", Why: "what was cut for a sequencer that panicked is never proposed",
		File: "actors/proposer.go", Old: " || before.life != m.life:", New: ":",
		Tests: []string{"./testkit"},
	},
	{
		Name: "alarm-forgotten", Why: "a replica that diverged votes again after a panic",
		File: "actors/rebuild.go", Old: "\t\tif _, halted := t.Halted(); halted {\n\t\t\tcore.Halt()\n\t\t}\n", New: "",
		Tests: []string{"./testkit"}, TestsOnly: "no replica diverges in it",
	},
	{
		Name: "seal-lost", Why: "a group is never signed when its signer panicked",
		File: "actors/signers.go", Old: "t.system.Root.Send(t.links.sequencer, &signAgain{})", New: "",
		Tests: []string{"./testkit"},
	},
	{
		Name: "early-events-lost", Why: "the embedder's actors miss what happens before they have mailboxes",
		File: "actors/hub.go", Old: "\t\th.early = append(h.early, e)\n", New: "\t\th.early = nil\n",
		Tests: []string{"./replica"}, TestsOnly: "it has no custom actors",
	},
	{
		Name: "tracker-while-stopping", Why: "a replica that ends while votes come in never stops",
		File: "actors/sequencer.go", Old: "\tif s.ending {\n", New: "\tif s.ending && s.core == nil {\n",
		Tests: []string{"./testkit"}, TestsOnly: "its replicas are killed, and not stopped",
	},
}
