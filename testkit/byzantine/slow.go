package byzantine

import (
	"time"

	"github.com/cretoai/consensus/messages"
)

// Slow sends everything late by as much: just below a timeout it is a leader
// that nobody suspects and that costs everyone dearly.
func Slow(by time.Duration) Behaviour { return &slow{by: by} }

type slow struct {
	honest
	by time.Duration
}

// Send implements Behaviour. Signs of life are in time.
func (s *slow) Send(m *Member, f Frame, pass func(Frame)) {
	if _, alive := f.Message.(*messages.Status); alive {
		pass(f)
		return
	}
	m.After(s.by, func() { pass(f) })
}
