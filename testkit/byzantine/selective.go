package byzantine

import (
	"time"

	"github.com/cretoai/consensus/messages"
)

// Selective talks to some members only, at a time, and to others only of some
// things.
func Selective() Behaviour { return &selective{} }

type selective struct {
	honest
	until time.Time
	deaf  []uint32 // by member: the kinds of frames it is not sent, a bitmap
}

// Send implements Behaviour.
func (s *selective) Send(m *Member, f Frame, pass func(Frame)) {
	if now := m.Now(); !now.Before(s.until) {
		s.until = now.Add(time.Duration(100+m.IntN(1500)) * time.Millisecond)
		s.deaf = make([]uint32, m.N())
		for i := range s.deaf {
			switch m.IntN(3) {
			case 0:
				s.deaf[i] = ^uint32(0)
			case 1:
				s.deaf[i] = uint32(m.Uint64())
			}
		}
	}
	if s.deaf[f.To]&(1<<f.Message.FrameKind()) == 0 {
		pass(f)
	}
}

// Censoring loses the vertices of some creators that others pass on to it.
func Censoring() Behaviour { return censoring{} }

type censoring struct{ honest }

// Receive implements Behaviour. A frame with a victim's vertex is lost whole.
func (censoring) Receive(m *Member, _ messages.Index, message messages.Message) bool {
	forward, ok := message.(*messages.Forward)
	if !ok {
		return true
	}
	for rest := forward.Vertices; len(rest) > 0; {
		v, size, err := messages.ParseVertex(rest)
		if err != nil {
			return true
		}
		if creator := v.Creator(); (creator[1]^byte(m.Self()))&1 == 0 {
			return false
		}
		rest = rest[size:]
	}
	return true
}
