package actors

import (
	"bytes"
	"fmt"

	"github.com/cretoai/consensus/messages"
)

// gathering is a selection of entries that travels together, as a batch or a
// Forward, in at most so many bytes, its authorisation included.
type gathering struct {
	bytesMax int
	vertices [][]byte
	hashes   []messages.Digest
	seals    []messages.Seal // nil on a chain without creators' signatures
	bytes    int             // of the vertices
	sealing  messages.Sealing
}

func newGathering(capacity, bytesMax int) *gathering {
	return &gathering{
		bytesMax: bytesMax,
		vertices: make([][]byte, 0, capacity), hashes: make([]messages.Digest, 0, capacity),
	}
}

// begin empties a gathering to use it again.
func (g *gathering) begin(bytesMax int) {
	clear(g.vertices) // whoever is gone must not stay in memory
	*g = gathering{bytesMax: bytesMax, vertices: g.vertices[:0], hashes: g.hashes[:0]}
}

// size is what all takes once an entry is added.
func (g *gathering) size(e *entry) int {
	return g.bytes + len(e.bytes) + g.sealing.Size() + g.sealing.Cost(e.seal)
}

// add takes an entry and reports whether it fits.
func (g *gathering) add(e *entry) bool {
	if g.size(e) > g.bytesMax {
		return false
	}
	g.bytes += len(e.bytes)
	g.vertices, g.hashes = append(g.vertices, e.bytes), append(g.hashes, e.hash)
	if e.seal.Group != nil {
		g.sealing.Add(e.seal)
		g.seals = append(g.seals, e.seal)
	}
	return true
}

// into puts what was gathered into a Forward.
func (g *gathering) into(m *messages.Forward) {
	section, err := messages.AppendAuthorisation(nil, g.vertices, g.hashes, g.seals)
	if err != nil {
		panic(fmt.Sprintf("the pool of one chain holds both: %v", err))
	}
	m.Vertices, m.Authorisation = bytes.Join(g.vertices, nil), section
}

// fitsAlone reports whether a vertex, with what authorises it, fits into a batch:
// one that does not would wait for ever, and keep others waiting.
func fitsAlone(size int, seal messages.Seal, p messages.Params) error {
	var s messages.Sealing
	if size += s.Cost(seal); size > int(p.BatchBytes)-messages.BatchHeaderBytes {
		return fmt.Errorf("a vertex of %d bytes, its signature included, fits no batch", size)
	}
	return nil
}
