package testkit_test

import (
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// t stands for the test that a function of an application's test file gets.
var t *testing.T

// Kill the leader's phase tracker as it counts commits, and still finalise: the
// tracker is restarted, its sequence replayed to it, and the vote is not signed
// twice.
func ExampleCluster_PanicOn() {
	c := testkit.NewCluster(t, 4)
	fault := c.PanicOn(0, "phase-*", 1, testkit.BringsVote(messages.Commit))
	seq := c.Propose(1, "survives")
	fault.Await()
	c.AwaitEqual(seq)
}

// A leader that lies costs time, never agreement.
func ExampleCluster_Byzantine() {
	c := testkit.NewCluster(t, 4)
	c.Byzantine(0, byzantine.Equivocating(), byzantine.Slow(20*time.Millisecond))
	for i := 1; i < 4; i++ {
		c.Propose(i, "final whatever the leader says")
	}
}

// Seven replicas tolerate two that are cut off, behind bad links besides.
func ExampleCluster_Partition() {
	c := testkit.NewCluster(t, 7)
	c.Drop(testkit.Any, testkit.Any, 50)
	c.Partition([]int{0, 1, 2, 3, 4}, []int{5, 6})
	c.Propose(2, "five of seven are a quorum")
	c.Heal()
	c.AwaitEqual(c.Propose(6, "and the two catch up"))
}

// TestExamples runs the examples' bodies, which need a test.
func TestExamples(test *testing.T) {
	t = test
	defer func() { t = nil }()
	ExampleCluster_PanicOn()
	ExampleCluster_Byzantine()
	ExampleCluster_Partition()
}
