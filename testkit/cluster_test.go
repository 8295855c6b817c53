package testkit_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/cretoai/consensus/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestClusterSurvivesALostReplica(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	c.Kill(3)
	c.Propose(0, "still working")
	c.Start(3)
	c.AwaitEqual(c.Propose(1, "and equal again"))
}

func TestClusterOfSevenHealsAfterAPartition(t *testing.T) {
	c := testkit.NewCluster(t, 7)
	c.Partition([]int{0, 1, 2, 3, 4}, []int{5, 6})
	c.Propose(2, "five of seven are a quorum")
	c.Heal()
	c.AwaitEqual(c.Propose(6, "and the two catch up"))
}
