package testkit_test

import (
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// TestWrittenFromTheDocumentation is what somebody wrote who had read this
// package's page and package byzantine's, and nothing else. It stays as it is.
func TestWrittenFromTheDocumentation(t *testing.T) {
	c := testkit.NewCluster(t, 4)

	fault := c.PanicOn(0, "phase-*", 1, testkit.BringsVote(messages.Commit))
	seq := c.Propose(1, "the leader's phase tracker dies during commit")
	fault.Await()
	c.AwaitEqual(seq)

	c.Partition([]int{0, 1, 2}, []int{3})
	c.Propose(2, "three of four are a quorum")
	c.Heal()
	c.AwaitEqual(c.Propose(3, "and the fourth catches up"))

	c.Byzantine(0, byzantine.Equivocating())
	c.Propose(1, "final whatever the leader says")
	c.Byzantine(0)
	c.AwaitEqual(c.Propose(2, "and it is honest again"))
}
