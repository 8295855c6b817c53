package messages

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// What brings a replica up to a checkpoint below which the others keep no
// batches any more. [R4]

// Retained answers a request for what the sender no longer has, or has not got:
// what it does have.
type Retained struct {
	// First is the oldest sequence in the sender's ledger.
	First Seq
	// Snapshot is the checkpoint of its newest snapshot, 0 without one.
	Snapshot Seq
	// Refused is the manifest of the FetchChunk this answers, zero otherwise.
	Refused Digest
}

// FetchManifest asks for the manifest of the snapshot at a checkpoint.
type FetchManifest struct{ Seq Seq }

// Manifest lists the hashes of all parts of a snapshot. It proves itself: with
// the roots that follow from the hashes, the other fields give the state digest
// that the Checkpoint votes in the certificate sign. See pbft.StateDigest.
type Manifest struct {
	Seq  Seq
	Head Digest
	// Vertices is the number of vertices executed since genesis.
	Vertices uint64
	// Application is the digest of an application whose state is one piece; zero
	// of one in buckets, whose digest follows from their hashes. The hashes of the
	// one piece are proved by nobody: its digest is, once it is restored.
	Application Digest
	// Clients are the buckets of the client table that are not empty, App those of
	// the application, or its one piece as bucket 0; both ascending.
	Clients, App []BucketParts
	Certificate  []*Bundle
}

// BucketParts are the hashes of a bucket's parts, see pbft.HashParts. Every part
// but the last has PartBytesMax bytes.
type BucketParts struct {
	Bucket uint32
	Parts  []Digest
}

// FetchChunk asks for parts of a snapshot: at most Count from number First on, in
// the order of the manifest. The answer is one Chunk with as many as fit, or
// Retained.
type FetchChunk struct {
	Manifest     Digest
	First, Count uint32
}

// Chunk brings parts of a snapshot: those from number First on.
type Chunk struct {
	Manifest Digest
	First    uint32
	Parts    [][]byte
}

// FrameKind implements Message.
func (*Retained) FrameKind() FrameKind { return FrameRetained }

// FrameKind implements Message.
func (*FetchManifest) FrameKind() FrameKind { return FrameFetchManifest }

// FrameKind implements Message.
func (*Manifest) FrameKind() FrameKind { return FrameManifest }

// FrameKind implements Message.
func (*FetchChunk) FrameKind() FrameKind { return FrameFetchChunk }

// FrameKind implements Message.
func (*Chunk) FrameKind() FrameKind { return FrameChunk }

// Validate implements Message.
func (m *Retained) Validate() error {
	if m.First == 0 {
		return errors.New("a ledger begins at a sequence")
	}
	return nil
}

// Validate implements Message.
func (m *FetchManifest) Validate() error {
	if m.Seq == 0 {
		return errors.New("a snapshot has a sequence")
	}
	return nil
}

// Validate implements Message.
func (m *Manifest) Validate() error {
	switch {
	case m.Seq == 0:
		return errors.New("a snapshot has a sequence")
	case m.Head.IsZero():
		return errors.New("a snapshot has a ledger head")
	}
	if err := validateBuckets(m.Clients); err != nil {
		return fmt.Errorf("clients: %w", err)
	}
	if err := validateBuckets(m.App); err != nil {
		return fmt.Errorf("application: %w", err)
	}
	if n := len(m.Clients) + len(m.App); n > SnapshotBucketsMax {
		return fmt.Errorf("a snapshot has at most %d buckets, not %d", SnapshotBucketsMax, n)
	}
	if n := m.Count(); n > SnapshotPartsMax {
		return fmt.Errorf("a snapshot has at most %d parts, not %d", SnapshotPartsMax, n)
	}
	if !m.Application.IsZero() && (len(m.App) > 1 || len(m.App) == 1 && m.App[0].Bucket != 0) {
		return errors.New("an application's state is one piece or many")
	}
	return validateCertificate(m.Certificate)
}

func validateBuckets(list []BucketParts) error {
	for i, b := range list {
		switch {
		case len(b.Parts) == 0:
			return fmt.Errorf("bucket %d is empty", b.Bucket)
		case i > 0 && list[i-1].Bucket >= b.Bucket:
			return fmt.Errorf("bucket %d after %d", b.Bucket, list[i-1].Bucket)
		}
	}
	return nil
}

// Count is the number of parts.
func (m *Manifest) Count() (n int) {
	for _, list := range [][]BucketParts{m.Clients, m.App} {
		for _, b := range list {
			n += len(b.Parts)
		}
	}
	return n
}

// Digest names the manifest: SHA-256 over a fixed layout of all but the
// certificate, of which there are many for one state.
func (m *Manifest) Digest() Digest {
	b := []byte("cretoai-consensus/v1/manifest\x00")
	b = binary.BigEndian.AppendUint64(b, uint64(m.Seq))
	b = append(b, m.Head[:]...)
	b = binary.BigEndian.AppendUint64(b, m.Vertices)
	b = append(b, m.Application[:]...)
	for _, list := range [][]BucketParts{m.Clients, m.App} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(list)))
		for _, bucket := range list {
			b = binary.BigEndian.AppendUint32(b, bucket.Bucket)
			b = binary.BigEndian.AppendUint32(b, uint32(len(bucket.Parts)))
			for i := range bucket.Parts {
				b = append(b, bucket.Parts[i][:]...)
			}
		}
	}
	return sha256.Sum256(b)
}

// Validate implements Message.
func (m *FetchChunk) Validate() error {
	switch {
	case m.Manifest.IsZero():
		return errors.New("parts are of a manifest")
	case m.Count == 0 || m.Count > ChunkPartsMax:
		return fmt.Errorf("1 to %d parts are asked for, not %d", ChunkPartsMax, m.Count)
	case m.First >= SnapshotPartsMax:
		return fmt.Errorf("a snapshot has at most %d parts, there is no number %d", SnapshotPartsMax, m.First)
	}
	return nil
}

// Validate implements Message.
func (m *Chunk) Validate() error {
	switch {
	case m.Manifest.IsZero():
		return errors.New("parts are of a manifest")
	case len(m.Parts) == 0 || len(m.Parts) > ChunkPartsMax:
		return fmt.Errorf("a chunk has 1 to %d parts, not %d", ChunkPartsMax, len(m.Parts))
	case m.First >= SnapshotPartsMax:
		return fmt.Errorf("a snapshot has at most %d parts, there is no number %d", SnapshotPartsMax, m.First)
	}
	bytes := 0
	for i, p := range m.Parts {
		if len(p) == 0 {
			return fmt.Errorf("part %d is empty", i)
		}
		bytes += len(p)
	}
	if bytes > PartBytesMax {
		return fmt.Errorf("a chunk has at most %d bytes, not %d", PartBytesMax, bytes)
	}
	return nil
}

func (m *Retained) size() int { return 2*numberBytesMax + digestBytes }

func (m *Retained) encodeFields(w *frameWriter) {
	w.uint(uint64(m.First))
	w.uint(uint64(m.Snapshot))
	w.digest(m.Refused)
}

func (m *Retained) decodeFields(r *frameReader) {
	m.First = Seq(r.uint())
	m.Snapshot = Seq(r.uint())
	m.Refused = r.digest()
}

func (m *FetchManifest) size() int                   { return numberBytesMax }
func (m *FetchManifest) encodeFields(w *frameWriter) { w.uint(uint64(m.Seq)) }
func (m *FetchManifest) decodeFields(r *frameReader) { m.Seq = Seq(r.uint()) }

// What a bucket of a manifest takes beside its hashes, at least and at most.
const (
	bucketPartsBytesMin = 1 + 1 + 2 + len(Digest{})
	bucketPartsBytesMax = 1 + 5 + headBytesMax
)

func (m *Manifest) size() int {
	return 2*numberBytesMax + 2*digestBytes + 3*headBytesMax + (len(m.Clients)+len(m.App))*bucketPartsBytesMax +
		m.Count()*len(Digest{}) + bundlesSize(m.Certificate)
}

func (m *Manifest) encodeFields(w *frameWriter) {
	w.uint(uint64(m.Seq))
	w.digest(m.Head)
	w.uint(m.Vertices)
	w.digest(m.Application)
	w.buckets(m.Clients)
	w.buckets(m.App)
	w.bundles(m.Certificate)
}

func (m *Manifest) decodeFields(r *frameReader) {
	m.Seq = Seq(r.uint())
	m.Head = r.digest()
	m.Vertices = r.uint()
	m.Application = r.digest()
	m.Clients = r.buckets()
	m.App = r.buckets()
	m.Certificate = r.certificate()
}

// buckets writes, of each bucket, its number and its hashes as one byte string.
func (w *frameWriter) buckets(list []BucketParts) {
	w.array(len(list))
	for _, b := range list {
		w.array(2)
		w.uint(uint64(b.Bucket))
		w.binLen(len(b.Parts) * len(Digest{}))
		for i := range b.Parts {
			w.buf = append(w.buf, b.Parts[i][:]...)
		}
	}
}

func (r *frameReader) buckets() []BucketParts {
	n := r.list(SnapshotBucketsMax, bucketPartsBytesMin)
	if n == 0 {
		return nil
	}
	list := make([]BucketParts, n)
	for i := range list {
		r.tuple(2)
		list[i].Bucket = uint32(r.uintMax(1<<32 - 1))
		data := r.bin(SnapshotPartsMax * len(Digest{}))
		if len(data)%len(Digest{}) != 0 {
			r.fail("%d bytes are no whole number of hashes", len(data))
		}
		if r.err != nil {
			return nil
		}
		list[i].Parts = make([]Digest, 0, len(data)/len(Digest{}))
		for h := range slices.Chunk(data, len(Digest{})) {
			list[i].Parts = append(list[i].Parts, Digest(h))
		}
	}
	return list
}

func (m *FetchChunk) size() int { return digestBytes + 2*numberBytesMax }

func (m *FetchChunk) encodeFields(w *frameWriter) {
	w.digest(m.Manifest)
	w.uint(uint64(m.First))
	w.uint(uint64(m.Count))
}

func (m *FetchChunk) decodeFields(r *frameReader) {
	m.Manifest = r.digest()
	m.First = uint32(r.uintMax(SnapshotPartsMax))
	m.Count = uint32(r.uintMax(ChunkPartsMax))
}

func (m *Chunk) size() int {
	n := digestBytes + numberBytesMax + headBytesMax
	for _, p := range m.Parts {
		n += headBytesMax + len(p)
	}
	return n
}

func (m *Chunk) encodeFields(w *frameWriter) {
	w.digest(m.Manifest)
	w.uint(uint64(m.First))
	w.array(len(m.Parts))
	for _, p := range m.Parts {
		w.bin(p)
	}
}

func (m *Chunk) decodeFields(r *frameReader) {
	m.Manifest = r.digest()
	m.First = uint32(r.uintMax(SnapshotPartsMax))
	if n := r.list(ChunkPartsMax, 2); n > 0 {
		m.Parts = make([][]byte, n)
	}
	for i := range m.Parts {
		m.Parts[i] = r.bin(PartBytesMax)
	}
}
