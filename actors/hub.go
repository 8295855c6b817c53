package actors

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
)

// hub passes events on to custom actors and subscribers. It never waits for
// one: a custom actor has a mailbox, and a subscriber that does not keep up
// misses events and is told how many. What is published before the custom actors
// have mailboxes waits for them.
type hub struct {
	system *actor.ActorSystem

	mu            sync.Mutex
	actors        []*actor.PID
	early         []messages.Event // until all actors are there
	complete      bool             // they are
	subscriptions []*Subscription
	closed        bool
}

// Subscription receives a replica's events in order on C, which is closed when
// the subscription or the replica ends.
type Subscription struct {
	C      <-chan messages.Event
	events chan messages.Event
	missed atomic.Uint64
	hub    *hub
}

// Missed is how many events were dropped because C was full. What was missed
// can be read from the ledger.
func (s *Subscription) Missed() uint64 { return s.missed.Load() }

// Close ends the subscription.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if i := slices.Index(s.hub.subscriptions, s); i >= 0 {
		s.hub.subscriptions = slices.Delete(s.hub.subscriptions, i, i+1)
		close(s.events)
	}
}

func (h *hub) add(pid *actor.PID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.ContainsFunc(h.actors, pid.Equal) { // it has its address from the life before
		h.actors = append(h.actors, pid)
	}
}

// begin has all actors that were added get what was published before, and then
// what is.
func (h *hub) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.early {
		h.tell(e)
	}
	h.early, h.complete = nil, true
}

// tell sends every actor an event, under mu.
func (h *hub) tell(e messages.Event) {
	for _, pid := range h.actors {
		h.system.Root.Send(pid, e)
	}
}

func (h *hub) subscribe(buffer int) *Subscription {
	events := make(chan messages.Event, max(buffer, 1))
	s := &Subscription{C: events, events: events, hub: h}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(events)
	} else {
		h.subscriptions = append(h.subscriptions, s)
	}
	return s
}

func (h *hub) publish(e messages.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.complete {
		h.tell(e)
	} else {
		h.early = append(h.early, e)
	}
	for _, s := range h.subscriptions {
		select {
		case s.events <- e:
		default:
			s.missed.Add(1)
		}
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, s := range h.subscriptions {
		close(s.events)
	}
	h.subscriptions = nil
}
