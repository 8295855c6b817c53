package messages

import (
	"bytes"
	"math"
	"testing"
)

func smallSnapshot() map[FrameKind]Message {
	return map[FrameKind]Message{
		FrameFetchManifest: &FetchManifest{Seq: 1024},
		FrameManifest: &Manifest{
			Seq: 1024, Head: numbered(1), Vertices: 77, Application: numbered(2),
			Clients:     []BucketParts{{Bucket: 3, Parts: []Digest{numbered(3)}}, {Bucket: 200, Parts: []Digest{numbered(4), numbered(5)}}},
			App:         []BucketParts{{Bucket: 0, Parts: []Digest{numbered(6)}}},
			Certificate: bundlesOf(1, 1, 3),
		},
		FrameFetchChunk: &FetchChunk{Manifest: numbered(1), First: 2, Count: 3},
		FrameChunk:      &Chunk{Manifest: numbered(1), First: 2, Parts: [][]byte{{1, 2}, {3}}},
		FrameRetained:   &Retained{First: 129, Snapshot: 1024, Refused: numbered(1)},
	}
}

func largestSnapshot() map[FrameKind]Message {
	m := &Manifest{Seq: math.MaxUint64, Head: numbered(1), Vertices: math.MaxUint64, Certificate: largestCertificate()}
	for i := range SnapshotBucketsMax {
		m.App = append(m.App, BucketParts{Bucket: math.MaxUint32 - SnapshotBucketsMax + uint32(i), Parts: []Digest{numbered(i)}})
	}
	last := &m.App[SnapshotBucketsMax-1]
	for m.Count() < SnapshotPartsMax {
		last.Parts = append(last.Parts, make([]Digest, SnapshotPartsMax-m.Count())...)
	}
	parts := make([][]byte, ChunkPartsMax)
	for i := range parts {
		parts[i] = bytes.Repeat([]byte{1}, PartBytesMax/ChunkPartsMax)
	}
	return map[FrameKind]Message{
		FrameFetchManifest: &FetchManifest{Seq: math.MaxUint64},
		FrameManifest:      m,
		FrameFetchChunk:    &FetchChunk{Manifest: numbered(1), First: SnapshotPartsMax - 1, Count: ChunkPartsMax},
		FrameChunk:         &Chunk{Manifest: numbered(1), First: SnapshotPartsMax - 1, Parts: parts},
		FrameRetained:      &Retained{First: math.MaxUint64, Snapshot: math.MaxUint64, Refused: numbered(1)},
	}
}

// snapshotSpoils is the part of TestValidate that is about snapshots.
func snapshotSpoils() []spoil {
	manifest := func(change func(m *Manifest)) func(map[FrameKind]Message) { return on(FrameManifest, change) }
	return []spoil{
		{"no sequence", on(FrameFetchManifest, func(m *FetchManifest) { m.Seq = 0 }), FrameFetchManifest},
		{"no first sequence", on(FrameRetained, func(m *Retained) { m.First = 0 }), FrameRetained},
		{"no sequence", manifest(func(m *Manifest) { m.Seq = 0 }), FrameManifest},
		{"no head", manifest(func(m *Manifest) { m.Head = Digest{} }), FrameManifest},
		{"an empty bucket", manifest(func(m *Manifest) { m.Clients[1].Parts = nil }), FrameManifest},
		{"a bucket twice", manifest(func(m *Manifest) { m.Clients[1].Bucket = 3 }), FrameManifest},
		{"buckets out of order", manifest(func(m *Manifest) { m.Clients[1].Bucket = 2 }), FrameManifest},
		{"too many buckets", manifest(func(m *Manifest) {
			m.Application = Digest{}
			m.App = largestSnapshot()[FrameManifest].(*Manifest).App
		}), FrameManifest},
		{"too many parts", manifest(func(m *Manifest) { m.App[0].Parts = make([]Digest, SnapshotPartsMax) }), FrameManifest},
		{"one piece in two", manifest(func(m *Manifest) { m.App = append(m.App, BucketParts{1, m.App[0].Parts}) }), FrameManifest},
		{"one piece of another number", manifest(func(m *Manifest) { m.App[0].Bucket = 1 }), FrameManifest},
		{"no certificate", manifest(func(m *Manifest) { m.Certificate = nil }), FrameManifest},
		{"of no manifest", on(FrameFetchChunk, func(m *FetchChunk) { m.Manifest = Digest{} }), FrameFetchChunk},
		{"no parts", on(FrameFetchChunk, func(m *FetchChunk) { m.Count = 0 }), FrameFetchChunk},
		{"too many parts", on(FrameFetchChunk, func(m *FetchChunk) { m.Count = ChunkPartsMax + 1 }), FrameFetchChunk},
		{"beyond all parts", on(FrameFetchChunk, func(m *FetchChunk) { m.First = SnapshotPartsMax }), FrameFetchChunk},
		{"of no manifest", on(FrameChunk, func(m *Chunk) { m.Manifest = Digest{} }), FrameChunk},
		{"no parts", on(FrameChunk, func(m *Chunk) { m.Parts = nil }), FrameChunk},
		{"an empty part", on(FrameChunk, func(m *Chunk) { m.Parts[1] = nil }), FrameChunk},
		{"too many parts", on(FrameChunk, func(m *Chunk) {
			m.Parts = make([][]byte, ChunkPartsMax+1)
			for i := range m.Parts {
				m.Parts[i] = []byte{1}
			}
		}), FrameChunk},
		{"too many bytes", on(FrameChunk, func(m *Chunk) { m.Parts[0] = make([]byte, PartBytesMax) }), FrameChunk},
		{"beyond all parts", on(FrameChunk, func(m *Chunk) { m.First = SnapshotPartsMax }), FrameChunk},
	}
}

// TestManifestDigest: it covers everything but the certificate, and is frozen:
// replicas of different builds name manifests by it.
func TestManifestDigest(t *testing.T) {
	const golden = "a09d6d50216fd5d4"
	fresh := func() *Manifest { return smallSnapshot()[FrameManifest].(*Manifest) }
	before := fresh().Digest()
	if got := before.Hex()[:16]; got != golden {
		t.Errorf("the digest begins with %s, not %s", got, golden)
	}
	seen := map[Digest]string{before: "the original"}
	for name, change := range map[string]func(m *Manifest){
		"sequence":    func(m *Manifest) { m.Seq++ },
		"head":        func(m *Manifest) { m.Head = numbered(9) },
		"vertices":    func(m *Manifest) { m.Vertices++ },
		"application": func(m *Manifest) { m.Application = Digest{} },
		"a number":    func(m *Manifest) { m.Clients[1].Bucket++ },
		"a hash":      func(m *Manifest) { m.Clients[1].Parts[1] = numbered(9) },
		"a part less": func(m *Manifest) { m.Clients[1].Parts = m.Clients[1].Parts[:1] },
		"the table":   func(m *Manifest) { m.Clients, m.App = m.App, m.Clients },
		"a bucket":    func(m *Manifest) { m.App = nil },
	} {
		m := fresh()
		change(m)
		d := m.Digest()
		if other, ok := seen[d]; ok {
			t.Errorf("the digest does not tell a change of %s from %s", name, other)
		}
		seen[d] = name
	}
	m := fresh()
	if m.Certificate = bundlesOf(2, 1, 3); m.Digest() != before {
		t.Error("the digest depends on the certificate, of which there are many")
	}
}
