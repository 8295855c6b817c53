package byzantine

import (
	"bytes"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// StateLie is a way to serve a state transfer badly.
type StateLie uint8

// The ways.
const (
	WrongParts     StateLie = iota // parts of other bytes
	EndlessParts                   // parts nobody asked for, again and again
	StalledParts                   // no answer
	WrongManifests                 // hashes that are not of the state
	BoastsOfState                  // of snapshots there are none of, and of a ledger without a beginning
	stateLies
)

// LyingState serves a state transfer badly, in the given ways, or in all.
func LyingState(ways ...StateLie) Behaviour {
	if len(ways) == 0 {
		for way := range stateLies {
			ways = append(ways, way)
		}
	}
	return &lyingState{ways: ways}
}

type lyingState struct {
	ways []StateLie
	last *messages.Chunk
}

// endlessChunks is how many chunks are sent for each that was asked for.
const endlessChunks = 20

// Send implements Behaviour.
func (l *lyingState) Send(m *Member, f Frame, pass func(Frame)) {
	way := l.ways[m.IntN(len(l.ways))]
	switch message := f.Message.(type) {
	case *messages.Chunk:
		l.serve(m, way, f, message, pass)
		return
	case *messages.Manifest:
		switch way {
		case StalledParts:
			return
		case WrongManifests:
			f.Message = wrongManifest(m, message)
		}
	case *messages.Retained:
		if way == BoastsOfState {
			lie := *message
			lie.First += messages.Seq(m.IntN(1000))
			lie.Snapshot += messages.Seq(m.IntN(1000))
			f.Message = &lie
		}
	}
	pass(f)
}

func (l *lyingState) serve(m *Member, way StateLie, f Frame, truth *messages.Chunk, pass func(Frame)) {
	switch way {
	case WrongParts:
		lie := *truth
		lie.Parts = slices.Clone(truth.Parts)
		part := bytes.Clone(lie.Parts[m.IntN(len(lie.Parts))])
		part[m.IntN(len(part))] ^= 1 << m.IntN(8)
		lie.Parts[m.IntN(len(lie.Parts))] = part
		f.Message = &lie
	case EndlessParts:
		if l.last == nil {
			l.last = truth
		}
		for range endlessChunks {
			again := f
			again.Message = l.last
			pass(again)
		}
		return
	case StalledParts:
		return
	}
	pass(f)
}

func wrongManifest(m *Member, truth *messages.Manifest) *messages.Manifest {
	lie := *truth
	switch m.IntN(4) {
	case 0:
		lie.Head = m.Digest()
	case 1:
		lie.Vertices++
	case 2:
		lie.App = append([]messages.BucketParts(nil), truth.App...)
		if n := len(lie.App); n > 0 {
			at := m.IntN(n)
			lie.App[at].Parts = append([]messages.Digest{m.Digest()}, lie.App[at].Parts[1:]...)
		}
	case 3:
		lie.Clients = nil
	}
	return &lie
}

// Receive implements Behaviour.
func (l *lyingState) Receive(*Member, messages.Index, messages.Message) bool { return true }
