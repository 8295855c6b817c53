package byzantine

import (
	"github.com/cretoai/consensus/messages"
)

// ForgingVertices is a leader that puts a vertex into each of its batches that
// bears a client's name and not its signature, and stands by these batches in
// all its votes. On a chain that requires signatures no correct member may touch
// one.
func ForgingVertices() Behaviour {
	return &forgingVertices{twins: make(map[messages.Digest]*messages.Batch)}
}

type forgingVertices struct {
	honest
	twins map[messages.Digest]*messages.Batch // by the digest the honest replica proposed
}

// Send implements Behaviour.
func (g *forgingVertices) Send(m *Member, f Frame, pass func(Frame)) {
	switch message := f.Message.(type) {
	case *messages.BatchBody:
		if twin := g.twinOf(m, message.Body); twin != nil {
			f.Message = &messages.BatchBody{Body: twin.Bytes()}
		}
	case *messages.Bundles:
		out := revote(m, message, func(v messages.Vote) (messages.Vote, bool) {
			if twin := g.twins[v.Digest]; twin != nil && v.Kind <= messages.Commit {
				v.Digest = twin.Digest()
			}
			return v, true
		})
		if out == nil {
			return
		}
		f.Message = out
	}
	pass(f)
}

func (g *forgingVertices) twinOf(m *Member, body []byte) *messages.Batch {
	batch, err := messages.ParseBatch(body, m.Params())
	if err != nil || len(batch.Grants()) == 0 {
		return nil
	}
	if twin, known := g.twins[batch.Digest()]; known {
		return twin
	}
	forged, seal := m.Forge(batch.Grants()[0], batch.Vertex(0))
	g.twins[batch.Digest()] = m.twin(batch, forged, seal)
	return g.twins[batch.Digest()]
}
