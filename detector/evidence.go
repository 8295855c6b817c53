package detector

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// Evidence proves that a member signed two digests for one place, which no
// correct member does. It is complete: VerifyEvidence judges it with nothing
// but the members' public keys. There is one form of it: the vote for the
// smaller digest comes first. [E2]
type Evidence struct {
	Member messages.Index
	Kind   messages.Kind
	View   messages.View
	Seq    messages.Seq
	// Digests are the two digests, ascending.
	Digests [2]messages.Digest
	// Bundles hold the votes for Digests[0] and Digests[1]. Both votes may be
	// in one bundle, which then stands here twice. They are shared: do not
	// change them.
	Bundles [2]*messages.Bundle
}

func (e Evidence) String() string {
	return fmt.Sprintf("member %d signed two %vs at view %d, seq %d: %v and %v",
		e.Member, e.Kind, e.View, e.Seq, e.Digests[0], e.Digests[1])
}

// Equivocation makes evidence of two verified votes if they are proof: of one
// member, for one epoch, kind, view and sequence, but for different digests.
// The same vote signed anew is no proof, signatures being hedged; nor is
// another vote elsewhere. [E2, E3]
func Equivocation(a, b crypto.Verified[messages.Vote]) (Evidence, bool) {
	if !a.Valid() || !b.Valid() || a.From() != b.From() || a.Bundle().Epoch != b.Bundle().Epoch {
		return Evidence{}, false
	}
	va, vb := a.Value(), b.Value()
	order := bytes.Compare(va.Digest[:], vb.Digest[:])
	if order == 0 || placeOf(va) != placeOf(vb) {
		return Evidence{}, false
	}
	if order > 0 {
		a, b, va, vb = b, a, vb, va
	}
	return Evidence{
		Member: a.From(), Kind: va.Kind, View: va.View, Seq: va.Seq,
		Digests: [2]messages.Digest{va.Digest, vb.Digest},
		Bundles: [2]*messages.Bundle{a.Bundle(), b.Bundle()},
	}, true
}

var errDigestOrder = errors.New("evidence names two different digests, the smaller first")

// VerifyEvidence judges evidence from anywhere by the members' public keys
// alone; nil means that the member lied. It checks at most two signatures, and
// those last. An error of a signature or a membership wraps *crypto.BundleError.
func VerifyEvidence(k *crypto.Keyring, e Evidence) error {
	if bytes.Compare(e.Digests[0][:], e.Digests[1][:]) >= 0 {
		return errDigestOrder
	}
	for i, b := range e.Bundles {
		vote := e.vote(i)
		switch {
		case b == nil:
			return fmt.Errorf("evidence of two votes lacks the bundle of vote %d", i)
		case b.From != e.Member:
			return fmt.Errorf("evidence against member %d holds a bundle of member %d", e.Member, b.From)
		case !slices.Contains(b.Votes, vote):
			return fmt.Errorf("evidence of %v holds a bundle without it", vote)
		}
	}
	for i, b := range e.Bundles {
		if i > 0 && b == e.Bundles[0] {
			break
		}
		if _, err := k.Open(b); err != nil {
			return fmt.Errorf("evidence of %v: %w", e.vote(i), err)
		}
	}
	return nil
}

// Proven is evidence that was judged and holds. Only Judge makes one.
type Proven struct{ evidence Evidence }

// Judge is VerifyEvidence with a result that shows it was called.
func Judge(k *crypto.Keyring, e Evidence) (Proven, error) {
	if err := VerifyEvidence(k, e); err != nil {
		return Proven{}, err
	}
	return Proven{e}, nil
}

// Valid reports whether there is evidence.
func (p Proven) Valid() bool { return p.evidence.Bundles[0] != nil }

// Evidence is what was judged.
func (p Proven) Evidence() Evidence { return p.evidence }

// Message is the one form in which evidence travels and is stored.
func (e Evidence) Message() *messages.Evidence {
	m := &messages.Evidence{
		Member: e.Member, Kind: e.Kind, View: e.View, Seq: e.Seq, Digests: e.Digests,
		Bundles: []*messages.Bundle{e.Bundles[0], e.Bundles[1]},
	}
	switch { // one bundle that holds both votes needs no other
	case slices.Contains(e.Bundles[0].Votes, e.vote(1)):
		m.Bundles = m.Bundles[:1]
	case slices.Contains(e.Bundles[1].Votes, e.vote(0)):
		m.Bundles = m.Bundles[1:]
	}
	return m
}

// EvidenceOf is the evidence in a message, which was validated and no more.
func EvidenceOf(m *messages.Evidence) Evidence {
	return Evidence{
		Member: m.Member, Kind: m.Kind, View: m.View, Seq: m.Seq, Digests: m.Digests,
		Bundles: [2]*messages.Bundle{m.Bundles[0], m.Bundles[len(m.Bundles)-1]},
	}
}

// vote is the i-th of the two votes in conflict.
func (e Evidence) vote(i int) messages.Vote {
	return messages.Vote{Kind: e.Kind, View: e.View, Seq: e.Seq, Digest: e.Digests[i]}
}

// place is what a correct member names at most one digest for.
type place struct {
	kind messages.Kind
	view messages.View
	seq  messages.Seq
}

func placeOf(v messages.Vote) place { return place{v.Kind, v.View, v.Seq} }
