package messages

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// signedParams are those of a chain that requires creators' signatures.
var signedParams = func() Params {
	p := DefaultParams()
	p.RequireVertexSignatures = true
	return p
}()

// groupOf gives a group over hashes, with a key and a signature of small sizes.
func groupOf(t testing.TB, key byte, hashes []Digest) *Group {
	t.Helper()
	g, err := NewGroup(hashes)
	if err != nil {
		t.Fatal(err)
	}
	g.Key, g.Signature = bytes.Repeat([]byte{key}, 20), bytes.Repeat([]byte{key, 1}, 30)
	return g
}

// sealed are vertices with their seals: a group of n, every step-th of which is
// taken, one group after the other.
func sealed(t testing.TB, n, step int, keys ...byte) (vertices [][]byte, hashes []Digest, seals []Seal) {
	t.Helper()
	for k, key := range keys {
		all, allHashes := someVertices(t, (k+1)*n, 10)
		all, allHashes = all[k*n:], allHashes[k*n:]
		g := groupOf(t, key, allHashes)
		for i := 0; i < n; i += step {
			vertices, hashes = append(vertices, all[i]), append(hashes, allHashes[i])
			seals = append(seals, Seal{g, uint32(i)})
		}
	}
	return vertices, hashes, seals
}

// TestGroupSigningBytesGolden freezes what creators sign: tools other than ours
// make these bytes, and signatures outlive releases.
func TestGroupSigningBytesGolden(t *testing.T) {
	v := goldenVertex()
	g, err := NewGroup([]Digest{HashVertex(encodeVertex(t, v))})
	if err != nil {
		t.Fatal(err)
	}
	const want = "01" + "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" + "00000001" +
		"f6fbf6f118d1b75757f63c52f461a373c8075231deade5ef1be7a1fc7a3fc002"
	if got := hex.EncodeToString(g.SigningBytes(goldenChain())); got != want {
		t.Errorf("signed is\n%s, not\n%s", got, want)
	}
	if g.Root() != TreeRoot([]Digest{HashVertex(encodeVertex(t, v))}) {
		t.Error("the root is not the tree's")
	}
	const id = "8cc73dff0b8e08a5443f0ca698e3fee5ac916bb2380d788bfc95009deb17d5da"
	if got := Digest(NewCreatorID("ml-dsa-87", []byte("key"))).Hex(); got != id {
		t.Errorf("the creator's name is %s, not %s", got, id)
	}
	if NewCreatorID("ml-dsa-87", []byte("key")) == NewMemberID("ml-dsa-87", []byte("key")) {
		t.Error("a member's key names a creator")
	}
}

// TestGroupRoot: what is signed is the tree over all vertices, however many.
func TestGroupRoot(t *testing.T) {
	for _, n := range []int{1, 2, 31, 32, 33, 64, 1000, GroupVerticesMax} {
		g, err := NewGroup(leaves(n))
		if err != nil {
			t.Fatal(err)
		}
		if g.Root() != TreeRoot(leaves(n)) || g.Len() != n {
			t.Errorf("the root over %d vertices is not the tree's", n)
		}
	}
	for _, n := range []int{0, GroupVerticesMax + 1} {
		if _, err := NewGroup(leaves(n)); err == nil {
			t.Errorf("%d vertices are signed together", n)
		}
	}
}

// TestAuthorisationRoundTrip takes random parts of random groups in any order:
// the section says which vertex is authorised by which signature, its size was
// foretold, and what was taken from it can be passed on in parts again.
func TestAuthorisationRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for run := range 60 {
		var vertices [][]byte
		var hashes []Digest
		var seals []Seal
		all, allHashes := someVertices(t, 400, 10)
		for at := 0; at < len(all); {
			n := min(1+rng.IntN(1+rng.IntN(200)), len(all)-at)
			g := groupOf(t, byte(rng.IntN(3)), allHashes[at:at+n])
			for i := range n {
				if rng.IntN(3) < 1+run%3 {
					vertices, hashes = append(vertices, all[at+i]), append(hashes, allHashes[at+i])
					seals = append(seals, Seal{g, uint32(i)})
				}
			}
			at += n
		}
		for hop := range 3 { // from a client to a replica to the leader to a backup
			rng.Shuffle(len(seals), func(i, j int) {
				vertices[i], vertices[j] = vertices[j], vertices[i]
				hashes[i], hashes[j] = hashes[j], hashes[i]
				seals[i], seals[j] = seals[j], seals[i]
			})
			keep := len(seals) - len(seals)/4*hop
			vertices, hashes, seals = vertices[:keep], hashes[:keep], seals[:keep]
			seals = passOn(t, vertices, hashes, seals)
		}
	}
}

// passOn encodes and parses, and gives the seals of the other side.
func passOn(t *testing.T, vertices [][]byte, hashes []Digest, seals []Seal) []Seal {
	t.Helper()
	var sealing Sealing
	for _, s := range seals {
		sealing.Add(s)
	}
	section, err := AppendAuthorisation(nil, vertices, hashes, seals)
	if err != nil {
		t.Fatal(err)
	}
	if len(section) != sealing.Size() {
		t.Fatalf("the section has %d bytes, %d were foretold", len(section), sealing.Size())
	}
	grants, err := ParseAuthorisation(section, hashes)
	if err != nil {
		t.Fatal(err)
	}
	Detach(grants)
	clear(section)
	for _, g := range grants {
		for i, leaf := range g.Leaves {
			before := seals[g.First+i]
			if HashVertex(vertices[g.First+i]) != hashes[g.First+i] {
				t.Fatal("a vertex lost its hash")
			}
			if before.Leaf != leaf || before.Group.Root() != g.Root() || before.Group.Len() != g.Len() ||
				!bytes.Equal(before.Group.Key, g.Key) || !bytes.Equal(before.Group.Signature, g.Signature) {
				t.Fatalf("vertex %d came with another seal", g.First+i)
			}
		}
	}
	return Seals(grants, len(hashes))
}

// TestSealedBatch: a batch with a section is parsed as it was built, and its
// digest binds the section.
func TestSealedBatch(t *testing.T) {
	vertices, hashes, seals := sealed(t, 40, 2, 1, 2)
	built, err := BuildSealedBatch(vertices, hashes, seals, signedParams)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseBatch(built.Bytes(), signedParams)
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Digest() != built.Digest() || len(parsed.Grants()) != 2 || parsed.Len() != len(vertices) {
		t.Errorf("got %d grants, %d vertices, digest %v; want %v", len(parsed.Grants()), parsed.Len(), parsed.Digest(), built.Digest())
	}
	proof := parsed.FinalityProof(3)
	if digest, err := proof.BatchDigest(); err != nil || digest != built.Digest() {
		t.Errorf("a proof of finality leads to %v: %v", digest, err)
	}
	seals[0].Group.Signature = bytes.Repeat([]byte{9}, 60)
	other, err := BuildSealedBatch(vertices, hashes, seals, signedParams)
	if err != nil {
		t.Fatal(err)
	}
	if other.Digest() == built.Digest() || other.Root() != built.Root() {
		t.Error("the digest does not bind the signatures, or the vertices' root does")
	}
}

// TestAuthorisationIsAgreed: whether there is a section is the chain's to say,
// and it covers every vertex. [X7]
func TestAuthorisationIsAgreed(t *testing.T) {
	vertices, hashes, seals := sealed(t, 4, 1, 1)
	if _, err := BuildSealedBatch(vertices, hashes, seals, DefaultParams()); err == nil {
		t.Error("built with signatures on a chain without")
	}
	if _, err := BuildBatch(vertices, hashes, signedParams); err == nil {
		t.Error("built without signatures on a chain that requires them")
	}
	unsigned, err := BuildBatch(vertices, hashes, DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseBatch(unsigned.Bytes(), signedParams); err == nil {
		t.Error("parsed without signatures on a chain that requires them")
	}
	seals[2] = Seal{}
	if _, err := BuildSealedBatch(vertices, hashes, seals, signedParams); err == nil {
		t.Error("built with one vertex unsigned")
	}
}

func TestParseAuthorisationRefuses(t *testing.T) {
	vertices, hashes, seals := sealed(t, 40, 2, 1, 2)
	section, err := AppendAuthorisation(nil, vertices, hashes, seals)
	if err != nil {
		t.Fatal(err)
	}
	const first = authorisationHeaderBytes + 2*20
	const bitmap = first + groupHeaderBytes + 60
	at := func(i int, value byte) func([]byte) []byte {
		return func(b []byte) []byte { b[i] = value; return b }
	}
	for _, test := range []struct {
		name   string
		change func([]byte) []byte
		want   string
	}{
		{"nothing", func([]byte) []byte { return nil }, "ends too early"},
		{"no keys", at(1, 0), "0 keys"},
		{"more keys than groups", at(1, 3), "3 keys for 2 groups"},
		{"no groups", at(3, 0), "0 groups"},
		{"more groups than vertices", at(3, 41), "41 groups cover 40"},
		{"keys of nothing", at(5, 0), "keys of 0"},
		{"keys too large", at(4, 0xff), "keys of 65"},
		{"signatures of nothing", at(7, 0), "signatures of 0"},
		{"signatures too large", at(6, 0xff), "signatures of 65"},
		{"a key twice", func(b []byte) []byte { copy(b[28:48], b[8:28]); return b }, "twice"},
		{"a key out of order", at(first+1, 1), "names key 1, out of order"},
		{"a key there is not", at(first+1, 9), "names key 9"},
		{"a group of none", at(first+3, 0), "not 0"},
		{"a group too large", at(first+2, 0xff), "1 to 1024 vertices"},
		{"none present", func(b []byte) []byte { copy(b[bitmap:], make([]byte, 5)); return b }, "covers 0"},
		{"one present less", at(bitmap, 0x54), ""},
		{"a byte more", func(b []byte) []byte { return append(b, 0) }, "1 bytes follow"},
		{"an unused key", func(b []byte) []byte {
			second := first + (len(b)-first)/2
			b[second+1] = 0
			return b
		}, "1 of 2 keys are used"},
	} {
		_, err := ParseAuthorisation(test.change(bytes.Clone(section)), hashes)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v does not say %q", test.name, err, test.want)
		}
	}
	for n := range section {
		if _, err := ParseAuthorisation(section[:n], hashes); err == nil {
			t.Fatalf("parsed the first %d of %d bytes", n, len(section))
		}
	}
	if _, err := ParseAuthorisation(section, hashes[:39]); err == nil {
		t.Error("parsed beside fewer vertices")
	}
	if _, err := ParseAuthorisation(section, append(slices.Clone(hashes), numbered(1))); err == nil {
		t.Error("parsed beside a vertex nobody signed")
	}
	odd, oddHashes, oddSeals := sealed(t, 3, 1, 1)
	if section, err = AppendAuthorisation(nil, odd, oddHashes, oddSeals); err != nil {
		t.Fatal(err)
	}
	section[len(section)-1] |= 0x10
	if _, err := ParseAuthorisation(section, oddHashes); err == nil || !strings.Contains(err.Error(), "beyond the last") {
		t.Errorf("a bitmap that names what is not there: %v", err)
	}
}

// TestAuthorisationIsSmall: a vertex of a large group carries a few bytes, of a
// group that is cut in two, a share of one path's.
func TestAuthorisationIsSmall(t *testing.T) {
	const n, signature, key = GroupVerticesMax, 4627, 2592
	g, err := NewGroup(leaves(n))
	if err != nil {
		t.Fatal(err)
	}
	g.Key, g.Signature = make([]byte, key), make([]byte, signature)
	for _, test := range []struct{ from, to, want int }{
		{0, n, authorisationHeaderBytes + key + groupHeaderBytes + signature + n/8},
		{0, 500, authorisationHeaderBytes + key + groupHeaderBytes + signature + n/8 + (16+12)*32},
		{500, n, authorisationHeaderBytes + key + groupHeaderBytes + signature + n/8 + (15+20)*32},
	} {
		var s Sealing
		for i := test.from; i < test.to; i++ {
			s.Add(Seal{g, uint32(i)})
		}
		if s.Size() != test.want {
			t.Errorf("vertices %d to %d of %d take %d bytes, not %d", test.from, test.to, n, s.Size(), test.want)
		}
	}
}

// FuzzParseAuthorisation: what is accepted is what is made of it again, and
// memory is in proportion to the input.
func FuzzParseAuthorisation(f *testing.F) {
	for _, step := range []int{1, 3, 40} {
		vertices, hashes, seals := sealed(f, 40, step, 1, 2)
		section, err := AppendAuthorisation(nil, vertices, hashes, seals)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(section, uint16(len(hashes)))
	}
	f.Fuzz(func(t *testing.T, section []byte, n uint16) {
		hashes := leaves(int(n % 2048))
		var grants []Grant
		var err error
		if used := allocated(func() { grants, err = ParseAuthorisation(section, hashes) }); used > 64<<10+32*uint64(len(section)) {
			t.Fatalf("%d bytes were allocated for %d", used, len(section))
		}
		if err != nil {
			return
		}
		again, err := AppendAuthorisation(nil, make([][]byte, len(hashes)), hashes, Seals(grants, len(hashes)))
		if err != nil || !bytes.Equal(again, section) {
			t.Fatalf("parsed %x, made %x: %v", section, again, err)
		}
	})
}
