package testkit_test

import (
	"fmt"
	"testing"

	"github.com/cretoai/consensus/testkit"
)

// Who panics when its turn to write a checkpoint comes writes it all the same, also
// if nothing more is proposed. [C3]
func TestC3_ATurnLostInAPanicComesAgain(t *testing.T) {
	c := testkit.NewCluster(t, 4, shortIntervals)
	lost := c.PanicOn(3, "executor", 1, func(message any) bool { return fmt.Sprintf("%T", message) == "*actors.turnCame" })
	for i := 0; c.Propose(0, fmt.Sprint(i)) < 4; i++ {
	}
	lost.Await()
	for i := range 4 {
		c.AwaitStable(i, 4)
	}
}
