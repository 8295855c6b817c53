package messages

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// BundleRecord: a signed bundle, own or verified.
type BundleRecord struct{ Bundle *Bundle }

// StableRecord: the checkpoint (Seq, Digest) is stable by the Checkpoint votes
// in the bundles of Certificate.
type StableRecord struct {
	Seq         Seq
	Digest      Digest
	Certificate []*Bundle
}

// Sizes, of a fixed layout in big-endian order.
const (
	bundleHeaderBytes = 8 + 2 + 2 + 2         // epoch ‖ from ‖ votes ‖ signature bytes; then votes, signature
	stableHeaderBytes = 8 + len(Digest{}) + 2 // seq ‖ digest ‖ bundles; then the bundles
)

// AppendTo appends epoch 8 ‖ from 2 ‖ votes 2 ‖ signature bytes 2 ‖ the votes,
// VoteBytes each ‖ the signature.
func (r BundleRecord) AppendTo(b []byte) ([]byte, error) {
	if err := r.Bundle.Validate(); err != nil {
		return b, err
	}
	return appendBundle(b, r.Bundle), nil
}

// appendBundle appends a valid bundle, whose counts fit 16 bits.
func appendBundle(b []byte, bundle *Bundle) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(bundle.Epoch))
	b = binary.BigEndian.AppendUint16(b, uint16(bundle.From))
	b = binary.BigEndian.AppendUint16(b, uint16(len(bundle.Votes)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(bundle.Signature)))
	for _, v := range bundle.Votes {
		b = v.AppendTo(b)
	}
	return append(b, bundle.Signature...)
}

// ParseBundleRecord reads what AppendTo appended.
func ParseBundleRecord(b []byte) (BundleRecord, error) {
	bundle, rest, err := readBundle(b)
	if err != nil {
		return BundleRecord{}, err
	}
	if len(rest) != 0 {
		return BundleRecord{}, fmt.Errorf("%d bytes follow a bundle", len(rest))
	}
	return BundleRecord{bundle}, nil
}

// readBundle reads the bundle b begins with, and validates it.
func readBundle(b []byte) (*Bundle, []byte, error) {
	if len(b) < bundleHeaderBytes {
		return nil, nil, fmt.Errorf("a bundle begins with %d bytes, %d are left", bundleHeaderBytes, len(b))
	}
	votes, signature := int(binary.BigEndian.Uint16(b[10:])), int(binary.BigEndian.Uint16(b[12:]))
	size := bundleHeaderBytes + votes*VoteBytes + signature
	if size > len(b) {
		return nil, nil, fmt.Errorf("a bundle of %d bytes, %d are left", size, len(b))
	}
	bundle := &Bundle{
		Epoch: Epoch(binary.BigEndian.Uint64(b)),
		From:  Index(binary.BigEndian.Uint16(b[8:])),
		Votes: make([]Vote, votes),
	}
	at := bundleHeaderBytes
	for i := range bundle.Votes {
		v, err := ParseVote(b[at : at+VoteBytes])
		if err != nil {
			return nil, nil, fmt.Errorf("vote %d: %w", i, err)
		}
		bundle.Votes[i] = v
		at += VoteBytes
	}
	bundle.Signature = slices.Clone(b[at:size])
	if err := bundle.Validate(); err != nil {
		return nil, nil, err
	}
	return bundle, b[size:], nil
}

// AppendTo appends seq 8 ‖ digest 32 ‖ bundles 2 ‖ the bundles, as BundleRecord
// appends them.
func (r StableRecord) AppendTo(b []byte) ([]byte, error) {
	if err := r.validate(); err != nil {
		return b, err
	}
	b = binary.BigEndian.AppendUint64(b, uint64(r.Seq))
	b = append(b, r.Digest[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Certificate)))
	for _, bundle := range r.Certificate {
		b = appendBundle(b, bundle)
	}
	return b, nil
}

func (r StableRecord) validate() error {
	if err := checkClaim(r.Seq, r.Digest); err != nil {
		return err
	}
	return validateCertificate(r.Certificate)
}

// ParseStableRecord reads what AppendTo appended.
func ParseStableRecord(b []byte) (StableRecord, error) {
	if len(b) < stableHeaderBytes {
		return StableRecord{}, fmt.Errorf("a record %q has %d bytes or more, not %d", RecordStable, stableHeaderBytes, len(b))
	}
	r := StableRecord{Seq: Seq(binary.BigEndian.Uint64(b)), Digest: Digest(b[8:40])}
	var err error
	if r.Certificate, err = readBundles(b[stableHeaderBytes:], int(binary.BigEndian.Uint16(b[40:]))); err != nil {
		return StableRecord{}, err
	}
	return r, r.validate()
}

// readBundles reads the n bundles that b consists of.
func readBundles(b []byte, n int) ([]*Bundle, error) {
	var bundles []*Bundle
	for i := range n {
		bundle, rest, err := readBundle(b)
		if err != nil {
			return nil, fmt.Errorf("bundle %d: %w", i, err)
		}
		bundles, b = append(bundles, bundle), rest
	}
	if len(b) != 0 {
		return nil, fmt.Errorf("%d bytes follow the last bundle of a certificate", len(b))
	}
	return bundles, nil
}
