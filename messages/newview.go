package messages

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// ViewChangeRef names a member's ViewChange by the digest of its body.
type ViewChangeRef struct {
	Member Index
	Digest Digest
}

// NewViewBody begins a view: what its leader decided about the sequences that
// earlier views left open, and the ViewChanges it follows from. A NewView vote
// names its digest. Whoever holds the ViewChanges decides for himself and
// compares. [protocol §5]
type NewViewBody struct {
	View View
	// MinS is the highest stable checkpoint known; a certificate travels beside
	// the body. Zero, with a zero digest, is genesis, which needs none.
	MinS       Seq
	MinSDigest Digest
	// ViewChanges is S, ascending by member.
	ViewChanges []ViewChangeRef
	// List holds the digests of MinS+1, MinS+2, … A null batch at its end is one
	// that was claimed, as any other batch is; package leader tells.
	List []Digest
	// Marks are the listed claims that rest on a prepared certificate instead of
	// on f+1 accepted claims (A2′). Ascending by sequence.
	Marks []Claim
}

// newViewHeaderBytes: view ‖ min-s ‖ digest ‖ view-changes ‖ listed ‖ marks.
const newViewHeaderBytes = 8 + 8 + len(Digest{}) + 2 + 2 + 2

const viewChangeRefBytes = 2 + len(Digest{})

// NewViewBytesMax bounds the bytes of a NewViewBody.
const NewViewBytesMax = newViewHeaderBytes + MembersMax*viewChangeRefBytes + WindowMax*len(Digest{}) + WindowMax*claimBytes

// AppendTo appends view 8 ‖ min-s 8 ‖ digest 32 ‖ |S| 2 ‖ |list| 2 ‖ |marks| 2 ‖
// S, member 2 ‖ digest 32 each ‖ the list, digest 32 each ‖ the marks, view 8 ‖
// seq 8 ‖ digest 32 each, big-endian. A valid body has no other bytes.
func (b *NewViewBody) AppendTo(out []byte) []byte {
	out = binary.BigEndian.AppendUint64(out, uint64(b.View))
	out = binary.BigEndian.AppendUint64(out, uint64(b.MinS))
	out = append(out, b.MinSDigest[:]...)
	out = binary.BigEndian.AppendUint16(out, uint16(len(b.ViewChanges)))
	out = binary.BigEndian.AppendUint16(out, uint16(len(b.List)))
	out = binary.BigEndian.AppendUint16(out, uint16(len(b.Marks)))
	for _, r := range b.ViewChanges {
		out = binary.BigEndian.AppendUint16(out, uint16(r.Member))
		out = append(out, r.Digest[:]...)
	}
	for _, d := range b.List {
		out = append(out, d[:]...)
	}
	return appendClaims(out, b.Marks)
}

// ParseNewViewBody reads the bytes AppendTo made, keeps none of them, and
// validates the body.
func ParseNewViewBody(data []byte) (*NewViewBody, error) {
	if len(data) < newViewHeaderBytes || len(data) > NewViewBytesMax {
		return nil, fmt.Errorf("a new-view has %d to %d bytes, not %d", newViewHeaderBytes, NewViewBytesMax, len(data))
	}
	b := &NewViewBody{
		View: View(binary.BigEndian.Uint64(data)),
		MinS: Seq(binary.BigEndian.Uint64(data[8:])),
	}
	copy(b.MinSDigest[:], data[16:])
	refs, list := int(binary.BigEndian.Uint16(data[48:])), int(binary.BigEndian.Uint16(data[50:]))
	marks := int(binary.BigEndian.Uint16(data[52:]))
	rest := data[newViewHeaderBytes:]
	if want := refs*viewChangeRefBytes + list*len(Digest{}) + marks*claimBytes; len(rest) != want {
		return nil, fmt.Errorf("%d view-changes, %d digests and %d marks have %d bytes, not %d", refs, list, marks, want, len(rest))
	}
	for range refs {
		b.ViewChanges = append(b.ViewChanges, ViewChangeRef{Index(binary.BigEndian.Uint16(rest)), Digest(rest[2:viewChangeRefBytes])})
		rest = rest[viewChangeRefBytes:]
	}
	for range list {
		b.List = append(b.List, Digest(rest[:len(Digest{})]))
		rest = rest[len(Digest{}):]
	}
	b.Marks = readClaims(rest)
	if err := b.Validate(); err != nil {
		return nil, err
	}
	return b, nil
}

// Digest is what the NewView vote names.
func (b *NewViewBody) Digest() Digest {
	return sha256.Sum256(b.AppendTo([]byte("cretoai-consensus/v1/new-view\x00")))
}

// Validate checks all that can be judged of the body alone: how many
// ViewChanges make a quorum, and what follows from them, needs the membership
// and is package leader's.
func (b *NewViewBody) Validate() error {
	switch {
	case b.View == 0:
		return errors.New("view 0 needs no new-view")
	case (b.MinS == 0) != b.MinSDigest.IsZero():
		return errors.New("a checkpoint above genesis has a digest, and genesis has none")
	case len(b.ViewChanges) == 0 || len(b.ViewChanges) > MembersMax:
		return fmt.Errorf("a new-view names 1 to %d view-changes, not %d", MembersMax, len(b.ViewChanges))
	case len(b.List) > WindowMax:
		return fmt.Errorf("a new-view lists at most %d sequences, not %d", WindowMax, len(b.List))
	case b.MinS+Seq(len(b.List)) < b.MinS:
		return errors.New("the list reaches beyond the last sequence")
	}
	for i, r := range b.ViewChanges {
		if i > 0 && r.Member <= b.ViewChanges[i-1].Member {
			return fmt.Errorf("view-change %d is out of the members' order", i)
		}
		if r.Digest.IsZero() {
			return fmt.Errorf("view-change %d names no digest", i)
		}
	}
	for i, d := range b.List {
		if d.IsZero() {
			return fmt.Errorf("sequence %d has no digest", b.MinS+1+Seq(i))
		}
	}
	return b.validateMarks()
}

func (b *NewViewBody) validateMarks() error {
	below := b.MinS
	for i, m := range b.Marks {
		switch {
		case m.Seq <= below || m.Seq-b.MinS > Seq(len(b.List)):
			return fmt.Errorf("mark %d is for no listed sequence, or out of order", i)
		case m.View >= b.View:
			return fmt.Errorf("mark %d is of view %d, not below %d", i, m.View, b.View)
		case b.List[m.Seq-b.MinS-1] != m.Digest:
			return fmt.Errorf("mark %d is for another digest than listed", i)
		}
		below = m.Seq
	}
	return nil
}

// Last is the last sequence listed, MinS if none is.
func (b *NewViewBody) Last() Seq { return b.MinS + Seq(len(b.List)) }

// Listed gives the digest listed for seq; ok is false where none is.
func (b *NewViewBody) Listed(seq Seq) (d Digest, ok bool) {
	if seq <= b.MinS || seq > b.Last() {
		return Digest{}, false
	}
	return b.List[seq-b.MinS-1], true
}
