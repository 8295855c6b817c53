package actors

import (
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
)

// Whoever catches up is in a hurry when it gains on the others at less than their speed.
func TestR3_WhoIsFarBehindRests(t *testing.T) {
	var p pace
	p.beat(1000, 0) // nobody said yet where it is
	p.beat(1000, 9000)
	for _, c := range []struct {
		own, others int
		hurry       bool
	}{{64, 33, true}, {64, 32, false}, {64, 0, false}, {0, 1, true}, {0, -5, false}, {64, 0, false}} {
		executed, others := p.executed, p.others
		for range paceBeats {
			p.beat(executed+messages.Seq(c.own), others+messages.Seq(c.others))
		}
		if p.batches() == c.hurry || p.parts(10, 11) != (c.others > 0) {
			t.Errorf("%d sequences while the others made %d: in a hurry is %v, quiet %v", c.own, c.others, !p.batches(), !p.parts(10, 11))
		}
	}
	if (&pace{}).parts(11, 11) {
		t.Error("it rests though the others may drop the snapshot")
	}
}

func TestR3_RestIsTwiceAsLongAsWork(t *testing.T) {
	const heartbeat = 100 * time.Millisecond
	var b breath
	begin := time.Unix(100, 0)
	at := func(d time.Duration) time.Time { return begin.Add(d) }
	b.work(begin)
	if left := b.left(begin); left != 0 {
		t.Errorf("before any work it rests for %v", left)
	}
	for _, c := range []struct{ worked, rest time.Duration }{
		{30 * time.Millisecond, 60 * time.Millisecond}, {40 * time.Millisecond, 80 * time.Millisecond}, {time.Minute, restBeats * heartbeat},
	} {
		if got := b.rest(at(c.worked), heartbeat); got != c.rest {
			t.Errorf("after work of %v it rests for %v", c.worked, got)
		}
		if left := b.left(at(c.worked + c.rest/4)); left != c.rest-c.rest/4 {
			t.Errorf("after a quarter of it %v are left of a rest of %v", left, c.rest)
		}
		if left := b.left(at(c.worked + 2*c.rest)); left != 0 {
			t.Errorf("after a rest of %v, %v are left of it", c.rest, left)
		}
	}
}
