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
		u := turn{at: begin}
		u.reach(128, begin.Add(c.interval/2))
		for m := range messages.Index(4) {
			if got, want := u.wait(m, 4), min(c.interval/4, turnsMax)*time.Duration(m)/4; got != want {
				t.Errorf("member %d waits for %v after the first checkpoint, want %v", m, got, want)
			}
		}
		u.reach(256, begin.Add(c.interval/2).Add(c.interval))
		u.reach(256, begin.Add(time.Hour)) // done again after a panic
		for m := range messages.Index(4) {
			if got, want := u.wait(m, 4), c.last*time.Duration(m)/3; got != want {
				t.Errorf("member %d waits for %v where a checkpoint takes %v, want %v", m, got, c.interval, want)
			}
		}
	}
}
