package messages

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// RecordKind says what a record of the journal holds. What a record's bytes mean
// follows from its kind alone: a changed layout is a new kind.
type RecordKind uint8

// The kinds of records. Their numbers are stored: they never change, and one
// given up is not given away again: 6 was given up. Reserved: 8 view entered.
const (
	RecordAccepted   RecordKind = 1  // AcceptedRecord
	RecordBatch      RecordKind = 2  // a batch's bytes as they came, read by ParseBatch
	RecordPrepared   RecordKind = 3  // PreparedRecord
	RecordVote       RecordKind = 4  // VoteRecord
	RecordBundle     RecordKind = 5  // BundleRecord
	RecordStable     RecordKind = 7  // StableRecord
	RecordViewChange RecordKind = 9  // ViewChangeRecord
	RecordNewView    RecordKind = 10 // NewViewRecord
	RecordSupport    RecordKind = 11 // SupportRecord
)

func (k RecordKind) String() string {
	switch k {
	case RecordAccepted:
		return "accepted"
	case RecordBatch:
		return "batch"
	case RecordPrepared:
		return "prepared"
	case RecordVote:
		return "vote"
	case RecordBundle:
		return "bundle"
	case RecordStable:
		return "stable"
	case RecordViewChange:
		return "view-change"
	case RecordNewView:
		return "new-view"
	case RecordSupport:
		return "support"
	}
	return fmt.Sprintf("record(%d)", uint8(k))
}

// Each record has AppendTo, which appends its bytes, and a parser of exactly
// those bytes, which retains none of them. AppendTo refuses what the parser
// would refuse: a replica must not write what it could not restart from.

// AcceptedRecord: the replica accepted Digest for (View, Seq), as the
// pre-prepare or from the list of a NewView. The batch has a record of its own.
// [protocol §4 V1]
type AcceptedRecord struct {
	View   View
	Seq    Seq
	Digest Digest
}

// PreparedRecord: Digest is prepared for (View, Seq). [protocol §4 V2]
type PreparedRecord struct {
	View   View
	Seq    Seq
	Digest Digest
}

// VoteRecord: the voter let this vote be signed.
type VoteRecord struct{ Vote Vote }

// claimBytes is the size of view 8 ‖ seq 8 ‖ digest 32, big-endian.
const claimBytes = 8 + 8 + len(Digest{})

func checkClaim(seq Seq, d Digest) error {
	switch {
	case seq == 0:
		return errors.New("a record of sequence 0, the genesis state")
	case d.IsZero():
		return errors.New("a record without a digest")
	}
	return nil
}

func appendClaim(b []byte, v View, s Seq, d Digest) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(v))
	b = binary.BigEndian.AppendUint64(b, uint64(s))
	return append(b, d[:]...)
}

// readClaim reads claimBytes.
func readClaim(b []byte) (View, Seq, Digest) {
	return View(binary.BigEndian.Uint64(b)), Seq(binary.BigEndian.Uint64(b[8:])), Digest(b[16:claimBytes])
}

func checkLength(k RecordKind, b []byte, want int) error {
	if len(b) != want {
		return fmt.Errorf("a record %q has %d bytes, not %d", k, want, len(b))
	}
	return nil
}

// AppendTo appends view 8 ‖ seq 8 ‖ digest 32.
func (r AcceptedRecord) AppendTo(b []byte) ([]byte, error) {
	if err := checkClaim(r.Seq, r.Digest); err != nil {
		return b, err
	}
	return appendClaim(b, r.View, r.Seq, r.Digest), nil
}

// ParseAcceptedRecord reads what AppendTo appended.
func ParseAcceptedRecord(b []byte) (AcceptedRecord, error) {
	if err := checkLength(RecordAccepted, b, claimBytes); err != nil {
		return AcceptedRecord{}, err
	}
	var r AcceptedRecord
	r.View, r.Seq, r.Digest = readClaim(b)
	return r, checkClaim(r.Seq, r.Digest)
}

// AppendTo appends view 8 ‖ seq 8 ‖ digest 32.
func (r PreparedRecord) AppendTo(b []byte) ([]byte, error) {
	return AcceptedRecord(r).AppendTo(b)
}

// ParsePreparedRecord reads what AppendTo appended.
func ParsePreparedRecord(b []byte) (PreparedRecord, error) {
	if err := checkLength(RecordPrepared, b, claimBytes); err != nil {
		return PreparedRecord{}, err
	}
	r, err := ParseAcceptedRecord(b)
	return PreparedRecord(r), err
}

// AppendTo appends the vote's bytes, see Vote.AppendTo.
func (r VoteRecord) AppendTo(b []byte) ([]byte, error) {
	if err := r.Vote.Validate(); err != nil {
		return b, err
	}
	return r.Vote.AppendTo(b), nil
}

// ParseVoteRecord reads what AppendTo appended.
func ParseVoteRecord(b []byte) (VoteRecord, error) {
	if err := checkLength(RecordVote, b, VoteBytes); err != nil {
		return VoteRecord{}, err
	}
	v, err := ParseVote(b)
	if err != nil {
		return VoteRecord{}, err
	}
	return VoteRecord{v}, v.Validate()
}
