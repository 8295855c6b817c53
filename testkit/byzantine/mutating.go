package byzantine

import (
	"github.com/cretoai/consensus/messages"
)

// Mutating changes a little of what it sends, step by step, and signs it again:
// a view or sequence one up or down, another digest or kind, a vote left out.
// Small changes of valid messages find what big lies do not (ByzzFuzz,
// OOPSLA 2023).
func Mutating(of1000 int) Behaviour { return &mutating{of1000: of1000} }

type mutating struct {
	of1000  int
	digests digests
	views   lyingViewChanges
	lists   lyingNewViews
}

// Receive implements Behaviour.
func (u *mutating) Receive(_ *Member, _ messages.Index, message messages.Message) bool {
	u.digests.seeAll(message)
	return true
}

// Send implements Behaviour.
func (u *mutating) Send(m *Member, f Frame, pass func(Frame)) {
	u.digests.seeAll(f.Message)
	if !m.Often(u.of1000) {
		pass(f)
		return
	}
	if m.Often(200) {
		return // lost
	}
	if message := u.mutate(m, f.Message); message != nil {
		f.Message = message
		pass(f)
	}
}

func (u *mutating) mutate(m *Member, message messages.Message) messages.Message {
	switch t := message.(type) {
	case *messages.Bundles:
		if out := revote(m, t, func(v messages.Vote) (messages.Vote, bool) { return u.vote(m, v) }); out != nil {
			return out
		}
		return nil
	case *messages.ViewChangeMessage:
		if t.Bundle.From == m.Self() {
			return viewChange(m, u.views.lie(m, t.Body))
		}
	case *messages.NewViewMessage:
		if t.Bundle.From == m.Self() {
			return newView(m, u.lists.lie(m, t.Body), t.Certificate)
		}
	case *messages.Decided:
		d := *t
		d.Seq, d.View = nudge(m, d.Seq), nudge(m, d.View)
		return &d
	case *messages.StableCheckpoint:
		k := *t
		k.Seq = nudge(m, k.Seq)
		return &k
	case *messages.Status:
		st := *t
		st.View, st.Executed = nudge(m, st.View), max(nudge(m, st.Executed), st.Low)
		return &st
	case *messages.FetchDecided:
		return &messages.FetchDecided{From: nudge(m, t.From), To: nudge(m, t.To)}
	}
	return message
}

func (u *mutating) vote(m *Member, v messages.Vote) (messages.Vote, bool) {
	if v.Kind > messages.Checkpoint {
		return v, true // its body names it
	}
	switch m.IntN(7) {
	case 0:
		return v, false
	case 1:
		v.Digest = u.digests.other(m, v.Seq, v.Digest)
	case 2:
		v.Seq = nudge(m, v.Seq)
	case 3:
		if v.Kind != messages.Checkpoint {
			v.View = nudge(m, v.View)
		}
	case 4:
		if v.Kind != messages.Checkpoint {
			v.Kind = messages.Kinds[m.IntN(3)]
		}
	}
	return v, true
}

// nudge moves a number up or down by one.
func nudge[T ~uint64](m *Member, n T) T {
	if m.Often(500) || n == 0 {
		return n + 1
	}
	return n - 1
}
