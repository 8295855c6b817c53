package cluster

// frameOverhead is what a waiting frame costs beside its bytes. Counting it
// bounds the number of frames along with their bytes.
const frameOverhead = 128

// overflow says which frame a full lane gives up.
type overflow uint8

const (
	dropOldest   overflow = iota // newer votes say more than older ones
	refuseNewest                 // a batch is fetched again by whoever misses it
)

// laneRule bounds one lane of one peer.
type laneRule struct {
	bytesMax int
	overflow overflow
}

// queued is a frame that waits for its peer.
type queued struct {
	lane  Lane
	frame []byte
}

func (q queued) cost() int { return len(q.frame) + frameOverhead }

// lanes holds what waits for one peer, each lane bounded by bytes. It is not
// safe for concurrent use.
type lanes struct {
	rules [laneCount]laneRule
	lane  [laneCount]fifo
}

// push adds a frame to its lane and tells which frames the bound cost: older
// ones of the lane, or this one.
func (l *lanes) push(q queued) (dropped []queued) {
	rule, lane := l.rules[q.lane], &l.lane[q.lane]
	if q.cost() > rule.bytesMax {
		return []queued{q}
	}
	for lane.bytes+q.cost() > rule.bytesMax {
		if rule.overflow == refuseNewest {
			return append(dropped, q)
		}
		dropped = append(dropped, lane.pop())
	}
	lane.push(q)
	return dropped
}

// peek shows the most urgent frame.
func (l *lanes) peek() (queued, bool) {
	for i := range l.lane {
		if lane := &l.lane[i]; lane.len() > 0 {
			return lane.items[lane.head], true
		}
	}
	return queued{}, false
}

// pop takes the frame peek shows. There must be one.
func (l *lanes) pop() queued {
	for i := range l.lane {
		if lane := &l.lane[i]; lane.len() > 0 {
			return lane.pop()
		}
	}
	panic("cluster: pop from empty lanes")
}

// fifo is a queue that knows its bytes.
type fifo struct {
	items []queued
	head  int
	bytes int
}

func (f *fifo) len() int { return len(f.items) - f.head }

func (f *fifo) push(q queued) {
	// Moving the rest to the front when half is used up costs O(1) a frame.
	if f.head > 0 && f.head >= len(f.items)/2 && len(f.items) == cap(f.items) {
		n := copy(f.items, f.items[f.head:])
		clear(f.items[n:])
		f.items, f.head = f.items[:n], 0
	}
	f.items = append(f.items, q)
	f.bytes += q.cost()
}

func (f *fifo) pop() queued {
	q := f.items[f.head]
	f.items[f.head] = queued{} // the frame is not held longer than it waits
	f.head++
	f.bytes -= q.cost()
	if f.head == len(f.items) {
		f.items, f.head = f.items[:0], 0
	}
	return q
}
