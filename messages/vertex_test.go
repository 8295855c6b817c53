package messages

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// numbered is a digest that differs for every n and is never zero.
func numbered(n int) Digest {
	return sha256.Sum256([]byte{byte(n >> 16), byte(n >> 8), byte(n)})
}

// goldenVertex is the vertex whose bytes are frozen.
func goldenVertex() Vertex {
	return Vertex{
		Parents:   []Digest{numbered(1), numbered(2)},
		Payload:   []byte("set x 1"),
		Creator:   [32]byte{0xc0, 31: 0x0c},
		Nonce:     0x0102030405060708,
		Timestamp: -2, // before 1970: a claim like any other
		Expires:   0x1112131415161718,
	}
}

func encodeVertex(t testing.TB, v Vertex) []byte {
	t.Helper()
	b, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestVertexGolden freezes the bytes of a vertex and its hash: they are in every
// ledger.
func TestVertexGolden(t *testing.T) {
	const wantBytes = "01000200" + "00000007" +
		"c00000000000000000000000000000000000000000000000000000000000000c" +
		"0102030405060708" + "fffffffffffffffe" + "1112131415161718" +
		"cf7605ed1bc735f6c825554154627467e1cac9df54cee8699218ed434603c568" +
		"65d27a48dfef406db8f5f437423bfa5f9c83d77bfc12f8a14b8ce3ede5892fb5" +
		"73657420782031"
	const wantHash = "4aabf6228401253d89304c4cd787a008b3e80a064f059dec6eac6a9b03907316"
	b := encodeVertex(t, goldenVertex())
	if got := hex.EncodeToString(b); got != wantBytes {
		t.Errorf("bytes\n got %s\nwant %s", got, wantBytes)
	}
	view, _, err := ParseVertex(b)
	if err != nil {
		t.Fatal(err)
	}
	if got := view.Hash().Hex(); got != wantHash {
		t.Errorf("hash %s, want %s", got, wantHash)
	}
}

func TestVertexRoundTrip(t *testing.T) {
	parents := make([]Digest, VertexParentsMax)
	for i := range parents {
		parents[i] = numbered(i)
	}
	creator := [32]byte{31: 1}
	tests := map[string]Vertex{
		"golden":   goldenVertex(),
		"smallest": {Payload: []byte{0}, Creator: creator},
		"largest without parents": {
			Payload: make([]byte, VertexBytesMax-VertexHeaderBytes), Creator: creator,
			Nonce: 1<<64 - 1, Timestamp: 1<<63 - 1, Expires: 1<<64 - 1,
		},
		"largest with all parents": {
			Parents: parents, Creator: creator,
			Payload: make([]byte, VertexBytesMax-VertexHeaderBytes-VertexParentsMax*32),
		},
	}
	for name, v := range tests {
		t.Run(name, func(t *testing.T) {
			b := encodeVertex(t, v)
			view, size, err := ParseVertex(append(bytes.Clone(b), "what follows"...))
			if err != nil {
				t.Fatal(err)
			}
			if size != len(b) || !bytes.Equal(view.Bytes(), b) {
				t.Fatalf("%d bytes were read of %d", size, len(b))
			}
			if cap(view.Payload()) != len(view.Payload()) {
				t.Error("appending to a payload would write over what follows the vertex")
			}
			if got := vertexOf(view); !equalVertices(got, v) {
				t.Errorf("got %+v\nwant %+v", got, v)
			}
			if view.Hash() != sha256.Sum256(b) {
				t.Error("the hash is not SHA-256 over exactly the vertex's bytes")
			}
		})
	}
}

func vertexOf(view VertexView) Vertex {
	v := Vertex{
		Payload: view.Payload(), Creator: view.Creator(), Nonce: view.Nonce(),
		Timestamp: view.Timestamp(), Expires: view.Expires(),
	}
	for i := range view.Parents() {
		v.Parents = append(v.Parents, view.Parent(i))
	}
	return v
}

func equalVertices(a, b Vertex) bool {
	if len(a.Parents) != len(b.Parents) {
		return false
	}
	for i := range a.Parents {
		if a.Parents[i] != b.Parents[i] {
			return false
		}
	}
	return bytes.Equal(a.Payload, b.Payload) && a.Creator == b.Creator && a.Nonce == b.Nonce &&
		a.Timestamp == b.Timestamp && a.Expires == b.Expires
}

func TestVertexEncodeRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Vertex)
		want   string
	}{
		{"no payload", func(v *Vertex) { v.Payload = nil }, "payload"},
		{"no creator", func(v *Vertex) { v.Creator = [32]byte{} }, "creator"},
		{"zero parent", func(v *Vertex) { v.Parents[1] = Digest{} }, "parent"},
		{"too many parents", func(v *Vertex) { v.Parents = make([]Digest, VertexParentsMax+1) }, "at most 16 parents"},
		{"payload too large", func(v *Vertex) {
			v.Payload = make([]byte, VertexBytesMax-VertexHeaderBytes-2*32+1)
		}, "at most 262016 bytes, not 262017"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := goldenVertex()
			test.change(&v)
			if b, err := v.Encode(); err == nil {
				t.Fatalf("encoded to %d bytes", len(b))
			} else if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q does not say %q", err, test.want)
			}
		})
	}
}

func TestParseVertexRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(b []byte)
		want   string
	}{
		{"version 0", func(b []byte) { b[0] = 0 }, "version 0"},
		{"a node's tag", func(b []byte) { b[0] = nodeTag }, "version 2"},
		{"flags", func(b []byte) { b[1] = 1 }, "flags"},
		{"reserved", func(b []byte) { b[3] = 1 }, "reserved"},
		{"a parent too many for the bytes", func(b []byte) { b[2] = 3 }, "are left"},
		{"too many parents", func(b []byte) { b[2] = VertexParentsMax + 1 }, "at most 16 parents"},
		{"no payload", func(b []byte) { b[7] = 0 }, "payload"},
		{"payload longer than the bytes", func(b []byte) { b[7]++ }, "are left"},
		{"payload beyond the bound", func(b []byte) { b[5] = VertexBytesMax >> 16 }, "at most 262144 bytes"},
		{"payload of 4 GiB", func(b []byte) { copy(b[4:], "\xff\xff\xff\xff") }, "at most 262144 bytes"},
		{"vertex beyond the bound", func(b []byte) { copy(b[4:], "\x00\x04\x00\x00") }, "at most 262144 bytes, not 262272"},
		{"no creator", func(b []byte) { clear(b[8:40]) }, "creator"},
		{"zero parent", func(b []byte) { clear(b[96:128]) }, "parent"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := encodeVertex(t, goldenVertex())
			test.change(b)
			if _, _, err := ParseVertex(b); err == nil {
				t.Fatal("parsed")
			} else if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q does not say %q", err, test.want)
			}
		})
	}
}

func TestParseVertexTruncated(t *testing.T) {
	b := encodeVertex(t, goldenVertex())
	for n := range len(b) {
		if _, _, err := ParseVertex(b[:n]); err == nil {
			t.Fatalf("parsed the first %d of %d bytes", n, len(b))
		}
	}
}

// TestVertexViewParentBounds: an index a caller got from elsewhere must not read
// payload as a parent.
func TestVertexViewParentBounds(t *testing.T) {
	v := goldenVertex()
	v.Payload = make([]byte, 32)
	view, _, err := ParseVertex(encodeVertex(t, v))
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{-1, 2} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("parent %d of 2 was read", i)
				}
			}()
			view.Parent(i)
		}()
	}
}

func FuzzParseVertex(f *testing.F) {
	f.Add(encodeVertex(f, goldenVertex()))
	f.Add(encodeVertex(f, Vertex{Payload: []byte{1}, Creator: [32]byte{1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		view, size, err := ParseVertex(b)
		if err != nil {
			return
		}
		v := vertexOf(view)
		again, err := v.Encode()
		if err != nil {
			t.Fatalf("parsed, but not encoded: %v", err)
		}
		if !bytes.Equal(again, b[:size]) {
			t.Fatalf("two byte strings of one vertex\n%x\n%x", b[:size], again)
		}
	})
}
