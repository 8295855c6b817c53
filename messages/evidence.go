package messages

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Evidence carries the proof that a member signed two digests for one place,
// which no correct member does. It needs nothing beside the genesis to be
// judged: it travels, is stored and is handed out as a file in one form, its
// frame. [E2]
//
// The smaller digest comes first. Where one bundle holds both votes it stands
// alone; of two, each holds the vote for its digest and not the other one.
type Evidence struct {
	Member  Index
	Kind    Kind
	View    View
	Seq     Seq
	Digests [2]Digest
	Bundles []*Bundle // one or two
}

// EvidenceFileEnding ends the name of every file that holds evidence.
const EvidenceFileEnding = ".evidence"

// FileName is what a file with the evidence is called: who lied, and where.
func (m *Evidence) FileName() string {
	return fmt.Sprintf("member-%d-%v-view-%d-seq-%d%s", m.Member, m.Kind, m.View, m.Seq, EvidenceFileEnding)
}

// Vote is the i-th of the two votes in conflict.
func (m *Evidence) Vote(i int) Vote {
	return Vote{Kind: m.Kind, View: m.View, Seq: m.Seq, Digest: m.Digests[i]}
}

// Epoch is the membership whose member signed.
func (m *Evidence) Epoch() Epoch { return m.Bundles[0].Epoch }

// FrameKind implements Message.
func (*Evidence) FrameKind() FrameKind { return FrameEvidence }

// Validate implements Message. Whether the signatures hold is for package
// detector to say.
func (m *Evidence) Validate() error {
	if m.Member >= MembersMax {
		return fmt.Errorf("evidence is against a member below %d, not %d", MembersMax, m.Member)
	}
	for i := range m.Digests {
		if err := m.Vote(i).Validate(); err != nil {
			return err
		}
	}
	if bytes.Compare(m.Digests[0][:], m.Digests[1][:]) >= 0 {
		return errors.New("evidence names two different digests, the smaller first")
	}
	if len(m.Bundles) == 0 || len(m.Bundles) > len(m.Digests) {
		return fmt.Errorf("evidence holds one or two bundles, not %d", len(m.Bundles))
	}
	if err := validateBundles(m.Bundles); err != nil {
		return err
	}
	for i, b := range m.Bundles {
		switch {
		case b.From != m.Member:
			return fmt.Errorf("evidence against member %d holds a bundle of member %d", m.Member, b.From)
		case b.Epoch != m.Epoch():
			return fmt.Errorf("evidence of epoch %d holds a bundle of epoch %d", m.Epoch(), b.Epoch)
		}
		for j := range m.Digests {
			want := len(m.Bundles) == 1 || i == j
			if slices.Contains(b.Votes, m.Vote(j)) != want {
				return fmt.Errorf("bundle %d of %d holds other votes than evidence of %v needs", i, len(m.Bundles), m.Vote(j))
			}
		}
	}
	return nil
}

func (m *Evidence) size() int {
	return 4*numberBytesMax + 2*digestBytes + headBytesMax + bundlesSize(m.Bundles)
}

func (m *Evidence) encodeFields(w *frameWriter) {
	w.uint(uint64(m.Member))
	w.uint(uint64(m.Kind))
	w.uint(uint64(m.View))
	w.uint(uint64(m.Seq))
	w.digest(m.Digests[0])
	w.digest(m.Digests[1])
	w.bundles(m.Bundles)
}

func (m *Evidence) decodeFields(r *frameReader) {
	m.Member = Index(r.uintMax(MembersMax - 1))
	m.Kind = Kind(r.uintMax(math.MaxUint8))
	m.View = View(r.uint())
	m.Seq = Seq(r.uint())
	m.Digests[0] = r.digest()
	m.Digests[1] = r.digest()
	m.Bundles = r.bundles(len(m.Digests))
}
