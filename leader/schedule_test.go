package leader

import (
	"math"
	"testing"

	"github.com/cretoai/consensus/messages"
)

func TestSchedule_MembersTakeTurns(t *testing.T) {
	for _, n := range []int{1, 4, 5, 7, messages.MembersMax} {
		s := NewSchedule(n)
		led := make([]int, n)
		for v := range messages.View(3 * n) {
			led[s.Leader(v)]++
		}
		for i, views := range led {
			if views != 3 {
				t.Errorf("n=%d: member %d led %d of %d views, want 3", n, i, views, 3*n)
			}
		}
	}
}

// A view near the end of its range must not make one member lead for ever, nor
// lead out of the membership. [W9]
func TestSchedule_LastViews(t *testing.T) {
	tests := []struct {
		n    int
		view messages.View
		want messages.Index
	}{
		{4, math.MaxUint64, 3},
		{4, math.MaxUint64 - 1, 2},
		{5, math.MaxUint64, 0},
		{7, math.MaxUint64, 1},
		{64, math.MaxUint64, 63},
		{4, 1 << 63, 0},
	}
	for _, tt := range tests {
		if got := NewSchedule(tt.n).Leader(tt.view); got != tt.want {
			t.Errorf("n=%d: view %d is led by %d, want %d", tt.n, tt.view, got, tt.want)
		}
	}
}

func TestSchedule_WithoutMembers(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a schedule of no members was made")
		}
	}()
	NewSchedule(0)
}
