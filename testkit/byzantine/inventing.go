package byzantine

import (
	"bytes"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// Inventor is the first byte of the creators under which members invent
// vertices; the second is the member. Where creators sign, see InventorOf.
const Inventor = 0xbb

// InventorOf is the creator under which a member invents vertices. key is its
// Config.Creator, for a chain that requires signatures.
func InventorOf(g *messages.Genesis, member messages.Index, key crypto.PrivateKey) [32]byte {
	if !g.Params.RequireVertexSignatures {
		return [32]byte{Inventor, byte(member)}
	}
	return messages.NewCreatorID(g.Scheme, key.Public().Bytes())
}

// Invent makes a vertex no client proposed, and signs it if the chain requires
// that: as good as any client's.
func (m *Member) Invent() ([]byte, messages.Seal) {
	m.invented++
	v := messages.Vertex{
		Payload: []byte("invented"), Creator: InventorOf(m.cfg.Genesis, m.cfg.Self, m.cfg.Creator), Nonce: m.invented, Expires: 1 << 19,
	}
	encoded := encode(v)
	if !m.Params().RequireVertexSignatures {
		return encoded, messages.Seal{}
	}
	g, err := crypto.SignGroup(m.cfg.Creator, m.cfg.Keyring.Chain(), []messages.Digest{messages.HashVertex(encoded)})
	if err != nil {
		panic(err) // a key that cannot sign is none
	}
	return encoded, messages.Seal{Group: g}
}

// Forge makes a vertex in the name of another's creator, with what its signature
// may be if one does not have its key: its own over something else, or the
// member's. Its nonce is one of the next, with which it would be executed.
func (m *Member) Forge(victim messages.Grant, of messages.VertexView) ([]byte, messages.Seal) {
	m.invented++
	nonce := of.Nonce() + 1 + m.invented%64
	encoded := encode(messages.Vertex{Payload: []byte("forged in another's name"), Creator: of.Creator(), Nonce: nonce, Expires: 1 << 19})
	g, err := crypto.SignGroup(m.cfg.Creator, m.cfg.Keyring.Chain(), []messages.Digest{messages.HashVertex(encoded)})
	if err != nil {
		panic(err)
	}
	if m.Often(500) {
		g.Key = bytes.Clone(victim.Key)
	}
	if m.Often(500) {
		g.Signature = bytes.Clone(victim.Signature)
	}
	return encoded, messages.Seal{Group: g}
}

// inventForward passes an invented vertex on.
func (m *Member) inventForward() *messages.Forward {
	v, seal := m.Invent()
	section, err := messages.AppendAuthorisation(nil, [][]byte{v}, []messages.Digest{messages.HashVertex(v)}, []messages.Seal{seal})
	if err != nil {
		panic(err) // one vertex is sealed or not
	}
	return &messages.Forward{Vertices: v, Authorisation: section}
}

func encode(v messages.Vertex) []byte {
	b, err := v.Encode()
	if err != nil {
		panic(err) // all its parts are legal
	}
	return b
}

// twin makes another batch of a batch's vertices: without the first, the others
// the other way round, and before them one more. It gives nil if that is too large.
func (m *Member) twin(batch *messages.Batch, extra []byte, seal messages.Seal) *messages.Batch {
	vertices, seals := [][]byte{extra}, []messages.Seal{seal}
	before := messages.Seals(batch.Grants(), batch.Len())
	for i := batch.Len() - 1; i > 0; i-- {
		vertices = append(vertices, batch.Vertex(i).Bytes())
		if before != nil {
			seals = append(seals, before[i])
		}
	}
	if before == nil {
		seals = nil
	}
	hashes := make([]messages.Digest, len(vertices))
	for i, v := range vertices {
		hashes[i] = messages.HashVertex(v)
	}
	twin, err := messages.BuildSealedBatch(vertices, hashes, seals, m.Params())
	if err != nil {
		return nil
	}
	return twin
}
