package byzantine

import (
	"slices"
	"sync"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// Config is what a member is and may use. Rand need not be safe for concurrent
// use.
type Config struct {
	Self    messages.Index
	Genesis *messages.Genesis
	Keyring *crypto.Keyring
	Key     crypto.PrivateKey
	Clock   runtime.Clock
	Rand    runtime.Rand
	// Creator signs the vertices the member invents, on a chain that requires that.
	Creator crypto.PrivateKey
}

// Frame is a message on its way out.
type Frame struct {
	To      messages.Index
	Lane    cluster.Lane
	Message messages.Message
}

// Behaviour is one way to misbehave. Calls of one member's behaviours never
// overlap.
type Behaviour interface {
	// Send sees what is about to leave, and passes on what goes in its place:
	// the same, another, several, or nothing.
	Send(m *Member, f Frame, pass func(Frame))
	// Receive sees what arrives, before the honest replica does, and reports
	// whether that gets it.
	Receive(m *Member, from messages.Index, message messages.Message) bool
}

// Member is a member that misbehaves, through all lives of its replica.
type Member struct {
	cfg Config
	n   int

	mu         sync.Mutex
	behaviours []Behaviour
	inner      cluster.Transport // of the present life
	invented   uint64            // vertices
}

// New makes a member out of an honest one. Behaviours keep state: each belongs
// to one member.
func New(cfg Config, behaviours ...Behaviour) *Member {
	return &Member{cfg: cfg, n: cfg.Genesis.N(), behaviours: behaviours}
}

// Behave replaces the member's behaviours; without any it is honest.
func (m *Member) Behave(behaviours ...Behaviour) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.behaviours = behaviours
}

// Transport puts the member's behaviours between an honest replica and the
// network, for one life of the replica.
func (m *Member) Transport(inner cluster.Transport) cluster.Transport {
	return &edge{Transport: inner, member: m}
}

// edge is the transport an honest replica is given.
type edge struct {
	cluster.Transport
	member *Member
}

// Start implements cluster.Transport.
func (e *edge) Start(deliver func(any)) error {
	e.member.mu.Lock()
	e.member.inner = e.Transport
	e.member.mu.Unlock()
	return e.Transport.Start(func(msg any) {
		if in, ok := msg.(*cluster.Inbound); ok && !e.member.receive(in) {
			in.Release()
			return
		}
		deliver(msg)
	})
}

// Send implements cluster.Transport.
func (e *edge) Send(to messages.Index, lane cluster.Lane, frame []byte) {
	m := e.member
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.behaviours) == 0 {
		e.Transport.Send(to, lane, frame)
		return
	}
	message, err := messages.DecodeFrame(frame)
	if err != nil {
		e.Transport.Send(to, lane, frame) // of a kind this package does not know
		return
	}
	m.through(0, Frame{to, lane, message})
}

// through passes a frame to the i-th behaviour and those after it, and at last
// to the network.
func (m *Member) through(i int, f Frame) {
	if i >= len(m.behaviours) { // fewer than when a delayed frame began its way, perhaps
		m.Send(f)
		return
	}
	m.behaviours[i].Send(m, f, func(f Frame) { m.through(i+1, f) })
}

func (m *Member) receive(in *cluster.Inbound) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.behaviours) == 0 {
		return true
	}
	message, err := messages.DecodeFrame(in.Frame)
	if err != nil {
		return true
	}
	if len(m.behaviours) > 0 && m.speaksOf(message) {
		return false // the honest replica inside would find its key abused, and stop
	}
	for _, b := range m.behaviours {
		if !b.Receive(m, in.From, message) {
			return false
		}
	}
	return true
}

// speaksOf reports whether a message brings the member's own votes back.
func (m *Member) speaksOf(message messages.Message) bool {
	switch message := message.(type) {
	case *messages.Evidence:
		return message.Member == m.cfg.Self
	case *messages.Bundles:
		return slices.ContainsFunc(message.Bundles, func(b *messages.Bundle) bool { return b.From == m.cfg.Self })
	}
	return false
}

// What behaviours may do. They are called with the member locked.

// Self is the member's own index.
func (m *Member) Self() messages.Index { return m.cfg.Self }

// N is the number of members.
func (m *Member) N() int { return m.n }

// Params are the chain's.
func (m *Member) Params() messages.Params { return m.cfg.Genesis.Params }

// Send puts a message on the network, past all behaviours. One that no decoder
// would take is not sent: a member can do that, too, but it is a matter of fuzz
// targets.
func (m *Member) Send(f Frame) {
	if m.inner == nil || f.To == m.cfg.Self || int(f.To) >= m.n {
		return
	}
	if frame, err := messages.EncodeFrame(f.Message); err == nil {
		m.inner.Send(f.To, f.Lane, frame)
	}
}

// Broadcast sends a message to all others.
func (m *Member) Broadcast(lane cluster.Lane, message messages.Message) {
	for to := range m.n {
		m.Send(Frame{messages.Index(to), lane, message})
	}
}

// After calls f later, with the member locked.
func (m *Member) After(d time.Duration, f func()) {
	m.cfg.Clock.AfterFunc(d, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		f()
	})
}

// Now is the time.
func (m *Member) Now() time.Time { return m.cfg.Clock.Now() }

// Uint64 draws any number.
func (m *Member) Uint64() uint64 { return m.cfg.Rand.Uint64() }

// IntN draws from 0 to n−1.
func (m *Member) IntN(n int) int { return int(m.cfg.Rand.Uint64() % uint64(n)) }

// Often is true so many times of 1000.
func (m *Member) Often(of1000 int) bool { return m.IntN(1000) < of1000 }

// Peer draws another member.
func (m *Member) Peer() messages.Index {
	p := m.IntN(m.n - 1)
	if p >= int(m.cfg.Self) {
		p++
	}
	return messages.Index(p)
}

// Digest draws one that is nothing's.
func (m *Member) Digest() (d messages.Digest) {
	for i := 0; i < len(d); i += 8 {
		for j, w := 0, m.Uint64(); j < 8; j, w = j+1, w>>8 {
			d[i+j] = byte(w)
		}
	}
	return d
}

// Seal signs votes with the member's key, whatever they say. It gives nil for
// votes no bundle holds.
func (m *Member) Seal(votes ...messages.Vote) *messages.Bundle {
	b, _, err := crypto.Seal(m.cfg.Keyring, m.cfg.Self, m.cfg.Key, votes)
	if err != nil {
		return nil
	}
	return b
}
