package testkit_test

import (
	"testing"

	"github.com/cretoai/consensus/testkit"
)

// A replica whose journal is gone has forgotten its votes, though its state is there: it
// does not vote by what is left.
func TestD4_WhoLostItsJournalDoesNotVote(t *testing.T) {
	c := testkit.NewCluster(t, 4, shortIntervals)
	c.AwaitStable(3, proposeSequences(c, 0, 8)/4*4)
	c.Kill(3)
	if err := c.Disk(3).RemoveAll(c.Home(3) + "/journal"); err != nil {
		t.Fatal(err)
	}
	c.Start(3)
	if s := c.Replica(3).Status(); s.Observing == "" || s.StableCheckpoint == 0 {
		t.Errorf("without its journal it votes: %+v", s)
	}
	c.Await(3, c.Propose(0, "it follows"))
}
