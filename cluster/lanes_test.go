package cluster

import (
	"slices"
	"testing"
)

// bounded makes lanes that hold count frames of size bytes each.
func bounded(count, size int) *lanes {
	rule := count * (size + frameOverhead)
	return &lanes{rules: [laneCount]laneRule{
		LaneVotes: {rule, dropOldest}, LaneViewChange: {rule, dropOldest},
		LaneBatches: {rule, refuseNewest}, LaneBulk: {rule, refuseNewest},
	}}
}

func drain(l *lanes) (frames []string) {
	for {
		seen, ok := l.peek()
		if !ok {
			return frames
		}
		if got := l.pop(); string(got.frame) != string(seen.frame) {
			panic("pop takes another frame than peek shows")
		}
		frames = append(frames, string(seen.frame))
	}
}

func TestLanesLeaveByUrgency(t *testing.T) {
	l := bounded(8, 2)
	for _, q := range []queued{
		{LaneBulk, []byte("x1")}, {LaneBatches, []byte("b1")}, {LaneVotes, []byte("v1")}, {LaneViewChange, []byte("c1")},
		{LaneBulk, []byte("x2")}, {LaneVotes, []byte("v2")}, {LaneBatches, []byte("b2")}, {LaneViewChange, []byte("c2")},
	} {
		if dropped := l.push(q); dropped != nil {
			t.Fatalf("%s cost %d frames", q.frame, len(dropped))
		}
	}
	want := []string{"v1", "v2", "c1", "c2", "b1", "b2", "x1", "x2"}
	if got := drain(l); !slices.Equal(got, want) {
		t.Errorf("left as %v, want %v", got, want)
	}
}

func TestLanesOverflow(t *testing.T) {
	for _, c := range []struct {
		lane         Lane
		keeps, loses []string
	}{
		{LaneVotes, []string{"3", "4"}, []string{"1", "2"}},
		{LaneViewChange, []string{"3", "4"}, []string{"1", "2"}},
		{LaneBatches, []string{"1", "2"}, []string{"3", "4"}},
		{LaneBulk, []string{"1", "2"}, []string{"3", "4"}},
	} {
		t.Run(c.lane.String(), func(t *testing.T) {
			l := bounded(2, 1)
			var lost []string
			for _, f := range []string{"1", "2", "3", "4"} {
				for _, d := range l.push(queued{c.lane, []byte(f)}) {
					if d.lane != c.lane {
						t.Errorf("%s was lost from lane %v", d.frame, d.lane)
					}
					lost = append(lost, string(d.frame))
				}
			}
			if !slices.Equal(lost, c.loses) {
				t.Errorf("lost %v, want %v", lost, c.loses)
			}
			if kept := drain(l); !slices.Equal(kept, c.keeps) {
				t.Errorf("kept %v, want %v", kept, c.keeps)
			}
		})
	}
}

// A full lane takes nothing from the others, and a frame that fits no lane
// empties none.
func TestLanesDoNotShareBounds(t *testing.T) {
	l := bounded(1, 1)
	l.push(queued{LaneBulk, []byte("x")})
	if dropped := l.push(queued{LaneVotes, []byte("v")}); dropped != nil {
		t.Error("a full bulk lane cost a vote")
	}
	if dropped := l.push(queued{LaneVotes, make([]byte, 2)}); len(dropped) != 1 || len(dropped[0].frame) != 2 {
		t.Errorf("a frame above the bound cost %d frames, not itself alone", len(dropped))
	}
	if got := drain(l); !slices.Equal(got, []string{"v", "x"}) {
		t.Errorf("kept %v", got)
	}
}

// The queue's memory follows what waits, not what passed, and bytes are
// counted down to zero.
func TestLanesReuseMemory(t *testing.T) {
	l := bounded(16, 1)
	for i := range 100_000 {
		l.push(queued{LaneVotes, []byte{byte(i)}})
		if i%3 != 0 {
			l.pop()
		}
	}
	if c := cap(l.lane[LaneVotes].items); c > 64 {
		t.Errorf("16 frames wait in room for %d", c)
	}
	drain(l)
	if b := l.lane[LaneVotes].bytes; b != 0 {
		t.Errorf("empty lanes hold %d bytes", b)
	}
}
