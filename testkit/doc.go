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
// does. To kill the leader's phase tracker when it gets a commit, and see the
// vertex become final on all replicas nevertheless:
//
//	fault := c.PanicOn(0, "phase-*", 1, testkit.BringsVote(messages.Commit))
//	seq := c.Propose(1, "survives")
//	fault.Await()
//	c.AwaitEqual(seq)
//
// The actors of a replica by name are journal, preparer, signers, signer-0 and
// those after it, egress, ingress, sequencer, phase-1 and so on, one per sequence in
// flight, proposer, executor, viewchange, detector and sync. All are restarted when
// they panic but the journal, with which the replica ends (AwaitEnd).
//
// Members crash (Kill, CrashActor, PanicOn, DiskFault), links fail (Partition,
// Delay, Drop, Duplicate, Reorder), and members lie (Byzantine, with the
// behaviours of testkit/byzantine). Await* wait for what has to happen, and Propose
// until its vertex is final; what has not happened after half a minute fails the
// test. OnEvent sees all that happens. When a test fails, what was done and what came of it is in
// its log, in order. Everything is stopped when the test ends.
//
// This runs on the machine's clock. For thousands of runs that repeat exactly see
// testkit/sim.
package testkit
