package byzantine

import (
	"slices"

	"github.com/cretoai/consensus/messages"
)

// LyingNewViews begins the views it leads with a list that does not follow from
// the ViewChanges: something left out, swapped, added, other lists for other
// members, too few ViewChanges.
func LyingNewViews() Behaviour { return &lyingNewViews{} }

type lyingNewViews struct {
	digests digests
}

// Send implements Behaviour.
func (l *lyingNewViews) Send(m *Member, f Frame, pass func(Frame)) {
	if message, ok := f.Message.(*messages.NewViewMessage); ok && message.Bundle.From == m.Self() {
		if lie := newView(m, l.lie(m, message.Body), message.Certificate); lie != nil {
			f.Message = lie
		}
	}
	pass(f)
}

// Receive implements Behaviour.
func (l *lyingNewViews) Receive(_ *Member, _ messages.Index, message messages.Message) bool {
	l.digests.seeAll(message)
	return true
}

// lie makes another body of a true one.
func (l *lyingNewViews) lie(m *Member, truth *messages.NewViewBody) *messages.NewViewBody {
	lie := *truth
	lie.List, lie.ViewChanges = slices.Clone(truth.List), slices.Clone(truth.ViewChanges)
	switch m.IntN(8) {
	case 0: // nothing was left open
		lie.List, lie.Marks = nil, nil
	case 1: // the last one was not
		if len(lie.List) > 0 {
			lie.List, lie.Marks = lie.List[:len(lie.List)-1], nil
		}
	case 2: // something else was chosen
		if n := len(lie.List); n > 0 {
			i := m.IntN(n)
			lie.List[i], lie.Marks = l.digests.other(m, lie.MinS+1+messages.Seq(i), lie.List[i]), nil
		}
	case 3: // and one more
		last := lie.Last() + 1
		lie.List = append(lie.List, l.digests.other(m, last, messages.NullDigest))
	case 4: // of too few
		lie.ViewChanges = lie.ViewChanges[:len(lie.ViewChanges)-1]
	case 5: // of one nobody sent
		lie.ViewChanges[m.IntN(len(lie.ViewChanges))].Digest = m.Digest()
	case 6: // on what nobody showed
		if n := len(lie.List); n > 0 {
			i := m.IntN(n)
			lie.Marks = []messages.Claim{{Seq: lie.MinS + 1 + messages.Seq(i), View: lie.View - 1, Digest: lie.List[i]}}
		}
	}
	return &lie
}

// newView signs a body, if it is one.
func newView(m *Member, body *messages.NewViewBody, certificate []*messages.Bundle) messages.Message {
	if body.Validate() != nil {
		return nil
	}
	b := m.Seal(messages.Vote{Kind: messages.NewView, View: body.View, Digest: body.Digest()})
	if b == nil {
		return nil
	}
	return &messages.NewViewMessage{Bundle: b, Body: body, Certificate: certificate}
}
