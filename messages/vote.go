package messages

import (
	"encoding/binary"
	"fmt"
)

// Kind says what a vote says.
type Kind uint8

// The kinds of votes. Their numbers are signed and stored: they never change.
const (
	PrePrepare Kind = 1 // leader: this digest has this place
	Prepare    Kind = 2 // backup: I accepted that
	Commit     Kind = 3 // all: a quorum accepted that
	Checkpoint Kind = 4 // all: my state digest after Seq; stands outside views, View = 0
	ViewChange Kind = 5 // all: I left for View; Seq = 0, Digest = hash of the body
	NewView    Kind = 6 // leader: View begins; Seq = 0, Digest = hash of the body
)

// Kinds lists all kinds in ascending order.
var Kinds = [...]Kind{PrePrepare, Prepare, Commit, Checkpoint, ViewChange, NewView}

func (k Kind) String() string {
	switch k {
	case PrePrepare:
		return "pre-prepare"
	case Prepare:
		return "prepare"
	case Commit:
		return "commit"
	case Checkpoint:
		return "checkpoint"
	case ViewChange:
		return "view-change"
	case NewView:
		return "new-view"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Vote is the unit of agreement: one member's word on one place. On the hot
// path there is no other signed message.
type Vote struct {
	Kind   Kind
	View   View
	Seq    Seq
	Digest Digest
}

// VoteBytes is the size of a vote in signed and stored bytes:
// kind 1 ‖ view 8 ‖ seq 8 ‖ digest 32, big-endian.
const VoteBytes = 1 + 8 + 8 + 32

// AppendTo appends the vote's fixed-layout bytes.
func (v Vote) AppendTo(b []byte) []byte {
	b = append(b, byte(v.Kind))
	b = binary.BigEndian.AppendUint64(b, uint64(v.View))
	b = binary.BigEndian.AppendUint64(b, uint64(v.Seq))
	return append(b, v.Digest[:]...)
}

// ParseVote reads the bytes AppendTo made. The vote is not validated.
func ParseVote(b []byte) (Vote, error) {
	if len(b) != VoteBytes {
		return Vote{}, fmt.Errorf("a vote has %d bytes, not %d", VoteBytes, len(b))
	}
	v := Vote{
		Kind: Kind(b[0]),
		View: View(binary.BigEndian.Uint64(b[1:])),
		Seq:  Seq(binary.BigEndian.Uint64(b[9:])),
	}
	copy(v.Digest[:], b[17:])
	return v, nil
}

// Validate checks what holds for every legal vote, whoever sent it.
func (v Vote) Validate() error {
	switch v.Kind {
	case PrePrepare, Prepare, Commit:
		if v.Seq == 0 {
			return fmt.Errorf("a %v names no sequence", v.Kind)
		}
	case Checkpoint:
		if v.Seq == 0 || v.View != 0 {
			return fmt.Errorf("a checkpoint has a sequence and no view, not seq %d view %d", v.Seq, v.View)
		}
	case ViewChange, NewView:
		if v.Seq != 0 || v.View == 0 {
			return fmt.Errorf("a %v has a view and no sequence, not seq %d view %d", v.Kind, v.Seq, v.View)
		}
	default:
		return fmt.Errorf("unknown vote kind %d", uint8(v.Kind))
	}
	if v.Digest.IsZero() {
		return fmt.Errorf("a %v names no digest", v.Kind)
	}
	return nil
}

func (v Vote) String() string {
	return fmt.Sprintf("%v(view %d, seq %d, %v)", v.Kind, v.View, v.Seq, v.Digest)
}
