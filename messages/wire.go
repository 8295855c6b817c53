package messages

import (
	"errors"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"
)

// FrameKind says what a frame holds. The set is closed within a wire version.
type FrameKind uint8

// The kinds of frames. Their numbers travel: they never change, and one given
// up is not given away again.
const (
	FrameHello            FrameKind = 1
	FrameRefusal          FrameKind = 2
	FrameStatus           FrameKind = 3
	FrameBundles          FrameKind = 4
	FrameBatchBody        FrameKind = 5
	FrameForward          FrameKind = 6
	FrameFetchBatch       FrameKind = 7
	FrameFetchDecided     FrameKind = 8
	FrameDecided          FrameKind = 9
	FrameStableCheckpoint FrameKind = 10
	FrameViewChange       FrameKind = 11
	FrameNewView          FrameKind = 12
	FrameFetchViewChange  FrameKind = 13
	FrameFetchPrepared    FrameKind = 14
	FramePrepared         FrameKind = 15
	FrameFetchManifest    FrameKind = 16
	FrameManifest         FrameKind = 17
	FrameFetchChunk       FrameKind = 18
	FrameChunk            FrameKind = 19
	FrameEvidence         FrameKind = 20
	FrameInvalidNewView   FrameKind = 21
	FrameRecall           FrameKind = 22
	FrameRecalled         FrameKind = 23
	FrameRetained         FrameKind = 24
)

// Message is what a frame holds. The set is closed: pointers to the types of
// this file, of viewchangewire.go, snapshot.go and recall.go, to Status, to Evidence and to
// InvalidNewView. A message is never changed after it was sent or received.
type Message interface {
	FrameKind() FrameKind
	// Validate checks everything that can be judged of the message alone,
	// without keys, membership or state: what is absent, repeated, beyond a
	// bound. EncodeFrame and DecodeFrame call it.
	Validate() error

	size() int // an upper bound of the frame's bytes, of a valid message
	encodeFields(*frameWriter)
	decodeFields(*frameReader)
}

// Hello opens a channel, in both directions.
type Hello struct {
	// Genesis is the hash of the sender's genesis: the chain it is on.
	Genesis Digest
	// Instance is drawn at each start of a process; it tells a reconnecting
	// peer from a second process with the same key.
	Instance [16]byte
	// Software is the sender's name and version, for people; may be empty.
	Software string
}

// Refusal says why the sender is about to close the channel.
type Refusal struct {
	Reason  string
	Genesis Digest // the sender's
}

// Bundles carries votes: at most FrameBundlesMax bundles.
type Bundles struct{ Bundles []*Bundle }

// BatchBody carries a batch's bytes, pushed by the leader or as the answer to a
// FetchBatch. They are bound by the digest ParseBatch computes of them.
type BatchBody struct{ Body []byte }

// Forward hands vertices on to another replica: the bytes of one after the
// other, and, on a chain that requires creators' signatures, the section that
// authorises them, see ParseAuthorisation; together at most BatchBytesMax.
type Forward struct {
	Vertices      []byte
	Authorisation []byte
	// Again says that some of them were sent before.
	Again bool
	// Executed is the last sequence the sender had executed. What the receiver
	// executed above it, and finds here, the sender will execute, too.
	Executed Seq
}

// FetchBatch asks for the batches with these digests, at most FetchBatchMax.
type FetchBatch struct{ Digests []Digest }

// FetchDecided asks for what was decided from From to To, both included, at
// most DecidedMax sequences.
type FetchDecided struct{ From, To Seq }

// Decided brings one decided sequence: its batch, and the bundles whose Commit
// votes for (View, Seq, Digest) are its certificate. Body is empty if and only
// if Digest is NullDigest.
type Decided struct {
	View        View
	Seq         Seq
	Digest      Digest
	Certificate []*Bundle
	Body        []byte
}

// StableCheckpoint brings the bundles whose Checkpoint votes for (Seq, Digest)
// make the checkpoint stable.
type StableCheckpoint struct {
	Seq         Seq
	Digest      Digest
	Certificate []*Bundle
}

// FrameKind implements Message.
func (*Hello) FrameKind() FrameKind { return FrameHello }

// FrameKind implements Message.
func (*Refusal) FrameKind() FrameKind { return FrameRefusal }

// FrameKind implements Message.
func (*Bundles) FrameKind() FrameKind { return FrameBundles }

// FrameKind implements Message.
func (*BatchBody) FrameKind() FrameKind { return FrameBatchBody }

// FrameKind implements Message.
func (*Forward) FrameKind() FrameKind { return FrameForward }

// FrameKind implements Message.
func (*FetchBatch) FrameKind() FrameKind { return FrameFetchBatch }

// FrameKind implements Message.
func (*FetchDecided) FrameKind() FrameKind { return FrameFetchDecided }

// FrameKind implements Message.
func (*Decided) FrameKind() FrameKind { return FrameDecided }

// FrameKind implements Message.
func (*StableCheckpoint) FrameKind() FrameKind { return FrameStableCheckpoint }

// Validate implements Message.
func (m *Hello) Validate() error {
	switch {
	case m.Genesis.IsZero():
		return errors.New("a hello names its genesis")
	case m.Instance == [16]byte{}:
		return errors.New("a hello names its instance")
	}
	return checkText("the software's name", m.Software, SoftwareBytesMax)
}

// Validate implements Message.
func (m *Refusal) Validate() error {
	switch {
	case m.Genesis.IsZero():
		return errors.New("a refusal names its genesis")
	case m.Reason == "":
		return errors.New("a refusal gives its reason")
	}
	return checkText("the reason", m.Reason, ReasonBytesMax)
}

// checkText admits text that may be shown to people as it is.
func checkText(what, s string, bytesMax int) error {
	switch {
	case len(s) > bytesMax:
		return fmt.Errorf("%s has at most %d bytes, not %d", what, bytesMax, len(s))
	case !utf8.ValidString(s):
		return fmt.Errorf("%s is not utf-8", what)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%s holds the unprintable %U", what, r)
		}
	}
	return nil
}

// Validate implements Message.
func (m *Bundles) Validate() error {
	if len(m.Bundles) == 0 || len(m.Bundles) > FrameBundlesMax {
		return fmt.Errorf("a frame holds 1 to %d bundles, not %d", FrameBundlesMax, len(m.Bundles))
	}
	return validateBundles(m.Bundles)
}

func validateBundles(bundles []*Bundle) error {
	for i, b := range bundles {
		if err := b.Validate(); err != nil {
			return fmt.Errorf("bundle %d: %w", i, err)
		}
	}
	return nil
}

// validateCertificate checks the shape of a certificate. Whether its votes are
// the right ones, and enough, is for package crypto to say.
func validateCertificate(bundles []*Bundle) error {
	if len(bundles) == 0 || len(bundles) > CertificateBundlesMax {
		return fmt.Errorf("a certificate holds 1 to %d bundles, not %d", CertificateBundlesMax, len(bundles))
	}
	if err := validateBundles(bundles); err != nil {
		return err
	}
	if size := bundlesSize(bundles); size > CertificateBytesMax {
		return fmt.Errorf("a certificate has at most %d bytes, not %d", CertificateBytesMax, size)
	}
	return nil
}

// Validate implements Message. Whether the bytes are a batch, ParseBatch says.
func (m *BatchBody) Validate() error { return checkBody(m.Body) }

func checkBody(b []byte) error {
	if len(b) < BatchHeaderBytes || len(b) > BatchBytesMax {
		return fmt.Errorf("a batch has %d to %d bytes, not %d", BatchHeaderBytes, BatchBytesMax, len(b))
	}
	return nil
}

// Validate implements Message. It walks over the vertices without hashing them.
func (m *Forward) Validate() error {
	if size := len(m.Vertices) + len(m.Authorisation); len(m.Vertices) == 0 || size > BatchBytesMax {
		return fmt.Errorf("forwarded vertices have 1 to %d bytes, not %d", BatchBytesMax, size)
	}
	for at := 0; at < len(m.Vertices); {
		_, size, err := ParseVertex(m.Vertices[at:])
		if err != nil {
			return fmt.Errorf("vertex at byte %d: %w", at, err)
		}
		at += size
	}
	return nil
}

// Validate implements Message.
func (m *FetchBatch) Validate() error {
	if len(m.Digests) == 0 || len(m.Digests) > FetchBatchMax {
		return fmt.Errorf("1 to %d batches are asked for, not %d", FetchBatchMax, len(m.Digests))
	}
	for i, d := range m.Digests {
		switch {
		case d.IsZero() || d == NullDigest:
			return fmt.Errorf("digest %d is of no batch", i)
		case slices.Contains(m.Digests[:i], d):
			return fmt.Errorf("digest %d is asked for twice", i)
		}
	}
	return nil
}

// Validate implements Message.
func (m *FetchDecided) Validate() error {
	// In this order nothing wraps around.
	if m.From == 0 || m.To < m.From || m.To-m.From >= DecidedMax {
		return fmt.Errorf("1 to %d sequences from 1 on are asked for, not %d to %d", DecidedMax, m.From, m.To)
	}
	return nil
}

// Validate implements Message.
func (m *Decided) Validate() error {
	switch {
	case m.Seq == 0:
		return errors.New("what was decided has a sequence")
	case m.Digest.IsZero():
		return errors.New("what was decided has a digest")
	case m.Digest == NullDigest && len(m.Body) != 0:
		return errors.New("the null batch has no body")
	}
	if m.Digest != NullDigest {
		if err := checkBody(m.Body); err != nil {
			return err
		}
	}
	return validateCertificate(m.Certificate)
}

// Validate implements Message.
func (m *StableCheckpoint) Validate() error {
	switch {
	case m.Seq == 0:
		return errors.New("a checkpoint has a sequence")
	case m.Digest.IsZero():
		return errors.New("a checkpoint has a digest")
	}
	return validateCertificate(m.Certificate)
}
