package actors

import (
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
)

// Whoever catches up rests twice as long as it worked, unless that made it too slow to
// ever be there.
func TestR3_WhoIsFarBehindRests(t *testing.T) {
	const heartbeat = 100 * time.Millisecond
	begin := time.Unix(100, 0)
	var p pace
	p.beat(1000, 0) // nobody said yet where it is
	p.beat(1000, 9000)
	p.ask(begin)
	if got := p.rest(begin.Add(30*time.Millisecond), heartbeat); got != 60*time.Millisecond {
		t.Errorf("after a range that took 30 ms it rests for %v", got)
	}
	if got := p.rest(begin.Add(time.Minute), heartbeat); got != restBeats*heartbeat {
		t.Errorf("after a range that took a minute it rests for %v", got)
	}
	for _, c := range []struct {
		own, others int
		hurry       bool
	}{{64, 33, true}, {64, 32, false}, {64, 0, false}, {0, 1, true}, {0, -5, false}, {64, 0, false}} {
		executed, others := p.executed, p.others
		for range paceBeats {
			p.beat(executed+messages.Seq(c.own), others+messages.Seq(c.others))
		}
		if (p.rest(begin.Add(time.Millisecond), heartbeat) == 0) != c.hurry {
			t.Errorf("%d sequences while the others made %d: in a hurry is %v", c.own, c.others, !c.hurry)
		}
	}
}
