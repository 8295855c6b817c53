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
// Everything is stopped when the test ends.
package testkit
