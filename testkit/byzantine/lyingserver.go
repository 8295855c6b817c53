package byzantine

import (
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
)

// LyingServer boasts of what it has, so that it is asked, and serves what is
// wrong: another sequence's batch, the same again, half of it, or nothing.
func LyingServer() Behaviour { return &lyingServer{} }

type lyingServer struct {
	decided []*messages.Decided
	last    []byte // a batch
}

// Send implements Behaviour.
func (l *lyingServer) Send(m *Member, f Frame, pass func(Frame)) {
	switch message := f.Message.(type) {
	case *messages.Status:
		f.Message = l.boast(m, message)
	case *messages.Decided:
		if len(l.decided) < heardMax {
			l.decided = append(l.decided, message)
		}
		l.serveDecided(m, f, message, pass)
		if len(message.Body) > 0 && m.Often(500) {
			l.last = message.Body
		}
		return
	case *messages.BatchBody:
		if l.last == nil || m.Often(300) {
			l.last = message.Body
		}
		if m.Often(300) {
			f.Message = &messages.BatchBody{Body: l.last}
		}
	case *messages.StableCheckpoint:
		if m.Often(300) {
			return
		}
	}
	pass(f)
}

// serveDecided answers a request with the truth, sometimes.
func (l *lyingServer) serveDecided(m *Member, f Frame, truth *messages.Decided, pass func(Frame)) {
	lie := *truth
	switch m.IntN(6) {
	case 0:
		return
	case 1:
		lie = *l.decided[m.IntN(len(l.decided))]
	case 2:
		lie.Seq += messages.Seq(m.IntN(3))
	case 3:
		if l.last != nil && lie.Digest != messages.NullDigest {
			lie.Body = l.last
		}
	case 4:
		lie.Certificate = lie.Certificate[:1+m.IntN(len(lie.Certificate))]
	}
	f.Message = &lie
	pass(f)
}

// Receive implements Behaviour. Some requests are not even heard, and some are
// answered at once with whatever is at hand.
func (l *lyingServer) Receive(m *Member, from messages.Index, message messages.Message) bool {
	switch message.(type) {
	case *messages.FetchBatch, *messages.FetchDecided, *messages.FetchViewChange, *messages.FetchPrepared:
		if len(l.decided) > 0 && m.Often(200) {
			m.Send(Frame{from, cluster.LaneBulk, l.decided[m.IntN(len(l.decided))]})
		}
		return m.Often(600)
	}
	return true
}

// boast tells of more than there is. The digests of what nobody has are
// nothing's.
func (l *lyingServer) boast(m *Member, st *messages.Status) messages.Message {
	lie := *st
	switch m.IntN(6) {
	case 0:
		lie.Executed += messages.Seq(1 + m.IntN(1000))
		lie.LedgerHead, lie.Slots = m.Digest(), nil
	case 1:
		lie.Low += messages.Seq(1 + m.IntN(1000))
		lie.Executed = max(lie.Executed, lie.Low)
		lie.LowDigest, lie.LedgerHead, lie.Slots, lie.Checkpoints = m.Digest(), m.Digest(), nil, nil
	case 2:
		lie.View += messages.View(1 + m.IntN(3))
	case 3:
		lie.Suspects, lie.Suspicion = lie.View, messages.SuspicionOwn
	case 4:
		lie.Slots = append([]messages.SlotHeld(nil), st.Slots...)
		for i := range lie.Slots {
			lie.Slots[i].Prepares, lie.Slots[i].Commits = m.Uint64(), m.Uint64()
			lie.Slots[i].HasBatch = m.Often(500)
		}
	}
	return &lie
}
