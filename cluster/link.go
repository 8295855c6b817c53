package cluster

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/messages"
)

// flightFrames bounds the frames under way to a connection.
const flightFrames = 256

var errReplaced = errors.New("replaced by a newer connection")

// link is the way to one peer: what waits for it, and the connection it leaves
// by. proto.actor's own queue has no bound, so it is given no more than the
// connection accepts soon: the flight.
type link struct {
	remote  *Remote
	peer    messages.Index
	address string
	target  *actor.PID

	mu          sync.Mutex
	closed      bool
	waiting     lanes
	session     *session // the current attempt or connection, if any
	up          bool     // session is greeted: frames may leave
	flight      []queued // handed to proto.actor, not yet accepted; oldest first
	flightBytes int
	attempts    int       // failed since the last connection
	failed      time.Time // when the last attempt or connection ended, while the pause after it lasts
	timer       runtime.Timer
	noted       error  // why the last attempt failed, where it was seen first
	told        string // the last reason that was told
}

func newLink(r *Remote, peer messages.Index) *link {
	l := &r.cfg.Limits
	address := r.cfg.Peers[peer].Address
	return &link{
		remote: r, peer: peer, address: address, target: actor.NewPID(address, ingressID),
		waiting: lanes{rules: [laneCount]laneRule{
			LaneVotes:      {l.VoteBytes, dropOldest},
			LaneViewChange: {l.ViewChangeBytes, dropOldest},
			LaneBatches:    {l.BatchBytes, refuseNewest},
			LaneBulk:       {l.BulkBytes, refuseNewest},
		}},
	}
}

// send queues a frame and lets leave what may.
func (l *link) send(q queued) {
	l.mu.Lock()
	var dropped []queued
	if !l.closed {
		dropped = l.waiting.push(q)
		l.pump()
	}
	l.mu.Unlock()
	for _, d := range dropped {
		l.remote.cfg.Observer.dropped(l.peer, d.lane.String(), "queue full")
	}
}

// pump hands frames to proto.actor, the most urgent first, as far as the flight
// has room. A frame larger than the flight leaves alone. l.mu is held.
func (l *link) pump() {
	for l.up {
		q, ok := l.waiting.peek()
		if !ok || len(l.flight) > 0 &&
			(l.flightBytes+len(q.frame) > l.remote.cfg.Limits.FlightBytes || len(l.flight) == flightFrames) {
			return
		}
		l.waiting.pop()
		l.flight = append(l.flight, q)
		l.flightBytes += len(q.frame)
		l.remote.system.Root.Send(l.target, &outgoing{q.frame})
	}
}

// accepted says that the connection took the oldest n frames of the flight.
func (l *link) accepted(s *session, n int) {
	l.mu.Lock()
	if l.session != s {
		l.mu.Unlock()
		return
	}
	// A frame that was handed over while the last connection broke may travel on
	// this one without being in its flight: hence min.
	n = min(n, len(l.flight))
	sent := append([]queued(nil), l.flight[:n]...)
	l.flight = append(l.flight[:0], l.flight[n:]...)
	for _, q := range sent {
		l.flightBytes -= len(q.frame)
	}
	l.pump()
	l.mu.Unlock()
	for _, q := range sent {
		l.remote.cfg.Observer.sent(l.peer, q.lane, len(q.frame))
	}
}

// connect makes proto.actor open a connection, unless there is one. The answer
// comes through begin, greeted and ended; the timer covers the case that none
// of them does, and leaves a slow machine the time for it: a second attempt
// would end the first.
func (l *link) connect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.session != nil {
		return
	}
	l.failed = time.Time{}
	l.arm(l.remote.cfg.Limits.HandshakeTimeout)
	// proto.actor forgets the old connection first: a knock there would be lost. The lock is held so that nothing is
	// sent once Stop has closed the link: proto.actor would panic.
	l.remote.system.EventStream.Publish(&remote.EndpointTerminatedEvent{Address: l.address})
	l.remote.system.Root.Send(l.target, knock)
}

// returned says that the peer has connected to us: it is there, and what is
// left of the pause would be lost time. The next attempt is made at once, unless
// the last one ended a moment ago: peers do not set our pace.
func (l *link) returned() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.session != nil || l.failed.IsZero() || !l.timer.Stop() {
		return // no pause, or it is over
	}
	rested := l.remote.cfg.Clock.Now().Sub(l.failed)
	l.arm(max(0, l.remote.cfg.Limits.BackoffMin/2-rested))
}

// pause is the time before the next attempt: it doubles. l.mu is held.
func (l *link) pause() time.Duration {
	limits := &l.remote.cfg.Limits
	pause := limits.BackoffMax
	if l.attempts < 16 {
		pause = min(limits.BackoffMin<<l.attempts, limits.BackoffMax)
	}
	return runtime.Jitter(l.remote.cfg.Rand, pause, 0.5)
}

// arm sets the timer of the next attempt. l.mu is held.
func (l *link) arm(pause time.Duration) {
	if l.timer != nil {
		l.timer.Stop()
	}
	l.timer = l.remote.cfg.Clock.AfterFunc(pause, l.connect)
}

// begin registers an attempt, which replaces whatever came before it. It
// reports false if the link is closed.
func (l *link) begin(s *session) bool {
	l.mu.Lock()
	older := l.session
	l.mu.Unlock()
	if older != nil {
		older.cancel()
		l.ended(older, errReplaced)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.session = s
	return true
}

// note keeps why an attempt fails, until ended: gRPC's own text says less. It
// may come before begin, because gRPC dials as soon as it can.
func (l *link) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.noted = err
}

// greeted says that the peer took our greeting: frames may leave.
func (l *link) greeted(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.session != s {
		return
	}
	l.up, l.attempts, l.told = true, 0, ""
	// Told under the lock, so that ups and downs arrive in their order.
	l.remote.deliver(&PeerChange{Peer: l.peer, Connected: true})
	l.pump()
}

// ended says that an attempt failed or a connection broke.
func (l *link) ended(s *session, err error) {
	l.mu.Lock()
	if l.session != s {
		l.mu.Unlock()
		return
	}
	lost, wasUp := l.flight, l.up
	l.session, l.up, l.flight, l.flightBytes = nil, false, nil, 0
	if !l.closed {
		l.failed = l.remote.cfg.Clock.Now() // before anybody is told, and moves a clock
		l.tell(wasUp, err)
		l.arm(l.pause())
		l.attempts++
	}
	l.noted = nil
	l.mu.Unlock()
	for _, q := range lost {
		l.remote.cfg.Observer.dropped(l.peer, q.lane.String(), "disconnected")
	}
}

// tell reports the end of a connection, and why an attempt failed if the reason
// is new. l.mu is held.
func (l *link) tell(wasUp bool, err error) {
	if wasUp {
		l.remote.cfg.Logger.Info("lost the connection to a peer",
			slog.Int("peer", int(l.peer)), slog.String("address", l.address), slog.Any("error", err))
		l.remote.deliver(&PeerChange{Peer: l.peer})
		return
	}
	reason := l.reason(err)
	if reason == l.told {
		return
	}
	l.told = reason
	l.remote.deliver(&PeerChange{Peer: l.peer, Reason: reason})
}

// close ends the link: nothing leaves any more, and no timer fires.
func (l *link) close() {
	l.mu.Lock()
	l.closed, l.up, l.waiting = true, false, lanes{}
	if l.timer != nil {
		l.timer.Stop()
	}
	s := l.session
	l.mu.Unlock()
	if s != nil {
		s.cancel()
	}
}

// reason says why an attempt failed and what may be done about it. l.mu is held.
func (l *link) reason(err error) string {
	cause := l.noted
	if cause == nil {
		cause = err
	}
	var identity *identityError
	if errors.As(cause, &identity) {
		return fmt.Sprintf("peer %d at %s is not the pinned member: %v", l.peer, l.address, identity)
	}
	// Without the ports of an OpError, which differ every time, an old reason is
	// recognised.
	var op *net.OpError
	if errors.As(cause, &op) {
		if cause = fmt.Errorf("%s: %w", op.Op, op.Err); op.Op == "dial" {
			return fmt.Sprintf("peer %d at %s does not answer: %v", l.peer, l.address, op.Err)
		}
	}
	return fmt.Sprintf("peer %d at %s refused us or is not the pinned member: %v; "+
		"its log says whom it saw: compare the genesis files and channel keys", l.peer, l.address, cause)
}

func (l *link) connected() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up
}
