package byzantine

import "github.com/cretoai/consensus/messages"

// DoubleVoting signs a second vote for another digest beside many a vote, in the
// same bundle or in one of its own.
func DoubleVoting() Behaviour { return &doubleVoting{} }

type doubleVoting struct {
	digests digests
}

// Send implements Behaviour.
func (d *doubleVoting) Send(m *Member, f Frame, pass func(Frame)) {
	message, ok := f.Message.(*messages.Bundles)
	if !ok {
		pass(f)
		return
	}
	d.digests.seeAll(message)
	for _, v := range ownVotes(m, message) {
		if v.Kind > messages.Checkpoint || !m.Often(300) {
			continue
		}
		lie := v
		lie.Digest = d.digests.other(m, v.Seq, v.Digest)
		votes := []messages.Vote{lie}
		if m.Often(500) {
			votes = []messages.Vote{v, lie}
		}
		if b := m.Seal(votes...); b != nil {
			pass(Frame{f.To, f.Lane, &messages.Bundles{Bundles: []*messages.Bundle{b}}})
		}
	}
	pass(f)
}

// Receive implements Behaviour.
func (d *doubleVoting) Receive(_ *Member, _ messages.Index, message messages.Message) bool {
	d.digests.seeAll(message)
	return true
}
