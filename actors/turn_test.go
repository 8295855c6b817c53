package actors

import (
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
)

// Members write one after the other within half of the time a checkpoint takes, and
// within a second.
func TestC3_MembersTakeTurns(t *testing.T) {
	begin := time.Unix(0, 0)
	for _, c := range []struct {
		interval, last time.Duration // and when the last of four is to begin
	}{
		{800 * time.Millisecond, 300 * time.Millisecond},
		{time.Minute, 750 * time.Millisecond},
		{0, 0},
	} {
		var u turn
		u.reach(128, begin)
		for m := range messages.Index(4) {
			if got := u.wait(m, 4); got != 0 {
				t.Errorf("member %d waits for %v before it is known how long checkpoints take", m, got)
			}
		}
		u.reach(256, begin.Add(c.interval))
		u.reach(256, begin.Add(time.Hour)) // done again after a panic
		for m := range messages.Index(4) {
			if got, want := u.wait(m, 4), c.last*time.Duration(m)/3; got != want {
				t.Errorf("member %d waits for %v where a checkpoint takes %v, want %v", m, got, c.interval, want)
			}
		}
	}
}
