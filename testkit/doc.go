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
// Members crash (Kill, CrashActor, PanicOn, DiskFault), links fail (Partition,
// Delay, Drop, Duplicate, Reorder), and members lie (Byzantine, with the
// behaviours of testkit/byzantine). Await* wait for what has to happen; OnEvent
// sees all that does. When a test fails, what was done and what came of it is in
// its log, in order. Everything is stopped when the test ends.
//
// This runs on the machine's clock. For thousands of runs that repeat exactly see
// testkit/sim.
package testkit
