package byzantine

import (
	"time"

	"github.com/cretoai/consensus/messages"
)

// Skipping is a leader that leaves sequences out: its pre-prepares are for later
// ones than it is asked to order, as far as beyond the window, and so are its
// Commits.
func Skipping() Behaviour { return &skipping{} }

type skipping struct {
	honest
	until time.Time
	by    messages.Seq
}

// Send implements Behaviour.
func (s *skipping) Send(m *Member, f Frame, pass func(Frame)) {
	if now := m.Now(); !now.Before(s.until) {
		s.until = now.Add(time.Duration(100+m.IntN(900)) * time.Millisecond)
		s.by = messages.Seq(m.IntN(3)) * messages.Seq(m.IntN(int(m.Params().Window)+2))
	}
	message, ok := f.Message.(*messages.Bundles)
	if !ok || s.by == 0 {
		pass(f)
		return
	}
	out := revote(m, message, func(v messages.Vote) (messages.Vote, bool) {
		if v.Kind == messages.PrePrepare || v.Kind == messages.Commit {
			v.Seq += s.by
		}
		return v, true
	})
	if out != nil {
		f.Message = out
		pass(f)
	}
}
