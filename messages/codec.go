package messages

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// WireVersion is the version of the frames this software speaks. Any change of
// a frame's fields is a new version.
const WireVersion = 1

// A frame is one msgpack array [version, kind, fields…] with a fixed number of
// fields a kind; lists are arrays of arrays, of a fixed shape as well. There are
// no maps, no nil, no extension types, nothing recursive, and of the many ways
// msgpack has to write one value only the shortest is accepted. So a decoder
// walks over a frame once, knows the only thing that may come next, and compares
// each length with its bound and with the bytes that are left before it
// allocates; and two frames that differ hold different messages.
//
// The library's Unmarshal is not used: it allocates by the lengths a peer wrote
// down, recurses as deep as a peer nests, and takes -1 for a large number.

// FrameReason says why a frame was refused.
type FrameReason uint8

// The reasons. UnknownVersion blames nobody: the peer may be newer.
const (
	// Malformed: the bytes are not a frame of this version.
	Malformed FrameReason = iota + 1
	// UnknownVersion: a frame of another version, of which nothing else
	// was looked at.
	UnknownVersion
	// UnknownKind: a kind this version does not have.
	UnknownKind
	// TooLarge: more than FrameBytesMax bytes.
	TooLarge
	// Invalid: well-formed, but the message's Validate refused it.
	Invalid
)

// FrameReasons lists all reasons in ascending order.
var FrameReasons = [...]FrameReason{
	Malformed, UnknownVersion, UnknownKind, TooLarge, Invalid,
}

func (r FrameReason) String() string {
	switch r {
	case Malformed:
		return "malformed"
	case UnknownVersion:
		return "unknown-version"
	case UnknownKind:
		return "unknown-kind"
	case TooLarge:
		return "too-large"
	case Invalid:
		return "invalid"
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// FrameError is the error of EncodeFrame and DecodeFrame.
type FrameError struct {
	Reason FrameReason
	Err    error // what is wrong, never nil
}

func (e *FrameError) Error() string { return fmt.Sprintf("%v frame: %v", e.Reason, e.Err) }

// Unwrap gives what is wrong.
func (e *FrameError) Unwrap() error { return e.Err }

func refuse(r FrameReason, format string, args ...any) *FrameError {
	return &FrameError{r, fmt.Errorf(format, args...)}
}

func (k FrameKind) String() string {
	if f, ok := formOf(k); ok {
		return f.name
	}
	return fmt.Sprintf("frame(%d)", uint8(k))
}

// form is what a kind of frame looks like.
type form struct {
	kind   FrameKind
	name   string
	fields int // beside version and kind
	make   func() Message
}

// forms is ordered by kind.
var forms = [...]form{
	{FrameHello, "hello", 3, func() Message { return new(Hello) }},
	{FrameRefusal, "refusal", 2, func() Message { return new(Refusal) }},
	{FrameStatus, "status", 11, func() Message { return new(Status) }},
	{FrameBundles, "bundles", 1, func() Message { return new(Bundles) }},
	{FrameBatchBody, "batch-body", 1, func() Message { return new(BatchBody) }},
	{FrameForward, "forward", 4, func() Message { return new(Forward) }},
	{FrameFetchBatch, "fetch-batch", 1, func() Message { return new(FetchBatch) }},
	{FrameFetchDecided, "fetch-decided", 2, func() Message { return new(FetchDecided) }},
	{FrameDecided, "decided", 5, func() Message { return new(Decided) }},
	{FrameStableCheckpoint, "stable-checkpoint", 3, func() Message { return new(StableCheckpoint) }},
	{FrameViewChange, "view-change", 3, func() Message { return new(ViewChangeMessage) }},
	{FrameNewView, "new-view", 3, func() Message { return new(NewViewMessage) }},
	{FrameFetchViewChange, "fetch-view-change", 3, func() Message { return new(FetchViewChange) }},
	{FrameFetchPrepared, "fetch-prepared", 3, func() Message { return new(FetchPrepared) }},
	{FramePrepared, "prepared", 4, func() Message { return new(PreparedCertificate) }},
	{FrameFetchManifest, "fetch-manifest", 1, func() Message { return new(FetchManifest) }},
	{FrameManifest, "manifest", 7, func() Message { return new(Manifest) }},
	{FrameFetchChunk, "fetch-chunk", 3, func() Message { return new(FetchChunk) }},
	{FrameChunk, "chunk", 3, func() Message { return new(Chunk) }},
	{FrameEvidence, "evidence", 7, func() Message { return new(Evidence) }},
	{FrameInvalidNewView, "invalid-new-view", 1, func() Message { return new(InvalidNewView) }},
	{FrameRecall, "recall", 1, func() Message { return new(Recall) }},
	{FrameRecalled, "recalled", 4, func() Message { return new(Recalled) }},
	{FrameRetained, "retained", 3, func() Message { return new(Retained) }},
}

func formOf(k FrameKind) (form, bool) {
	i, found := slices.BinarySearchFunc(forms[:], k, func(f form, k FrameKind) int { return cmp.Compare(f.kind, k) })
	if !found {
		return form{}, false
	}
	return forms[i], true
}

// FrameKinds lists all kinds in ascending order.
func FrameKinds() []FrameKind {
	kinds := make([]FrameKind, len(forms))
	for i, f := range forms {
		kinds[i] = f.kind
	}
	return kinds
}

// PeekFrameKind reads the kind of a frame of this version without looking at
// anything else.
func PeekFrameKind(b []byte) (FrameKind, bool) {
	// A short array, the version and the kind, each in its only form: one byte.
	if len(b) < 3 || b[0]>>4 != 9 || b[1] != WireVersion || b[2] > 0x7f {
		return 0, false
	}
	return FrameKind(b[2]), true
}

// EncodeFrame makes a message's frame. What a peer's DecodeFrame would refuse is
// refused here, with a *FrameError.
func EncodeFrame(m Message) ([]byte, error) {
	if m == nil {
		return nil, &FrameError{Invalid, errors.New("no message")}
	}
	if err := m.Validate(); err != nil {
		return nil, &FrameError{Invalid, fmt.Errorf("%v: %w", m.FrameKind(), err)}
	}
	f, ok := formOf(m.FrameKind())
	if !ok {
		return nil, refuse(UnknownKind, "%v", m.FrameKind())
	}
	b := encode(m, f)
	if len(b) > FrameBytesMax {
		return nil, refuse(TooLarge, "a %s frame has at most %d bytes, not %d", f.name, FrameBytesMax, len(b))
	}
	return b, nil
}

// DecodeFrame reads a frame. The message keeps b and shares its bytes: b belongs
// to it from now on, and who keeps a part, say one bundle of many, for long
// keeps all of b alive. Errors are of type *FrameError.
//
// It allocates at most in proportion to len(b), and accepts only what
// EncodeFrame makes: encoding the message again gives b.
func DecodeFrame(b []byte) (Message, error) {
	r := newFrameReader(b)
	defer r.release()
	// The version first, whatever follows it and however large it is: a newer
	// software's frame is not an offence.
	values := r.arrayLen()
	version := r.uint()
	if values < 2 {
		r.fail("a frame has a version and a kind")
	}
	switch {
	case r.err != nil:
		return nil, &FrameError{Malformed, r.err}
	case version != WireVersion:
		return nil, refuse(UnknownVersion, "version %d; this software speaks version %d only", version, WireVersion)
	case len(b) > FrameBytesMax:
		return nil, refuse(TooLarge, "a frame has at most %d bytes, not %d", FrameBytesMax, len(b))
	}
	kind := r.uint()
	if r.err != nil {
		return nil, &FrameError{Malformed, r.err}
	}
	f, ok := formOf(FrameKind(min(kind, 255)))
	if !ok {
		return nil, refuse(UnknownKind, "version %d has no kind %d", WireVersion, kind)
	}
	if values != 2+f.fields {
		return nil, refuse(Malformed, "a %s frame has %d values, not %d", f.name, 2+f.fields, values)
	}
	m := f.make()
	m.decodeFields(r)
	if r.err == nil && r.left() != 0 {
		r.fail("%d bytes follow the last value", r.left())
	}
	if r.err != nil {
		return nil, &FrameError{Malformed, fmt.Errorf("%s: %w", f.name, r.err)}
	}
	if err := m.Validate(); err != nil {
		return nil, &FrameError{Invalid, fmt.Errorf("%s: %w", f.name, err)}
	}
	return m, nil
}
