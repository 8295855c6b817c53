package leader_test

import (
	"fmt"
	"time"

	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
)

// Four members; leaders crash one after another, then one gets work done.
func ExampleTimeout() {
	schedule := leader.NewSchedule(4)
	timeout := leader.NewTimeout(leader.DefaultTimeoutConfig())
	timeout.Measured(70 * time.Millisecond)
	for view := range messages.View(3) {
		fmt.Printf("view %d: leader %d, timeout %v\n", view, schedule.Leader(view), timeout.Current())
		timeout.Failed()
	}
	timeout.Executed(leader.Progress{Proposed: true, Fresh: true})
	fmt.Printf("after progress: timeout %v\n", timeout.Current())
	// Output:
	// view 0: leader 0, timeout 280ms
	// view 1: leader 1, timeout 560ms
	// view 2: leader 2, timeout 1.12s
	// after progress: timeout 280ms
}
