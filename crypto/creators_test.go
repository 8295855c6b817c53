package crypto_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
)

// signedParams are those of a chain that requires creators' signatures.
func signedParams() messages.Params {
	p := messages.DefaultParams()
	p.RequireVertexSignatures = true
	return p
}

// creatorKey gives a creator's key, the same for the same number.
func creatorKey(t testing.TB, s crypto.Scheme, n byte) (crypto.PrivateKey, [32]byte) {
	t.Helper()
	key, err := s.NewKey(bytes.Repeat([]byte{n}, s.SeedSize()))
	if err != nil {
		t.Fatal(err)
	}
	return key, messages.NewCreatorID(s.Name(), key.Public().Bytes())
}

// vertexOf makes a vertex of a creator.
func vertexOf(t testing.TB, creator [32]byte, nonce uint64) []byte {
	t.Helper()
	v := messages.Vertex{Payload: []byte("payload"), Creator: creator, Nonce: nonce, Expires: 9}
	b, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func hashesOf(vertices [][]byte) []messages.Digest {
	hashes := make([]messages.Digest, len(vertices))
	for i, v := range vertices {
		hashes[i] = messages.HashVertex(v)
	}
	return hashes
}

// batchOf makes a batch of vertices sealed by a group, all or some of its leaves.
func batchOf(t testing.TB, vertices [][]byte, seals []messages.Seal) *messages.Batch {
	t.Helper()
	built, err := messages.BuildSealedBatch(vertices, hashesOf(vertices), seals, signedParams())
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := messages.ParseBatch(built.Bytes(), signedParams())
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func sealsOf(g *messages.Group, leaves ...uint32) (seals []messages.Seal) {
	for _, leaf := range leaves {
		seals = append(seals, messages.Seal{Group: g, Leaf: leaf})
	}
	return seals
}

func signed(t testing.TB, key crypto.PrivateKey, chain messages.Digest, vertices ...[]byte) *messages.Group {
	t.Helper()
	g, err := crypto.SignGroup(key, chain, hashesOf(vertices))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// A group is one verification, however many vertices it has and in however many
// parts they come, and a vertex verified once is not verified again. [X9]
func TestCreators_OneVerificationAGroup(t *testing.T) {
	eachScheme(t, func(t *testing.T, s crypto.Scheme) {
		m := newMembers(t, 4, s)
		key, id := creatorKey(t, s, 1)
		var vertices [][]byte
		for n := range 100 {
			vertices = append(vertices, vertexOf(t, id, uint64(n)))
		}
		g := signed(t, key, m.Chain(), vertices...)
		var leaves []uint32
		for n := range 100 {
			leaves = append(leaves, uint32(n))
		}
		c := m.Creators(4, 16)
		m.verified.Store(0)
		for _, part := range []struct{ from, to int }{{0, 100}, {0, 60}, {60, 100}, {99, 100}} {
			if err := c.CheckBatch(batchOf(t, vertices[part.from:part.to], sealsOf(g, leaves[part.from:part.to]...))); err != nil {
				t.Fatal(err)
			}
		}
		if want := (crypto.CreatorCounts{Verifications: 1, Remembered: 3, Expansions: 1}); m.verified.Load() != 1 || c.Counts() != want {
			t.Errorf("%d verifications, counted %+v; want %+v", m.verified.Load(), c.Counts(), want)
		}
	})
}

// No signature serves for another vertex, key, chain or purpose, and the error
// names the vertex. [X8]
func TestCreators_Refuse(t *testing.T) {
	s := schemeOf(t, "ml-dsa-44")
	m := newMembers(t, 4, s)
	key, id := creatorKey(t, s, 1)
	other, otherID := creatorKey(t, s, 2)
	good := vertexOf(t, id, 1)
	elsewhere := m.Chain()
	elsewhere[0]++
	spoil := func(change func(*messages.Group)) *messages.Group {
		g := signed(t, key, m.Chain(), good)
		change(g)
		return g
	}
	seal, err := key.Sign(crypto.PurposeBundle, signed(t, key, m.Chain(), good).SigningBytes(m.Chain()))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		vertex []byte
		group  *messages.Group
		want   crypto.CreatorReason
	}{
		{"another's key", good, signed(t, other, m.Chain(), good), crypto.NotTheCreator},
		{"another's name", vertexOf(t, otherID, 1), signed(t, key, m.Chain(), vertexOf(t, otherID, 1)), crypto.NotTheCreator},
		{"a changed signature", good, spoil(func(g *messages.Group) { g.Signature[9] ^= 1 }), crypto.BadCreatorSignature},
		{"a short signature", good, spoil(func(g *messages.Group) { g.Signature = g.Signature[1:] }), crypto.BadCreatorSignature},
		{"another chain's", good, signed(t, key, elsewhere, good), crypto.BadCreatorSignature},
		{"another vertex'", good, signed(t, key, m.Chain(), vertexOf(t, id, 2)), crypto.BadCreatorSignature},
		{"another purpose's", good, spoil(func(g *messages.Group) { g.Signature = seal }), crypto.BadCreatorSignature},
	} {
		c := m.Creators(4, 16)
		for range 2 { // what failed once fails again
			var refused *crypto.CreatorError
			err := c.CheckBatch(batchOf(t, [][]byte{test.vertex}, sealsOf(test.group, 0)))
			if !errors.As(err, &refused) || refused.Reason != test.want || refused.Vertex != 0 {
				t.Errorf("%s: %v, want %v", test.name, err, test.want)
			}
		}
	}
	short := vertexOf(t, messages.NewCreatorID(s.Name(), []byte("no key")), 1)
	g := signed(t, key, m.Chain(), short)
	g.Key = []byte("no key")
	var refused *crypto.CreatorError
	if err := m.Creators(4, 16).CheckBatch(batchOf(t, [][]byte{short}, sealsOf(g, 0))); !errors.As(err, &refused) || refused.Reason != crypto.BadCreatorKey {
		t.Errorf("no key at all: %v", err)
	}
	mine, theirs := vertexOf(t, id, 1), vertexOf(t, id, 2)
	bad := signed(t, key, m.Chain(), theirs)
	bad.Signature[0] ^= 1
	batch := batchOf(t, [][]byte{mine, theirs}, append(sealsOf(signed(t, key, m.Chain(), mine), 0), sealsOf(bad, 0)...))
	if err := m.Creators(4, 16).CheckBatch(batch); !errors.As(err, &refused) || refused.Vertex != 1 {
		t.Errorf("the second of two: %v", err)
	}
}

// A creator signs a group that holds another's vertex beside an own one, and has
// it verified with its own alone. The signature, remembered, must not serve for
// the other's vertex under the other's key. [X9]
func TestCreators_RememberTheKey(t *testing.T) {
	s := schemeOf(t, "ml-dsa-44")
	m := newMembers(t, 4, s)
	thief, thiefID := creatorKey(t, s, 1)
	victim, victimID := creatorKey(t, s, 2)
	own, stolen := vertexOf(t, thiefID, 1), vertexOf(t, victimID, 1)
	g := signed(t, thief, m.Chain(), own, stolen)
	c := m.Creators(4, 16)
	if err := c.CheckBatch(batchOf(t, [][]byte{own}, sealsOf(g, 0))); err != nil {
		t.Fatal(err)
	}
	g.Key = victim.Public().Bytes()
	var refused *crypto.CreatorError
	if err := c.CheckBatch(batchOf(t, [][]byte{stolen}, sealsOf(g, 1))); !errors.As(err, &refused) || refused.Reason != crypto.BadCreatorSignature {
		t.Errorf("a signature remembered for one key serves for another: %v", err)
	}
}

// Keys stay expanded while they are in use, and as many as agreed. [X9]
func TestCreators_KeysAreExpandedOnce(t *testing.T) {
	base := &expanding{Scheme: cryptotest.NewHMAC()}
	m := newMembers(t, 4, base)
	c := m.Creators(2, 1000)
	check := func(n byte, nonce uint64) {
		key, id := creatorKey(t, base, n)
		v := vertexOf(t, id, nonce)
		base.count = 0
		if err := c.CheckBatch(batchOf(t, [][]byte{v}, sealsOf(signed(t, key, m.Chain(), v), 0))); err != nil {
			t.Fatal(err)
		}
	}
	for i, step := range []struct {
		creator byte
		want    int
	}{{1, 1}, {1, 0}, {2, 1}, {1, 0}, {3, 1}, {1, 0}, {2, 1}, {3, 1}} {
		if check(step.creator, uint64(i)); base.count != step.want {
			t.Errorf("step %d: the key of creator %d was expanded %d times, not %d", i, step.creator, base.count, step.want)
		}
	}
}

// expanding counts how many keys were expanded. Deriving one expands none here.
type expanding struct {
	crypto.Scheme
	count int
}

func (e *expanding) ParsePublicKey(b []byte) (crypto.PublicKey, error) {
	e.count++
	return e.Scheme.ParsePublicKey(b)
}

// Many at once, under the race detector.
func TestCreators_AreSafeForConcurrentUse(t *testing.T) {
	s := cryptotest.NewHMAC()
	m := newMembers(t, 4, s)
	c := m.Creators(2, 4)
	var batches []*messages.Batch
	for n := range byte(6) {
		key, id := creatorKey(t, s, n+1)
		v := vertexOf(t, id, 1)
		batches = append(batches, batchOf(t, [][]byte{v}, sealsOf(signed(t, key, m.Chain(), v), 0)))
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 60 {
				if err := c.CheckBatch(batches[i%len(batches)]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkCreators verifies batches of vertices signed one by one, by creators
// whose keys fit into the cache or do not, and of groups, and one that comes back.
func BenchmarkCreators(b *testing.B) {
	s := schemeOf(b, "ml-dsa-87")
	m := newMembers(b, 4, s)
	for _, test := range []struct{ creators, group, remembered int }{{8, 1, 1}, {64, 1, 1}, {64, 16, 1}, {8, 1, 64}} {
		b.Run(fmt.Sprintf("creators=%d/group=%d/remembered=%d", test.creators, test.group, test.remembered), func(b *testing.B) {
			const vertices = 64
			var all [][]byte
			var seals []messages.Seal
			for i := range vertices / test.group {
				key, id := creatorKey(b, s, byte(i%test.creators))
				var group [][]byte
				for n := range test.group {
					group = append(group, vertexOf(b, id, uint64(i*test.group+n)))
				}
				g := signed(b, key, m.Chain(), group...)
				for n := range group {
					seals = append(seals, messages.Seal{Group: g, Leaf: uint32(n)})
				}
				all = append(all, group...)
			}
			batch := batchOf(b, all, seals)
			creators := m.Creators(32, test.remembered)
			for b.Loop() {
				if err := creators.CheckBatch(batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*vertices), "µs/vertex")
		})
	}
}
