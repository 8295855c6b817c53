package sim

import (
	"bytes"
	"math/rand/v2"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
)

// network carries frames between the replicas, each link in its own way. What
// is sent to a replica that is down is lost; what one sent before it crashed
// still arrives.
type network struct {
	rng      *rand.Rand
	clock    *runtime.Virtual
	trace    *trace
	oracle   *oracle
	faults   Faults
	identity []int        // of each replica: twins have the same
	members  []*transport // by replica, nil while down
	links    [][]link     // from, to
	distant  int          // the member that is far from all others, −1 if none
	calm     bool         // no faults any more, but the delay
}

// link is one direction between two replicas.
type link struct {
	cut     bool
	noticed bool      // the channel is known to be down
	arrival time.Time // of the last frame, unless frames may overtake
}

func newNetwork(identity []int, rng *rand.Rand, clock *runtime.Virtual, t *trace, o *oracle, f Faults) *network {
	n := len(identity)
	w := &network{
		rng: rng, clock: clock, trace: t, oracle: o, faults: f,
		identity: identity, members: make([]*transport, n), links: make([][]link, n),
	}
	for i := range w.links {
		w.links[i] = make([]link, n)
	}
	return w
}

// transport connects one process.
type transport struct {
	network *network
	process *process
	deliver func(any)
}

// Start implements cluster.Transport.
func (t *transport) Start(deliver func(any)) error {
	t.deliver = deliver
	self := t.process.member
	t.network.members[self] = t
	for i, other := range t.network.members {
		if other != nil && t.network.name(i) != t.network.name(self) {
			other.deliver(&cluster.PeerChange{Peer: t.network.name(self), Connected: true})
			deliver(&cluster.PeerChange{Peer: t.network.name(i), Connected: true})
		}
	}
	return nil
}

// Stop implements cluster.Transport.
func (t *transport) Stop() error {
	self := t.process.member
	if t.network.members[self] != t {
		return nil
	}
	t.network.members[self] = nil
	for i, other := range t.network.members {
		if other != nil && t.network.name(i) != t.network.name(self) {
			other.deliver(&cluster.PeerChange{Peer: t.network.name(self)})
		}
	}
	return nil
}

// Connected implements cluster.Transport.
func (t *transport) Connected(peer messages.Index) bool {
	w, self := t.network, t.process.member
	for i := range w.members {
		if w.name(i) == peer && peer != w.name(self) && w.members[i] != nil && !w.links[self][i].noticed {
			return true
		}
	}
	return false
}

// Send implements cluster.Transport.
func (t *transport) Send(to messages.Index, _ cluster.Lane, frame []byte) {
	if t.process.dead {
		return
	}
	w, from := t.network, t.process.member
	w.oracle.sent(int(w.name(from)), frame)
	for i := range w.members {
		if w.name(i) == to { // both twins hear what one is told, unless they are apart
			w.send(from, i, frame)
		}
	}
}

// name is the member that a replica is.
func (w *network) name(slot int) messages.Index { return messages.Index(w.identity[slot]) }

func (w *network) send(from, to int, frame []byte) {
	switch {
	case len(frame) > messages.FrameBytesMax && !w.oracle.faulty[w.name(from)]:
		w.oracle.violated("bounds", "replica %d sends a frame of %d bytes", from, len(frame))
	case w.links[from][to].cut:
		w.trace.frame("cut", from, to, frame)
	case !w.calm && w.rng.IntN(1000) < w.faults.loss():
		w.trace.frame("lost", from, to, frame)
	default:
		w.trace.frame("sent", from, to, frame)
		w.travel(from, to, frame)
		if !w.calm && w.rng.IntN(1000) < w.faults.duplicate() {
			w.trace.frame("again", from, to, frame)
			w.travel(from, to, frame)
		}
	}
}

// travel has a frame arrive after a while.
func (w *network) travel(from, to int, frame []byte) {
	l := &w.links[from][to]
	spread := w.faults.DelayMax - w.faults.DelayMin
	delay := w.faults.DelayMin + time.Duration(w.rng.Int64N(int64(spread)+1))
	if !w.calm && (from == w.distant || to == w.distant) {
		delay *= farther
	}
	at := w.clock.Now().Add(delay)
	if !(w.faults.Reorder || w.faults.Rough) || w.calm {
		if at.Before(l.arrival) {
			at = l.arrival
		}
		l.arrival = at
	}
	frame = bytes.Clone(frame) // the receiver owns it, and shared memory is no network
	w.clock.AfterFunc(at.Sub(w.clock.Now()), func() {
		if t := w.members[to]; t != nil {
			t.deliver(&cluster.Inbound{From: w.name(from), Frame: frame})
		}
	})
}

// cutOff cuts links as a partition does: group 0 from group 1. One way only, it
// is group 1 that is not heard. A partition that is noticed closes the channels,
// any other swallows what is sent.
func (w *network) cutOff(group []int, oneWay, noticed bool) {
	for from := range w.links {
		for to := range w.links {
			apart := group[from] != group[to]
			w.links[from][to].cut = apart && (!oneWay || group[from] == 1)
			w.notice(from, to, apart && noticed)
		}
	}
}

// cut cuts the links that it is told to, and restores all others.
func (w *network) cut(apart func(from, to int) bool, noticed bool) {
	for from := range w.links {
		for to := range w.links {
			w.links[from][to].cut = apart(from, to)
			w.notice(from, to, apart(from, to) && noticed)
		}
	}
}

// notice tells a replica that its channel to another went down, or is back.
func (w *network) notice(self, peer int, down bool) {
	if w.links[self][peer].noticed == down {
		return
	}
	w.links[self][peer].noticed = down
	if t := w.members[self]; t != nil && w.members[peer] != nil {
		t.deliver(&cluster.PeerChange{Peer: w.name(peer), Connected: !down})
	}
}

// heal restores all links.
func (w *network) heal() { w.cutOff(make([]int, len(w.links)), false, false) }
