package messages

import (
	"errors"
	"fmt"
)

// ViewChangeMessage carries a member's ViewChange: the bundle that signs for the
// body, and the body. The certificate of the checkpoint (Body.Low,
// Body.LowDigest) may travel beside them. Nothing signs for it and it is no part
// of the ViewChange's validity: whoever passes a ViewChange on may lack it.
// [protocol §5]
type ViewChangeMessage struct {
	Bundle      *Bundle
	Body        *ViewChangeBody
	Certificate []*Bundle // of Checkpoint votes; empty if absent
}

// NewViewMessage carries a NewView: the leader's bundle, the body it signs for,
// and, if at hand, the certificate of the checkpoint (Body.MinS,
// Body.MinSDigest).
type NewViewMessage struct {
	Bundle      *Bundle
	Body        *NewViewBody
	Certificate []*Bundle // of Checkpoint votes; empty if absent
}

// FetchViewChange asks for the ViewChange for View of Member whose body has
// Digest: a NewView names it.
type FetchViewChange struct {
	View   View
	Member Index
	Digest Digest
}

// FetchPrepared asks a member for the certificate of what it claims was
// prepared.
type FetchPrepared struct {
	Seq    Seq
	View   View
	Digest Digest
}

// PreparedCertificate brings the bundles whose Prepare votes for (View, Seq,
// Digest) show that it was prepared.
type PreparedCertificate struct {
	View        View
	Seq         Seq
	Digest      Digest
	Certificate []*Bundle
}

// FrameKind implements Message.
func (*ViewChangeMessage) FrameKind() FrameKind { return FrameViewChange }

// FrameKind implements Message.
func (*NewViewMessage) FrameKind() FrameKind { return FrameNewView }

// FrameKind implements Message.
func (*FetchViewChange) FrameKind() FrameKind { return FrameFetchViewChange }

// FrameKind implements Message.
func (*FetchPrepared) FrameKind() FrameKind { return FrameFetchPrepared }

// FrameKind implements Message.
func (*PreparedCertificate) FrameKind() FrameKind { return FramePrepared }

// Validate implements Message.
func (m *ViewChangeMessage) Validate() error {
	if err := validateViewChange(m.Bundle, m.Body); err != nil {
		return err
	}
	return validateCheckpointBeside(m.Body.Low, m.Certificate)
}

// Validate implements Message.
func (m *NewViewMessage) Validate() error {
	if err := validateNewView(m.Bundle, m.Body); err != nil {
		return err
	}
	return validateCheckpointBeside(m.Body.MinS, m.Certificate)
}

func validateViewChange(bundle *Bundle, body *ViewChangeBody) error {
	if body == nil {
		return errors.New("a view-change has a body")
	}
	if err := body.Validate(); err != nil {
		return err
	}
	return signsFor(bundle, Vote{Kind: ViewChange, View: body.View, Digest: body.Digest()})
}

func validateNewView(bundle *Bundle, body *NewViewBody) error {
	if body == nil {
		return errors.New("a new-view has a body")
	}
	if err := body.Validate(); err != nil {
		return err
	}
	return signsFor(bundle, Vote{Kind: NewView, View: body.View, Digest: body.Digest()})
}

// signsFor checks that a bundle holds one vote and which. ViewChanges and
// NewViews are signed alone, so that nothing else is kept as long as they are.
func signsFor(b *Bundle, want Vote) error {
	if err := b.Validate(); err != nil {
		return err
	}
	switch {
	case len(b.Votes) != 1:
		return fmt.Errorf("a %v is signed alone, not among %d votes", want.Kind, len(b.Votes))
	case b.Votes[0] != want:
		return fmt.Errorf("the bundle signs for %v, not for %v", b.Votes[0], want)
	}
	return nil
}

// validateCheckpointBeside checks the shape of a checkpoint's certificate that
// may be absent.
func validateCheckpointBeside(seq Seq, certificate []*Bundle) error {
	switch {
	case len(certificate) == 0:
		return nil
	case seq == 0:
		return errors.New("genesis has no certificate")
	}
	return validateCertificate(certificate)
}

// Validate implements Message.
func (m *FetchViewChange) Validate() error {
	switch {
	case m.View == 0:
		return errors.New("nobody changes to view 0")
	case m.Member >= MembersMax:
		return fmt.Errorf("a member below %d is asked about, not %d", MembersMax, m.Member)
	case m.Digest.IsZero():
		return errors.New("a view-change has a digest")
	}
	return nil
}

// Validate implements Message.
func (m *FetchPrepared) Validate() error { return validatePrepared(m.Seq, m.Digest) }

// Validate implements Message.
func (m *PreparedCertificate) Validate() error {
	if err := validatePrepared(m.Seq, m.Digest); err != nil {
		return err
	}
	return validateCertificate(m.Certificate)
}

func validatePrepared(seq Seq, d Digest) error {
	switch {
	case seq == 0:
		return errors.New("what is prepared has a sequence")
	case d.IsZero():
		return errors.New("what is prepared has a digest")
	}
	return nil
}

func (b *ViewChangeBody) bytes() int {
	return viewChangeHeaderBytes + (len(b.Prepared)+len(b.Accepted))*claimBytes
}

func (b *NewViewBody) bytes() int {
	return newViewHeaderBytes + len(b.ViewChanges)*viewChangeRefBytes + len(b.List)*len(Digest{}) + len(b.Marks)*claimBytes
}

// body writes a body as one byte string: the bytes that are hashed.
func (w *frameWriter) body(bytes int, appendTo func([]byte) []byte) {
	w.binLen(bytes)
	w.buf = appendTo(w.buf)
}

// body reads a byte string by the body's own parser.
func body[B any](r *frameReader, limit int, parse func([]byte) (*B, error)) *B {
	data := r.bin(limit)
	if r.err != nil {
		return nil
	}
	b, err := parse(data)
	if err != nil {
		r.fail("%w", err)
	}
	return b
}

func (m *ViewChangeMessage) size() int {
	return bundleFrameSize(m.Bundle) + headBytesMax + m.Body.bytes() + headBytesMax + bundlesSize(m.Certificate)
}

func (m *ViewChangeMessage) encodeFields(w *frameWriter) {
	w.bundle(m.Bundle)
	w.body(m.Body.bytes(), m.Body.AppendTo)
	w.bundles(m.Certificate)
}

func (m *ViewChangeMessage) decodeFields(r *frameReader) {
	m.Bundle = r.bundle()
	m.Body = body(r, ViewChangeBytesMax, ParseViewChangeBody)
	m.Certificate = r.certificate()
}

func (m *NewViewMessage) size() int {
	return bundleFrameSize(m.Bundle) + headBytesMax + m.Body.bytes() + headBytesMax + bundlesSize(m.Certificate)
}

func (m *NewViewMessage) encodeFields(w *frameWriter) {
	w.bundle(m.Bundle)
	w.body(m.Body.bytes(), m.Body.AppendTo)
	w.bundles(m.Certificate)
}

func (m *NewViewMessage) decodeFields(r *frameReader) {
	m.Bundle = r.bundle()
	m.Body = body(r, NewViewBytesMax, ParseNewViewBody)
	m.Certificate = r.certificate()
}

func (m *FetchViewChange) size() int { return 2*numberBytesMax + digestBytes }

func (m *FetchViewChange) encodeFields(w *frameWriter) {
	w.uint(uint64(m.View))
	w.uint(uint64(m.Member))
	w.digest(m.Digest)
}

func (m *FetchViewChange) decodeFields(r *frameReader) {
	m.View = View(r.uint())
	m.Member = Index(r.uintMax(MembersMax - 1))
	m.Digest = r.digest()
}

func (m *FetchPrepared) size() int { return 2*numberBytesMax + digestBytes }

func (m *FetchPrepared) encodeFields(w *frameWriter) {
	w.uint(uint64(m.Seq))
	w.uint(uint64(m.View))
	w.digest(m.Digest)
}

func (m *FetchPrepared) decodeFields(r *frameReader) {
	m.Seq = Seq(r.uint())
	m.View = View(r.uint())
	m.Digest = r.digest()
}

func (m *PreparedCertificate) size() int {
	return 2*numberBytesMax + digestBytes + headBytesMax + bundlesSize(m.Certificate)
}

func (m *PreparedCertificate) encodeFields(w *frameWriter) {
	w.uint(uint64(m.View))
	w.uint(uint64(m.Seq))
	w.digest(m.Digest)
	w.bundles(m.Certificate)
}

func (m *PreparedCertificate) decodeFields(r *frameReader) {
	m.View = View(r.uint())
	m.Seq = Seq(r.uint())
	m.Digest = r.digest()
	m.Certificate = r.certificate()
}
