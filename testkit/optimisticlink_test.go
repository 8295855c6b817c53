package testkit_test

import (
	"fmt"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit"
)

// A liar may keep its Prepares from one member alone, and a link may break one way. The
// others have what decides, and that member commits: it decides by their Commits, and
// need not wait until it is told what they finalised.
func TestF3_WhoIsKeptFromAPrepareIsHelped(t *testing.T) {
	for _, victim := range []int{0, 1} { // the leader, a backup
		t.Run(fmt.Sprint("from ", victim), func(t *testing.T) {
			c := testkit.NewCluster(t, 4, optimistic)
			c.AwaitEqual(c.Propose(1, "with all"))
			c.Network.Block(3, messages.Index(victim), true)
			before := c.Metric(victim, "decisions_total", "by", "quorum")
			const sequences = 40
			for i := range sequences {
				order(c, 3, i, "without the votes of one")
			}
			if got := c.Metric(victim, "decisions_total", "by", "quorum") - before; got < sequences/2 {
				t.Errorf("of %d sequences the votes of a quorum decided %v where one is kept from votes: it waited for what others finalised", sequences, got)
			}
		})
	}
}
