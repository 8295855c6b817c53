// Package testkit runs a whole cluster inside a test: every replica with its
// real actors, signatures and journal, on disks and a network in memory, with
// members to kill, restart and cut off.
//
//	func TestSurvivesALostReplica(t *testing.T) {
//		c := testkit.NewCluster(t, 4)
//		c.Kill(3)
//		c.Propose(0, "still working")
//		c.Restart(3)
//		c.AwaitEqual(c.Propose(1, "and equal again"))
//	}
//
// Replica 0 leads at first, and replica v%n in view v; Replica(i).IsLeader() says who
// does. Everything is stopped when the test ends.
//
// # What goes wrong
//
// Members crash (Kill, CrashActor, PanicOn, DiskFault), links fail (Partition,
// Delay, Drop, Duplicate, Reorder), and members lie (Byzantine, with the
// behaviours of testkit/byzantine). To kill the leader's phase tracker when it gets a
// commit, and see the vertex become final on all replicas nevertheless:
//
//	fault := c.PanicOn(0, "phase-*", 1, testkit.BringsVote(messages.Commit))
//	seq := c.Propose(1, "survives")
//	fault.Await()
//	c.AwaitEqual(seq)
//
// The actors of a replica by name are journal, preparer, checkpointer, signers,
// signer-0 and those after it, egress, ingress, sequencer, phase-1 and so on, one per
// sequence in flight, proposer, executor, viewchange, detector, sync and custom. All
// are restarted when they panic but the journal, with which the replica ends
// (AwaitEnd). Actors of your own lie below custom and have the names you gave them:
// CrashActor(1, "audit") reaches that of replica.WithActor("audit", …).
//
// # Your application
//
// WithReplica gives replicas an application in the place of the vertex ledger, here the
// key-value store, and actors of your own. It is called at every start, for each life
// needs its own:
//
//	c := testkit.NewCluster(t, 4, testkit.WithReplica(func(i int) []replica.Option {
//		return []replica.Option{
//			replica.WithStateMachine(kvstore.New()),
//			replica.WithActor("audit", newAudit), // func() actor.Actor
//		}
//	}))
//	answer, _, err := kvstore.Do(c.Context(), c.Replica(0), replica.Vertex{}, kvstore.Put("colour", "green"))
//
// # Waiting
//
// Propose waits until its vertex is final, and Await* for what has to happen: AwaitEvent
// for what a replica tells, of the types that messages.Event lists, and AwaitTrue for
// any condition. No test needs to sleep. What has not happened after 30 s, or two minutes
// under the race detector, fails the test; WithPatience makes it more or less, and
// Context binds to it what you ask of a replica yourself. OnEvent sees all events of all
// replicas.
//
// Methods fail the test with t.Fatal, at the line that called them, and so belong to
// the test's goroutine. When a test fails, what was done and what came of it is in its
// log, in order.
//
// This runs on the machine's clock. For thousands of runs that repeat exactly see
// testkit/sim.
package testkit
