package leader

import (
	"fmt"

	"github.com/cretoai/consensus/messages"
)

// Schedule names the leader of every view. It depends on the number of members
// alone, on nothing a replica saw or thinks of others, so all correct replicas
// name the same one. [protocol §1]
type Schedule struct{ n messages.View }

// NewSchedule is the schedule of n members. n is at least 1.
func NewSchedule(n int) Schedule {
	if n < 1 {
		panic(fmt.Sprintf("a schedule of %d members", n))
	}
	return Schedule{messages.View(n)}
}

// Leader is the member that leads view v: members take turns.
func (s Schedule) Leader(v messages.View) messages.Index { return messages.Index(v % s.n) }
