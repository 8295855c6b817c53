package byzantine

import (
	"github.com/cretoai/consensus/messages"
)

// LyingViewChanges claims what it likes when it leaves a view: not what it
// prepared, what it never did, other things to other members; and it asks for
// views nobody thinks of.
func LyingViewChanges() Behaviour { return &lyingViewChanges{} }

type lyingViewChanges struct {
	digests digests
}

// Send implements Behaviour.
func (l *lyingViewChanges) Send(m *Member, f Frame, pass func(Frame)) {
	switch message := f.Message.(type) {
	case *messages.ViewChangeMessage:
		if message.Bundle.From == m.Self() {
			if lie := viewChange(m, l.lie(m, message.Body)); lie != nil {
				f.Message = lie
			}
		}
	case *messages.Status:
		if m.Often(30) {
			if early := viewChange(m, l.lie(m, &messages.ViewChangeBody{View: message.View + 1, Low: message.Low, LowDigest: message.LowDigest})); early != nil {
				pass(Frame{f.To, f.Lane, early})
			}
		}
	}
	pass(f)
}

// Receive implements Behaviour.
func (l *lyingViewChanges) Receive(_ *Member, _ messages.Index, message messages.Message) bool {
	l.digests.seeAll(message)
	return true
}

// lie makes another body of a true one.
func (l *lyingViewChanges) lie(m *Member, truth *messages.ViewChangeBody) *messages.ViewChangeBody {
	lie := *truth
	switch m.IntN(8) {
	case 0: // nothing was prepared
		lie.Prepared = nil
	case 1: // nothing was even accepted
		lie.Prepared, lie.Accepted = nil, nil
	case 2: // something else was prepared, all over the window
		lie.Prepared, lie.Accepted = l.claims(m, truth, m.Params().Window)
	case 3: // or at one sequence
		lie.Prepared, lie.Accepted = l.claims(m, truth, 1)
	case 4: // from genesis
		lie.Low, lie.LowDigest = 0, messages.Digest{}
	case 5: // from a checkpoint nobody reached
		lie.Low, lie.LowDigest, lie.Prepared, lie.Accepted = truth.Low+m.Params().CheckpointInterval, m.Digest(), nil, nil
	case 6:
		lie.View += messages.View(m.IntN(4))
	}
	return &lie
}

// claims claims for sequences above the checkpoint that another digest than the
// true one was prepared, in the highest view there can be or in any other.
func (l *lyingViewChanges) claims(m *Member, truth *messages.ViewChangeBody, count messages.Seq) (prepared, accepted []messages.Claim) {
	at := truth.Low + 1
	if count == 1 {
		at += messages.Seq(m.IntN(int(m.Params().Window)))
	}
	for seq := at; seq < at+count; seq++ {
		c := messages.Claim{Seq: seq, View: messages.View(m.Uint64() % uint64(truth.View)), Digest: l.digests.other(m, seq, messages.Digest{})}
		if m.Often(600) {
			c.View = truth.View - 1
		}
		prepared, accepted = append(prepared, c), append(accepted, c)
	}
	return prepared, accepted
}

// viewChange signs a body, if it is one.
func viewChange(m *Member, body *messages.ViewChangeBody) messages.Message {
	if body.Validate() != nil {
		return nil
	}
	b := m.Seal(messages.Vote{Kind: messages.ViewChange, View: body.View, Digest: body.Digest()})
	if b == nil {
		return nil
	}
	return &messages.ViewChangeMessage{Bundle: b, Body: body}
}
