package cluster

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/cretoai/consensus/messages"
)

// MemoryNetwork connects the members of a cluster within one process: the same
// frames, bounds and order a link as over a network, without sockets. Frames
// are copied, so that sharing memory by mistake shows.
type MemoryNetwork struct {
	mu      sync.Mutex
	members []*memoryTransport
	blocked map[[2]messages.Index]bool
	unread  []atomic.Int64 // bytes, by sender and receiver
}

// NewMemoryNetwork makes a network of n members, none of them started.
func NewMemoryNetwork(n int) *MemoryNetwork {
	return &MemoryNetwork{members: make([]*memoryTransport, n), blocked: make(map[[2]messages.Index]bool), unread: make([]atomic.Int64, n*n)}
}

// Unread is how many bytes one member sent another that were not released yet. A
// network would stop taking more at some point; this one leaves that to senders.
func (m *MemoryNetwork) Unread(from, to messages.Index) int { return int(m.link(from, to).Load()) }

func (m *MemoryNetwork) link(from, to messages.Index) *atomic.Int64 {
	return &m.unread[int(from)*len(m.members)+int(to)]
}

// Block cuts one direction of a link, or restores it. Frames sent meanwhile are
// lost.
func (m *MemoryNetwork) Block(from, to messages.Index, blocked bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blocked[[2]messages.Index{from, to}] = blocked
}

// Transport gives the transport of one member. A member that was stopped gets
// a new one.
func (m *MemoryNetwork) Transport(self messages.Index) Transport {
	return &memoryTransport{network: m, self: self}
}

// running lists the other members that are started.
func (m *MemoryNetwork) running(self messages.Index) []*memoryTransport {
	var list []*memoryTransport
	for _, t := range m.members {
		if t != nil && t.self != self {
			list = append(list, t)
		}
	}
	return list
}

type memoryTransport struct {
	network *MemoryNetwork
	self    messages.Index
	inbox   *inbox
}

// Start implements Transport.
func (t *memoryTransport) Start(deliver func(msg any)) error {
	t.inbox = newInbox(deliver)
	t.network.mu.Lock()
	defer t.network.mu.Unlock()
	t.network.members[t.self] = t
	for _, other := range t.network.running(t.self) {
		other.inbox.put(&PeerChange{Peer: t.self, Connected: true})
		t.inbox.put(&PeerChange{Peer: other.self, Connected: true})
	}
	return nil
}

// Send implements Transport.
func (t *memoryTransport) Send(to messages.Index, _ Lane, frame []byte) {
	t.network.mu.Lock()
	defer t.network.mu.Unlock()
	if int(to) >= len(t.network.members) || len(frame) > messages.FrameBytesMax ||
		t.network.members[t.self] != t || t.network.blocked[[2]messages.Index{t.self, to}] {
		return
	}
	if other := t.network.members[to]; other != nil {
		unread, size := t.network.link(t.self, to), int64(len(frame))
		unread.Add(size)
		other.inbox.put(&Inbound{From: t.self, Frame: bytes.Clone(frame), release: func() { unread.Add(-size) }})
	}
}

// Connected implements Transport.
func (t *memoryTransport) Connected(peer messages.Index) bool {
	t.network.mu.Lock()
	defer t.network.mu.Unlock()
	return peer != t.self && int(peer) < len(t.network.members) && t.network.members[peer] != nil &&
		!t.network.blocked[[2]messages.Index{t.self, peer}] && !t.network.blocked[[2]messages.Index{peer, t.self}]
}

// Stop implements Transport.
func (t *memoryTransport) Stop() error {
	t.network.mu.Lock()
	if t.inbox == nil || t.network.members[t.self] != t {
		t.network.mu.Unlock()
		return nil
	}
	t.network.members[t.self] = nil
	for _, other := range t.network.running(t.self) {
		other.inbox.put(&PeerChange{Peer: t.self})
	}
	t.network.mu.Unlock()
	t.inbox.close()
	return nil
}

// inbox delivers what arrives, in order, from a goroutine of its own.
type inbox struct {
	mu      sync.Mutex
	ready   sync.Cond
	waiting []any
	closed  bool
	done    chan struct{}
}

func newInbox(deliver func(any)) *inbox {
	in := &inbox{done: make(chan struct{})}
	in.ready.L = &in.mu
	go func() {
		defer close(in.done)
		for {
			in.mu.Lock()
			for len(in.waiting) == 0 && !in.closed {
				in.ready.Wait()
			}
			batch := in.waiting
			in.waiting = nil
			closed := in.closed
			in.mu.Unlock()
			if closed {
				return
			}
			for _, m := range batch {
				deliver(m)
			}
		}
	}()
	return in
}

func (in *inbox) put(m any) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.waiting = append(in.waiting, m)
	in.ready.Signal()
}

func (in *inbox) close() {
	in.mu.Lock()
	in.closed = true
	in.mu.Unlock()
	in.ready.Signal()
	<-in.done
}
