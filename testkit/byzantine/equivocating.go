package byzantine

import (
	"github.com/cretoai/consensus/messages"
)

// Equivocating is a leader that gives one sequence two batches: some members
// hear of one, some of the other, some of both. It stands by each of them in
// every later vote, towards those it told of it.
func Equivocating() Behaviour {
	return &equivocating{twins: make(map[messages.Digest]*twin)}
}

type equivocating struct {
	honest
	twins map[messages.Digest]*twin // by the digest the honest replica proposed
}

// twin is the second batch of a sequence.
type twin struct {
	batch *messages.Batch
	side  []hears // by member
}

// hears says which batches a member is told of.
type hears uint8

const (
	first hears = iota
	second
	both
)

// Send implements Behaviour.
func (e *equivocating) Send(m *Member, f Frame, pass func(Frame)) {
	switch message := f.Message.(type) {
	case *messages.BatchBody:
		t := e.twinOf(m, message.Body)
		if t == nil || t.side[f.To] != second {
			pass(f)
		}
		if t != nil && t.side[f.To] != first {
			f.Message = &messages.BatchBody{Body: t.batch.Bytes()}
			pass(f)
		}
	case *messages.Bundles:
		for _, tellTwin := range []bool{false, true} {
			if out := revote(m, message, func(v messages.Vote) (messages.Vote, bool) { return e.vote(v, f.To, tellTwin) }); out != nil {
				pass(Frame{f.To, f.Lane, out})
			}
		}
	default:
		pass(f)
	}
}

// vote gives what is said to a member instead of a vote, to whom a vote is said
// at most twice: once for the first batch, once for its twin.
func (e *equivocating) vote(v messages.Vote, to messages.Index, tellTwin bool) (messages.Vote, bool) {
	t := e.twins[v.Digest]
	if t == nil || v.Kind > messages.Commit {
		return v, !tellTwin
	}
	if tellTwin {
		v.Digest = t.batch.Digest()
		return v, t.side[to] != first
	}
	return v, t.side[to] != second
}

// twinOf makes the twin of a batch: the same vertices but one, in another order,
// and an invented one, or one forged in a creator's name where creators sign.
// Now and then a batch has none.
func (e *equivocating) twinOf(m *Member, body []byte) *twin {
	batch, err := messages.ParseBatch(body, m.Params())
	if err != nil {
		return nil
	}
	t, known := e.twins[batch.Digest()]
	if known {
		return t
	}
	e.twins[batch.Digest()] = nil
	if m.Often(300) {
		return nil
	}
	extra, seal := m.Invent()
	if grants := batch.Grants(); len(grants) > 0 && m.Often(400) {
		extra, seal = m.Forge(grants[0], batch.Vertex(0))
	}
	t = &twin{side: make([]hears, m.N())}
	if t.batch = m.twin(batch, extra, seal); t.batch == nil {
		return nil
	}
	for i := range t.side {
		t.side[i] = []hears{first, first, second, second, second, both}[m.IntN(6)]
	}
	e.twins[batch.Digest()] = t
	return t
}
