package byzantine

import "github.com/cretoai/consensus/messages"

// Overvoting is a leader that prepares what it proposes like any other member, and
// commits it at once: whoever counts it twice needs fewer others.
func Overvoting() Behaviour { return overvoting{} }

type overvoting struct{ honest }

// Send implements Behaviour. The votes are in bundles of their own, or a bundle
// with two first votes for one place might be refused whole.
func (overvoting) Send(m *Member, f Frame, pass func(Frame)) {
	pass(f)
	for _, v := range ownVotes(m, f.Message) {
		if v.Kind != messages.PrePrepare {
			continue
		}
		for _, kind := range []messages.Kind{messages.Prepare, messages.Commit} {
			v.Kind = kind
			if b := m.Seal(v); b != nil {
				pass(Frame{f.To, f.Lane, &messages.Bundles{Bundles: []*messages.Bundle{b}}})
			}
		}
	}
}
