package messages

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Claim is a member's word about one sequence: it accepted Digest there in View,
// or recorded it as prepared. Claims carry no signatures of others; what makes
// them safe is that quorums intersect. [protocol §5]
type Claim struct {
	Seq    Seq
	View   View
	Digest Digest
}

// ViewChangeBody is what a member leaves its view with. A ViewChange vote names
// its digest. It never changes once recorded: neither after a restart nor when
// the stable checkpoint moves.
type ViewChangeBody struct {
	View      View   // the view asked for
	Low       Seq    // h, the last stable checkpoint
	LowDigest Digest // its state digest, zero at genesis
	// Prepared is P: for each sequence above Low the digest recorded as prepared
	// in the highest view. Ascending by sequence, one a sequence.
	Prepared []Claim
	// Accepted is Q: for each sequence and digest the highest view in which it
	// was accepted. Ascending by sequence and view; at most ClaimDigestsMax a
	// sequence, with distinct digests.
	Accepted []Claim
}

// viewChangeHeaderBytes: view ‖ low ‖ low digest ‖ claims in P ‖ claims in Q.
const viewChangeHeaderBytes = 8 + 8 + len(Digest{}) + 2 + 2

// ViewChangeBytesMax bounds the bytes of a ViewChangeBody.
const ViewChangeBytesMax = viewChangeHeaderBytes + (1+ClaimDigestsMax)*WindowMax*claimBytes

// AppendTo appends view 8 ‖ low 8 ‖ low digest 32 ‖ |P| 2 ‖ |Q| 2 ‖ the claims,
// view 8 ‖ seq 8 ‖ digest 32 each, big-endian. These bytes travel, are stored,
// and are hashed: a valid body has no others.
func (b *ViewChangeBody) AppendTo(out []byte) []byte {
	out = binary.BigEndian.AppendUint64(out, uint64(b.View))
	out = binary.BigEndian.AppendUint64(out, uint64(b.Low))
	out = append(out, b.LowDigest[:]...)
	out = binary.BigEndian.AppendUint16(out, uint16(len(b.Prepared)))
	out = binary.BigEndian.AppendUint16(out, uint16(len(b.Accepted)))
	return appendClaims(appendClaims(out, b.Prepared), b.Accepted)
}

// ParseViewChangeBody reads the bytes AppendTo made, keeps none of them, and
// validates the body.
func ParseViewChangeBody(data []byte) (*ViewChangeBody, error) {
	if len(data) < viewChangeHeaderBytes || len(data) > ViewChangeBytesMax {
		return nil, fmt.Errorf("a view-change has %d to %d bytes, not %d", viewChangeHeaderBytes, ViewChangeBytesMax, len(data))
	}
	b := &ViewChangeBody{
		View: View(binary.BigEndian.Uint64(data)),
		Low:  Seq(binary.BigEndian.Uint64(data[8:])),
	}
	copy(b.LowDigest[:], data[16:])
	prepared, accepted := int(binary.BigEndian.Uint16(data[48:])), int(binary.BigEndian.Uint16(data[50:]))
	claims := data[viewChangeHeaderBytes:]
	if len(claims) != (prepared+accepted)*claimBytes {
		return nil, fmt.Errorf("%d and %d claims have %d bytes, not %d", prepared, accepted, (prepared+accepted)*claimBytes, len(claims))
	}
	b.Prepared, b.Accepted = readClaims(claims[:prepared*claimBytes]), readClaims(claims[prepared*claimBytes:])
	if err := b.Validate(); err != nil {
		return nil, err
	}
	return b, nil
}

// Digest is what the ViewChange vote names. The vote's signature adds chain,
// epoch and sender.
func (b *ViewChangeBody) Digest() Digest {
	return sha256.Sum256(b.AppendTo([]byte("cretoai-consensus/v1/view-change\x00")))
}

// Validate checks all that can be judged of the body alone. The window of the
// chain is smaller than WindowMax; package leader checks it. [protocol §5]
func (b *ViewChangeBody) Validate() error {
	switch {
	case b.View == 0:
		return errors.New("nobody changes to view 0")
	case (b.Low == 0) != b.LowDigest.IsZero():
		return errors.New("a checkpoint above genesis has a digest, and genesis has none")
	case len(b.Prepared) > WindowMax:
		return fmt.Errorf("%d prepared claims, at most %d are allowed", len(b.Prepared), WindowMax)
	case len(b.Accepted) > ClaimDigestsMax*WindowMax:
		return fmt.Errorf("%d accepted claims, at most %d are allowed", len(b.Accepted), ClaimDigestsMax*WindowMax)
	}
	if err := b.validateAccepted(); err != nil {
		return err
	}
	below := b.Low
	for i, p := range b.Prepared {
		if err := b.validateClaim(p); err != nil {
			return fmt.Errorf("prepared claim %d: %w", i, err)
		}
		if p.Seq <= below {
			return fmt.Errorf("prepared claim %d for sequence %d is not above %d", i, p.Seq, below)
		}
		below = p.Seq
		if !b.accepts(p) {
			return fmt.Errorf("prepared claim %d for sequence %d was never accepted", i, p.Seq)
		}
	}
	return nil
}

func (b *ViewChangeBody) validateAccepted() error {
	for i, q := range b.Accepted {
		if err := b.validateClaim(q); err != nil {
			return fmt.Errorf("accepted claim %d: %w", i, err)
		}
		same := 0 // claims before it for its sequence
		for j := i - 1; j >= 0 && b.Accepted[j].Seq == q.Seq; j-- {
			if same++; b.Accepted[j].Digest == q.Digest {
				return fmt.Errorf("accepted claim %d repeats the digest of claim %d", i, j)
			}
		}
		if same >= ClaimDigestsMax {
			return fmt.Errorf("more than %d digests accepted for sequence %d", ClaimDigestsMax, q.Seq)
		}
		if i > 0 && compareClaims(b.Accepted[i-1], q) >= 0 {
			return fmt.Errorf("accepted claim %d is out of order", i)
		}
	}
	return nil
}

func (b *ViewChangeBody) validateClaim(c Claim) error {
	switch {
	case c.Seq <= b.Low || c.Seq-b.Low > WindowMax:
		return fmt.Errorf("sequence %d is outside the window above %d", c.Seq, b.Low)
	case c.View >= b.View:
		return fmt.Errorf("view %d is not below %d", c.View, b.View)
	case c.Digest.IsZero():
		return errors.New("it names no digest")
	}
	return nil
}

// accepts reports whether Q holds what p says was prepared, in its view or a
// higher one.
func (b *ViewChangeBody) accepts(p Claim) bool {
	i, _ := slices.BinarySearchFunc(b.Accepted, Claim{Seq: p.Seq, View: p.View}, compareClaims)
	for ; i < len(b.Accepted) && b.Accepted[i].Seq == p.Seq; i++ {
		if b.Accepted[i].Digest == p.Digest {
			return true
		}
	}
	return false
}

// compareClaims orders claims by sequence and view.
func compareClaims(a, b Claim) int {
	switch {
	case a.Seq != b.Seq && a.Seq < b.Seq, a.Seq == b.Seq && a.View < b.View:
		return -1
	case a.Seq == b.Seq && a.View == b.View:
		return 0
	}
	return 1
}

func appendClaims(b []byte, claims []Claim) []byte {
	for _, c := range claims {
		b = appendClaim(b, c.View, c.Seq, c.Digest)
	}
	return b
}

// readClaims reads whole claims; the caller has checked the length.
func readClaims(b []byte) []Claim {
	if len(b) == 0 {
		return nil
	}
	claims := make([]Claim, len(b)/claimBytes)
	for i := range claims {
		claims[i].View, claims[i].Seq, claims[i].Digest = readClaim(b[i*claimBytes:])
	}
	return claims
}
