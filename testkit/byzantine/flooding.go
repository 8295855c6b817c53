package byzantine

import (
	"math"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
)

// Flooding sends, with every sign of life, lots of well-formed messages that
// make work or want room: votes near and far, requests, vertices nobody wanted.
func Flooding() Behaviour { return &flooding{} }

type flooding struct {
	honest
	low      messages.Seq
	invented int
}

// How much is sent with each Status, and how many vertices in all: what the
// cluster has executed in the end must have an end.
const (
	floodFrames      = 12
	floodVerticesMax = 200
)

// Send implements Behaviour.
func (l *flooding) Send(m *Member, f Frame, pass func(Frame)) {
	pass(f)
	if st, ok := f.Message.(*messages.Status); ok {
		l.low = st.Low
		for range floodFrames {
			if message := l.message(m); message != nil {
				pass(Frame{f.To, cluster.Lane(m.IntN(4)), message})
			}
		}
	}
}

func (l *flooding) message(m *Member) messages.Message {
	switch m.IntN(7) {
	case 0, 1:
		votes := make([]messages.Vote, 1+m.IntN(8))
		for i := range votes {
			votes[i] = l.vote(m)
		}
		if b := m.Seal(votes...); b != nil {
			return &messages.Bundles{Bundles: []*messages.Bundle{b}}
		}
	case 2:
		return &messages.FetchBatch{Digests: []messages.Digest{m.Digest()}}
	case 3:
		from := 1 + messages.Seq(m.IntN(int(l.low)+20))
		return &messages.FetchDecided{From: from, To: from + messages.Seq(m.IntN(64))}
	case 4:
		if l.invented < floodVerticesMax {
			l.invented++
			return m.inventForward()
		}
	case 5:
		return viewChange(m, &messages.ViewChangeBody{View: l.view(m)})
	case 6:
		return &messages.FetchViewChange{View: l.view(m), Member: m.Peer(), Digest: m.Digest()}
	}
	return nil
}

func (l *flooding) vote(m *Member) messages.Vote {
	v := messages.Vote{Kind: messages.Kinds[m.IntN(4)], View: messages.View(m.IntN(4)), Seq: l.low + messages.Seq(m.IntN(40)), Digest: m.Digest()}
	switch m.IntN(10) {
	case 0:
		v.Seq = messages.Seq(m.Uint64())
	case 1:
		v.Seq = math.MaxUint64 - messages.Seq(m.IntN(2))
	}
	if m.Often(100) {
		v.View = l.view(m)
	}
	if v.Kind == messages.Checkpoint {
		v.View = 0
	}
	return v
}

// view is one above, far above, or as high as there are views.
func (*flooding) view(m *Member) messages.View {
	return []messages.View{1, 2, 5, 1000, math.MaxUint64 - 1, math.MaxUint64}[m.IntN(6)]
}
