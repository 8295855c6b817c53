package messages

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// widest admits every batch this software can hold.
var widest = Params{BatchVertices: BatchVerticesMax, BatchBytes: BatchBytesMax}

// someVertices are n different vertices with payloads of the given size.
func someVertices(t testing.TB, n, payload int) (vertices [][]byte, hashes []Digest) {
	t.Helper()
	for i := range n {
		b := encodeVertex(t, Vertex{Payload: make([]byte, payload), Creator: [32]byte{1}, Nonce: uint64(i), Expires: 9})
		view, _, err := ParseVertex(b)
		if err != nil {
			t.Fatal(err)
		}
		vertices, hashes = append(vertices, b), append(hashes, view.Hash())
	}
	return vertices, hashes
}

func buildBatch(t testing.TB, n, payload int) *Batch {
	t.Helper()
	vertices, hashes := someVertices(t, n, payload)
	b, err := BuildBatch(vertices, hashes, widest)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goldenBatch is the batch whose bytes are frozen: the golden vertex, then a
// small one.
func goldenBatch(t testing.TB) *Batch {
	t.Helper()
	var vertices [][]byte
	var hashes []Digest
	for _, v := range []Vertex{
		goldenVertex(),
		{Payload: []byte("x"), Creator: goldenVertex().Creator, Nonce: 1, Expires: 9},
	} {
		b := encodeVertex(t, v)
		view, _, err := ParseVertex(b)
		if err != nil {
			t.Fatal(err)
		}
		vertices, hashes = append(vertices, b), append(hashes, view.Hash())
	}
	b, err := BuildBatch(vertices, hashes, widest)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBatchGolden freezes the bytes and the digest of a batch: they are signed,
// and in every ledger.
func TestBatchGolden(t *testing.T) {
	const (
		wantHeader = "0100000000000002000000c800000000"
		wantRoot   = "c5b5ceb7f8c8f69705f362d9ca893403884008e4e5f912a5e62132a4ef4932eb"
		wantDigest = "23d28355e728fdef4578c856f9b6a040ae8896f5bbce96aee13f7b53963daa59"
	)
	b := goldenBatch(t)
	if got := hex.EncodeToString(b.Bytes()[:BatchHeaderBytes]); got != wantHeader {
		t.Errorf("header %s, want %s", got, wantHeader)
	}
	if want := slices.Concat(b.Vertex(0).Bytes(), b.Vertex(1).Bytes()); !bytes.Equal(b.Bytes()[BatchHeaderBytes:], want) {
		t.Errorf("the header is followed by %x, not by the vertices", b.Bytes()[BatchHeaderBytes:])
	}
	if got := b.Root().Hex(); got != wantRoot {
		t.Errorf("root %s, want %s", got, wantRoot)
	}
	if got := b.Digest().Hex(); got != wantDigest {
		t.Errorf("digest %s, want %s", got, wantDigest)
	}
}

// TestBatchRoundTrip: the backup reads what the leader built, vertex by vertex.
func TestBatchRoundTrip(t *testing.T) {
	tests := []struct{ vertices, payload int }{
		{1, 1},
		{1, VertexBytesMax - VertexHeaderBytes},
		{33, 100},
		{BatchVerticesMax, BatchBytesMax/BatchVerticesMax - VertexHeaderBytes - 1},
	}
	for _, test := range tests {
		vertices, hashes := someVertices(t, test.vertices, test.payload)
		built, err := BuildBatch(vertices, hashes, widest)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := ParseBatch(built.Bytes(), widest)
		if err != nil {
			t.Fatal(err)
		}
		if parsed.Digest() != built.Digest() || parsed.Root() != built.Root() || parsed.Len() != test.vertices {
			t.Fatalf("%d vertices: built %v, parsed %v of %d", test.vertices, built.Digest(), parsed.Digest(), parsed.Len())
		}
		for i := range vertices {
			for _, b := range []*Batch{built, parsed} {
				if !bytes.Equal(b.Vertex(i).Bytes(), vertices[i]) || b.VertexHash(i) != hashes[i] {
					t.Fatalf("vertex %d of %d is another", i, test.vertices)
				}
			}
			if err := parsed.VertexPath(i).Verify(hashes[i], parsed.Root()); err != nil {
				t.Fatalf("vertex %d of %d: %v", i, test.vertices, err)
			}
		}
	}
}

// TestBatchDigestBindsEveryByte: no two different byte strings are one batch.
func TestBatchDigestBindsEveryByte(t *testing.T) {
	b := goldenBatch(t)
	seen := map[Digest]string{b.Digest(): "the batch itself"}
	for at := range b.Bytes() {
		for _, flip := range []byte{1, 0x80} {
			changed := bytes.Clone(b.Bytes())
			changed[at] ^= flip
			other, err := ParseBatch(changed, widest)
			if err != nil {
				continue
			}
			if was, ok := seen[other.Digest()]; ok {
				t.Fatalf("byte %d changed by %#x gives the digest of %s", at, flip, was)
			}
			seen[other.Digest()] = "a changed batch"
		}
	}
	if len(seen) < 200 {
		t.Errorf("only %d changed batches were legal: the test looked at too few", len(seen))
	}
}

// TestBatchOrder: the same vertices in another order are another batch.
func TestBatchOrder(t *testing.T) {
	vertices, hashes := someVertices(t, 2, 10)
	one, err := BuildBatch(vertices, hashes, widest)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(vertices)
	slices.Reverse(hashes)
	other, err := BuildBatch(vertices, hashes, widest)
	if err != nil {
		t.Fatal(err)
	}
	if one.Digest() == other.Digest() {
		t.Error("the digest does not bind the order")
	}
	if !bytes.Equal(one.Vertex(1).Bytes(), vertices[0]) || one.VertexHash(0) != hashes[1] {
		t.Error("a batch changed with the slices it was built from")
	}
}

func TestParseBatchRefuses(t *testing.T) {
	put := func(at int, n uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.BigEndian.PutUint32(b[at:], n); return b }
	}
	tests := []struct {
		name   string
		change func(b []byte) []byte
		want   string
	}{
		{"nothing", func([]byte) []byte { return nil }, "header of 16 bytes"},
		{"version 0", func(b []byte) []byte { b[0] = 0; return b }, "version 0"},
		{"newer version", func(b []byte) []byte { b[0] = 2; return b }, "version 2"},
		{"reserved 1", func(b []byte) []byte { b[1] = 1; return b }, "reserved"},
		{"reserved 3", func(b []byte) []byte { b[3] = 1; return b }, "reserved"},
		{"count 0", put(batchCountAt, 0), "at least one vertex"},
		{"count too small", put(batchCountAt, 1), "follow the last"},
		{"count too large", put(batchCountAt, 3), "vertex 2"},
		{"count beyond the bytes", put(batchCountAt, 900), "do not fit"},
		{"count beyond the bound", put(batchCountAt, BatchVerticesMax+1), "at most 2048 vertices"},
		{"largest count", put(batchCountAt, 1<<32-1), "at most 2048 vertices, not 4294967295"},
		{"length too small", put(batchVertexBytesAt, 199), "announces 215 bytes has 216"},
		{"length too large", put(batchVertexBytesAt, 201), "announces 217 bytes has 216"},
		{"largest length", put(batchVertexBytesAt, 1<<32-1), "announces 4294967311 bytes has 216"},
		{"an authorisation section missing", put(batchAuthorisationAt, 8), "announces 224 bytes has 216"},
		{"an authorisation section uncalled for", func(b []byte) []byte { return put(batchAuthorisationAt, 8)(append(b, make([]byte, 8)...)) }, "takes no creators' signatures"},
		{"largest authorisation", put(batchAuthorisationAt, 1<<32-1), "announces 4294967511 bytes has 216"},
		{"a byte more", func(b []byte) []byte { return append(b, 0) }, "announces 216 bytes has 217"},
		{"a bad vertex", func(b []byte) []byte { b[BatchHeaderBytes] = 9; return b }, "vertex 0"},
		{"one vertex twice", func(b []byte) []byte {
			v := b[BatchHeaderBytes : BatchHeaderBytes+135]
			b = append(slices.Clone(b[:BatchHeaderBytes]), slices.Concat(v, v)...)
			return put(batchVertexBytesAt, 270)(b)
		}, "repeats an earlier one"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := test.change(bytes.Clone(goldenBatch(t).Bytes()))
			if _, err := ParseBatch(b, widest); err == nil {
				t.Fatal("parsed")
			} else if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q does not say %q", err, test.want)
			}
		})
	}
	whole := goldenBatch(t).Bytes()
	for n := range whole {
		if _, err := ParseBatch(whole[:n], widest); err == nil {
			t.Fatalf("parsed the first %d of %d bytes", n, len(whole))
		}
	}
}

// TestBatchBounds: the agreed parameters bound a batch at the leader and at the
// backups alike, and what the software can hold bounds the parameters.
func TestBatchBounds(t *testing.T) {
	vertices, hashes := someVertices(t, 3, 100)
	size := uint32(BatchHeaderBytes + 3*(VertexHeaderBytes+100))
	tests := []struct {
		name   string
		params Params
		legal  bool
	}{
		{"exactly full", Params{BatchVertices: 3, BatchBytes: size}, true},
		{"a vertex too many", Params{BatchVertices: 2, BatchBytes: size}, false},
		{"a byte too many", Params{BatchVertices: 3, BatchBytes: size - 1}, false},
		{"no parameters", Params{}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, errBuild := BuildBatch(vertices, hashes, test.params)
			whole, err := BuildBatch(vertices, hashes, widest)
			if err != nil {
				t.Fatal(err)
			}
			_, errParse := ParseBatch(whole.Bytes(), test.params)
			if (errBuild == nil) != test.legal || (errParse == nil) != test.legal {
				t.Errorf("legal %v, but built: %v, parsed: %v", test.legal, errBuild, errParse)
			}
		})
	}

	unbounded := Params{BatchVertices: 1<<32 - 1, BatchBytes: 1<<32 - 1}
	vertices, hashes = someVertices(t, BatchVerticesMax+1, 1)
	if _, err := BuildBatch(vertices, hashes, unbounded); err == nil {
		t.Error("more vertices than the tree holds were built into a batch")
	}
	vertices, hashes = someVertices(t, 5, BatchBytesMax/5)
	if _, err := BuildBatch(vertices, hashes, unbounded); err == nil {
		t.Error("a batch larger than a frame holds was built")
	}
}

func TestBuildBatchRefuses(t *testing.T) {
	vertices, hashes := someVertices(t, 2, 10)
	tests := []struct {
		name     string
		vertices [][]byte
		hashes   []Digest
		want     string
	}{
		{"nothing", nil, nil, "at least one vertex"},
		{"a hash missing", vertices, hashes[:1], "2 vertices, 1 hashes"},
		{"a vertex twice", [][]byte{vertices[0], vertices[0]}, []Digest{hashes[0], hashes[0]}, "repeats"},
		{"a cut vertex", [][]byte{vertices[0], vertices[1][:70]}, hashes, "vertex 1"},
		{"two vertices as one", [][]byte{vertices[0], slices.Concat(vertices...)}, hashes, "vertex 1: 74 bytes follow it"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := BuildBatch(test.vertices, test.hashes, widest); err == nil {
				t.Fatal("built")
			} else if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q does not say %q", err, test.want)
			}
		})
	}
}

// TestFindRepeated looks into a table in which every digest collides with every
// other, as a leader could arrange it, and wraps around the table's end.
func TestFindRepeated(t *testing.T) {
	digests := make([]Digest, BatchVerticesMax)
	for i := range digests {
		binary.BigEndian.PutUint32(digests[i][:], 1<<32-1)
		digests[i][31], digests[i][30] = byte(i), byte(i>>8)
	}
	if i, ok := findRepeated(digests); ok {
		t.Fatalf("digest %d was found repeated among different ones", i)
	}
	digests[BatchVerticesMax-1] = digests[0]
	if i, ok := findRepeated(digests); !ok || i != BatchVerticesMax-1 {
		t.Errorf("found %d, %v; the last repeats the first", i, ok)
	}
}

// TestBatchAllocations: hashing a batch must not become garbage; its offsets, its
// hashes and the batch are all there is (and the leader's copy of the bytes).
func TestBatchAllocations(t *testing.T) {
	vertices, hashes := someVertices(t, 1000, 128)
	b, err := BuildBatch(vertices, hashes, widest)
	if err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]func() error{
		"parse": func() error { _, err := ParseBatch(b.Bytes(), widest); return err },
		"build": func() error { _, err := BuildBatch(vertices, hashes, widest); return err },
	} {
		allocations := testing.AllocsPerRun(10, func() {
			if err := run(); err != nil {
				t.Fatal(err)
			}
		})
		if allocations > 4 {
			t.Errorf("%s: %v allocations", name, allocations)
		}
	}
}

func FuzzParseBatch(f *testing.F) {
	f.Add(goldenBatch(f).Bytes())
	f.Add(buildBatch(f, 40, 3).Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBatch(data, widest)
		if err != nil {
			return
		}
		var vertices [][]byte
		for i := range b.Len() {
			vertices = append(vertices, b.Vertex(i).Bytes())
			if b.Vertex(i).Hash() != b.VertexHash(i) {
				t.Fatalf("vertex %d has another hash", i)
			}
		}
		again, err := BuildBatch(vertices, b.hashes, widest)
		if err != nil {
			t.Fatalf("parsed, but not built: %v", err)
		}
		if !bytes.Equal(again.Bytes(), data) || again.Digest() != b.Digest() {
			t.Fatalf("built of its own vertices it is another batch\n%x\n%x", data, again.Bytes())
		}
	})
}
