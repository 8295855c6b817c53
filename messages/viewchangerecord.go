package messages

import (
	"encoding/binary"
	"fmt"
)

// ViewChangeRecord: the replica left its view for Body.View and said so with
// this body. It is resent as it stands, for ever. [protocol §4]
type ViewChangeRecord struct{ Body *ViewChangeBody }

// NewViewRecord: the replica entered Body.View. Its SupportRecords, one for each
// ViewChange the body names, are of the same flush group.
type NewViewRecord struct {
	Body *NewViewBody
	// Bundle signs for the body. It is nil for the replica's own NewView, which
	// is recorded before it is signed.
	Bundle *Bundle
	// Certificate is of the checkpoint (Body.MinS, Body.MinSDigest), empty at
	// genesis.
	Certificate []*Bundle
}

// SupportRecord: a member's ViewChange, on which the NewView entered rests.
type SupportRecord struct {
	Bundle *Bundle
	Body   *ViewChangeBody
}

// newViewRecordHeaderBytes: bytes of the body ‖ bundles that sign ‖ bundles of the
// certificate.
const newViewRecordHeaderBytes = 4 + 2 + 2

// AppendTo appends the body's bytes.
func (r ViewChangeRecord) AppendTo(b []byte) ([]byte, error) {
	if r.Body == nil {
		return b, fmt.Errorf("a record %q without a body", RecordViewChange)
	}
	if err := r.Body.Validate(); err != nil {
		return b, err
	}
	return r.Body.AppendTo(b), nil
}

// ParseViewChangeRecord reads what AppendTo appended.
func ParseViewChangeRecord(b []byte) (ViewChangeRecord, error) {
	body, err := ParseViewChangeBody(b)
	return ViewChangeRecord{body}, err
}

func (r NewViewRecord) validate() error {
	switch {
	case r.Body == nil:
		return fmt.Errorf("a record %q without a body", RecordNewView)
	case r.Body.MinS > 0 && len(r.Certificate) == 0:
		return fmt.Errorf("a record %q without the certificate of sequence %d", RecordNewView, r.Body.MinS)
	}
	if err := r.Body.Validate(); err != nil {
		return err
	}
	if r.Bundle != nil {
		if err := validateNewView(r.Bundle, r.Body); err != nil {
			return err
		}
	}
	return validateCheckpointBeside(r.Body.MinS, r.Certificate)
}

// AppendTo appends bytes of the body 4 ‖ bundles that sign, 0 or 1, 2 ‖ bundles of
// the certificate 2 ‖ the body ‖ the bundles, as BundleRecord appends them.
func (r NewViewRecord) AppendTo(b []byte) ([]byte, error) {
	if err := r.validate(); err != nil {
		return b, err
	}
	b = binary.BigEndian.AppendUint32(b, uint32(r.Body.bytes()))
	if r.Bundle == nil {
		b = binary.BigEndian.AppendUint16(b, 0)
	} else {
		b = binary.BigEndian.AppendUint16(b, 1)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Certificate)))
	b = r.Body.AppendTo(b)
	if r.Bundle != nil {
		b = appendBundle(b, r.Bundle)
	}
	for _, bundle := range r.Certificate {
		b = appendBundle(b, bundle)
	}
	return b, nil
}

// ParseNewViewRecord reads what AppendTo appended.
func ParseNewViewRecord(b []byte) (NewViewRecord, error) {
	if len(b) < newViewRecordHeaderBytes {
		return NewViewRecord{}, fmt.Errorf("a record %q has %d bytes or more, not %d", RecordNewView, newViewRecordHeaderBytes, len(b))
	}
	size, signed, bundles := binary.BigEndian.Uint32(b), binary.BigEndian.Uint16(b[4:]), int(binary.BigEndian.Uint16(b[6:]))
	rest := b[newViewRecordHeaderBytes:]
	if uint64(size) > uint64(len(rest)) {
		return NewViewRecord{}, fmt.Errorf("a body of %d bytes, %d are left", size, len(rest))
	}
	if signed > 1 {
		return NewViewRecord{}, fmt.Errorf("%d bundles sign for a new-view", signed)
	}
	var r NewViewRecord
	var err error
	if r.Body, err = ParseNewViewBody(rest[:size]); err != nil {
		return NewViewRecord{}, err
	}
	rest = rest[size:]
	if signed == 1 {
		if r.Bundle, rest, err = readBundle(rest); err != nil {
			return NewViewRecord{}, err
		}
	}
	if r.Certificate, err = readBundles(rest, bundles); err != nil {
		return NewViewRecord{}, err
	}
	return r, r.validate()
}

// AppendTo appends the bundle, as BundleRecord appends it ‖ the body's bytes.
func (r SupportRecord) AppendTo(b []byte) ([]byte, error) {
	if err := validateViewChange(r.Bundle, r.Body); err != nil {
		return b, err
	}
	return r.Body.AppendTo(appendBundle(b, r.Bundle)), nil
}

// ParseSupportRecord reads what AppendTo appended.
func ParseSupportRecord(b []byte) (SupportRecord, error) {
	bundle, rest, err := readBundle(b)
	if err != nil {
		return SupportRecord{}, err
	}
	body, err := ParseViewChangeBody(rest)
	if err != nil {
		return SupportRecord{}, err
	}
	return SupportRecord{bundle, body}, validateViewChange(bundle, body)
}
