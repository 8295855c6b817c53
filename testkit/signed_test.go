package testkit_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
	"github.com/cretoai/consensus/testkit/byzantine"
)

func requireSignatures(p *messages.Params) { p.RequireVertexSignatures = true }

// newCreator makes a creator of a cluster's chain, the same for the same number.
func newCreator(t testing.TB, c *testkit.Cluster, n byte) *replica.Creator {
	t.Helper()
	scheme, err := crypto.SchemeByName(c.Genesis.Scheme)
	if err != nil {
		t.Fatal(err)
	}
	key, err := scheme.NewKey(bytes.Repeat([]byte{n}, scheme.SeedSize()))
	if err != nil {
		t.Fatal(err)
	}
	return replica.NewCreator(c.Genesis, key)
}

// someSigned are vertices of a creator, signed together, with nonces from first on.
func someSigned(t testing.TB, by *replica.Creator, first, n int) []replica.Vertex {
	t.Helper()
	vertices := make([]replica.Vertex, n)
	for i := range vertices {
		vertices[i] = replica.Vertex{Payload: fmt.Appendf(nil, "vertex %d", first+i), Nonce: uint64(first + i), Expires: 1 << 18}
	}
	signed, err := by.SignVertices(vertices)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// Vertices signed one by one and together are finalised, wherever they are
// proposed, cut apart and after a restart too, and are on every replica's disk
// with what proves them. [X7, X8, X9]
func TestSignedVerticesAreFinalised(t *testing.T) {
	c := testkit.NewCluster(t, 4, testkit.WithParams(requireSignatures))
	alice, bob := newCreator(t, c, 1), newCreator(t, c, 2)
	c.ProposeAll(0, someSigned(t, alice, 1, 1))
	group := someSigned(t, bob, 1, 1500) // of two signatures
	for i := range 3 {
		c.ProposeAll(1+i, group[i*500:(i+1)*500])
	}
	c.ProposeAll(2, group[400:600]) // again
	c.Restart(3)
	last := c.ProposeAll(3, append(someSigned(t, alice, 2, 1), someSigned(t, bob, 1501, 40)...))
	c.AwaitEqual(last[40].Seq)
	f, err := c.Replica(3).Find(last[7].Vertex)
	if err != nil || f.Vertex.Creator() != bob.ID() {
		t.Fatalf("found %v, %v", f, err)
	}
	keyring, err := crypto.NewKeyring(c.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	if err := keyring.OpenFinality(f.Proof(c.Genesis.Hash())); err != nil {
		t.Errorf("the receipt proves nothing: %v", err)
	}
	decided, batch, err := c.Replica(3).Batch(last[40].Seq)
	if err != nil || len(batch.Grants()) != 2 {
		t.Fatalf("sequence %d has %v: %v", last[40].Seq, batch, err)
	}
	if err := keyring.Creators(4, 4).CheckBatch(batch); err != nil {
		t.Errorf("view %d: %v", decided.View, err)
	}
}

// What is not signed as the chain requires is refused at the door, with the place
// of the vertex, and nothing of what came with it is taken. [X7, X9]
func TestTheDoorRefusesBadSignatures(t *testing.T) {
	signed, plain := testkit.NewCluster(t, 4, testkit.WithParams(requireSignatures)), testkit.NewCluster(t, 4)
	alice, bob := newCreator(t, signed, 1), newCreator(t, signed, 2)
	change := func(f func(*replica.Vertex)) []replica.Vertex {
		vertices := someSigned(t, alice, 1, 3)
		f(&vertices[1])
		return vertices
	}
	for name, test := range map[string]struct {
		c        *testkit.Cluster
		vertices []replica.Vertex
		cause    error
	}{
		"unsigned":          {signed, change(func(v *replica.Vertex) { v.Seal = messages.Seal{} }), messages.ErrUnsigned},
		"the door's own":    {signed, change(func(v *replica.Vertex) { *v = replica.Vertex{Payload: []byte("x")} }), messages.ErrUnsigned},
		"changed":           {signed, change(func(v *replica.Vertex) { v.Payload = []byte("y") }), nil},
		"another's seal":    {signed, change(func(v *replica.Vertex) { v.Seal = someSigned(t, bob, 2, 1)[0].Seal }), nil},
		"another place":     {signed, change(func(v *replica.Vertex) { v.Seal.Leaf = 0 }), nil},
		"no place":          {signed, change(func(v *replica.Vertex) { v.Seal.Leaf = 99 }), nil},
		"a bad signature":   {signed, change(func(v *replica.Vertex) { g := *v.Seal.Group; g.Signature = make([]byte, 4627); v.Seal.Group = &g }), crypto.BadCreatorSignature},
		"another's name":    {signed, change(func(v *replica.Vertex) { *v = stolen(t, signed, alice, bob) }), crypto.NotTheCreator},
		"on a plain chain":  {plain, change(func(v *replica.Vertex) { *v = someSigned(t, newCreator(t, plain, 1), 1, 1)[0] }), messages.ErrUncalledFor},
		"for another chain": {signed, change(func(v *replica.Vertex) { *v = someSigned(t, newCreator(t, plain, 1), 2, 1)[0] }), crypto.BadCreatorSignature},
	} {
		if test.c == plain {
			test.vertices[0].Seal = messages.Seal{}
		}
		_, err := test.c.Replica(0).ProposeAll(t.Context(), test.vertices)
		var refused *replica.SignatureError
		if !errors.As(err, &refused) || refused.Vertex != 1 || test.cause != nil && !errors.Is(err, test.cause) {
			t.Errorf("%s: %v, want vertex 1 and %v", name, err, test.cause)
		}
	}
	signed.AwaitEqual(signed.ProposeAll(0, someSigned(t, alice, 11, 3))[2].Seq)
	if got := signed.Replica(0).Status().Vertices; got != 3 {
		t.Errorf("%d vertices were executed, want 3: something of what was refused was taken", got)
	}
}

// stolen is a vertex in the name of one creator under the other's signature.
func stolen(t *testing.T, c *testkit.Cluster, victim, thief *replica.Creator) replica.Vertex {
	t.Helper()
	v := messages.Vertex{Payload: []byte("stolen"), Creator: victim.ID(), Nonce: 9, Expires: 1 << 18}
	encoded, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	scheme, err := crypto.SchemeByName(c.Genesis.Scheme)
	if err != nil {
		t.Fatal(err)
	}
	key, err := scheme.NewKey(bytes.Repeat([]byte{2}, scheme.SeedSize()))
	if err != nil {
		t.Fatal(err)
	}
	g, err := crypto.SignGroup(key, c.Genesis.Hash(), []messages.Digest{messages.HashVertex(encoded)})
	if err != nil || messages.NewCreatorID(c.Genesis.Scheme, g.Key) != thief.ID() {
		t.Fatal("the thief signs with another key", err)
	}
	return replica.Vertex{Payload: v.Payload, Creator: v.Creator, Nonce: v.Nonce, Expires: v.Expires, Seal: messages.Seal{Group: g}}
}

// A leader that puts forged vertices into its batches gets no vote for them, and
// is replaced; what callers wait for becomes final under the next one. [X9, N3]
func TestALeaderThatForgesVerticesIsReplaced(t *testing.T) {
	c := testkit.New(t, 4, testkit.WithParams(requireSignatures))
	c.Byzantine(0, byzantine.ForgingVertices())
	for i := range 4 {
		c.Start(i)
	}
	alice := newCreator(t, c, 1)
	receipts := c.ProposeAll(1, someSigned(t, alice, 1, 5))
	for i, r := range receipts {
		if r.View == 0 {
			t.Errorf("vertex %d is final in the liar's view", i)
		}
	}
	for i := 1; i < 4; i++ {
		if c.Replica(i).Detector().Reputation(0) >= 1 {
			t.Errorf("replica %d charges the liar with nothing", i)
		}
	}
	for seq := messages.Seq(1); seq <= receipts[4].Seq; seq++ {
		_, batch, err := c.Replica(1).Batch(seq)
		if err != nil {
			t.Fatal(err)
		}
		for i := range batch.Len() {
			if bytes.Contains(batch.Vertex(i).Payload(), []byte("forged")) {
				t.Errorf("a forged vertex is final at sequence %d", seq)
			}
		}
	}
}

// A member that forwards a vertex with a bad signature answers for it, and
// nothing that came with it is taken: it was obliged to check. [X9, E4]
func TestAForwardedForgeryIsCharged(t *testing.T) {
	c := testkit.New(t, 4, testkit.WithParams(requireSignatures))
	for i := range 3 {
		c.Start(i)
	}
	liar := play(t, c, 3, nil)
	for name, section := range map[string]func([]byte) []byte{
		"unsigned": func([]byte) []byte { return nil },
		"changed":  func(b []byte) []byte { b[len(b)-100] ^= 1; return b },
	} {
		before := c.Replica(0).Detector().Reputation(3)
		vertices := someSigned(t, newCreator(t, c, 1), 1, 2)
		encoded, hashes, seals := wired(t, vertices)
		b, err := messages.AppendAuthorisation(nil, encoded, hashes, seals)
		if err != nil {
			t.Fatal(err)
		}
		liar.send(0, cluster.LaneBatches, &messages.Forward{Vertices: bytes.Join(encoded, nil), Authorisation: section(b)})
		c.AwaitEvent(0, func(e messages.Event) bool {
			v, ok := e.(messages.ViolationDetected)
			return ok && v.Member == 3
		}, func() bool { return c.Replica(0).Detector().Reputation(3) < before })
		if got := c.Replica(0).Status().Vertices; got != 0 {
			t.Errorf("%s: %d vertices were executed", name, got)
		}
	}
	c.AwaitEqual(c.ProposeAll(1, someSigned(t, newCreator(t, c, 1), 1, 2))[1].Seq)
}

// wired are vertices as they travel.
func wired(t *testing.T, vertices []replica.Vertex) (encoded [][]byte, hashes []messages.Digest, seals []messages.Seal) {
	t.Helper()
	for _, v := range vertices {
		m := messages.Vertex{Payload: v.Payload, Creator: v.Creator, Nonce: v.Nonce, Expires: v.Expires}
		b, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		encoded, hashes, seals = append(encoded, b), append(hashes, messages.HashVertex(b)), append(seals, v.Seal)
	}
	return encoded, hashes, seals
}

// A replica that missed signed batches gets them by their certificates, and
// verifies no creator's signature for that. [X9]
func TestCatchingUpVerifiesNoCreators(t *testing.T) {
	base, err := crypto.SchemeByName(crypto.DefaultScheme)
	if err != nil {
		t.Fatal(err)
	}
	counted := &counting{Scheme: base}
	c := testkit.New(t, 4, testkit.WithParams(func(p *messages.Params) {
		requireSignatures(p)
		p.CheckpointInterval, p.Window, p.SnapshotInterval = 4, 8, 16
	}), testkit.WithReplica(func(i int) []replica.Option {
		if i == 3 {
			return []replica.Option{replica.WithScheme(counted)}
		}
		return nil
	}))
	for i := range 3 {
		c.Start(i)
	}
	alice := newCreator(t, c, 1)
	for i := range 12 {
		c.ProposeAll(i%3, someSigned(t, alice, 1+i, 1))
	}
	for i := range 3 {
		c.AwaitStable(i, 12) // nobody sends votes for these again
	}
	c.Start(3)
	c.AwaitEqual(12)
	if got := counted.vertices.Load(); got != 0 || c.Replica(3).Status().Vertices != 12 {
		t.Errorf("%d creators' signatures were verified for %d vertices", got, c.Replica(3).Status().Vertices)
	}
	c.AwaitEqual(c.ProposeAll(0, someSigned(t, alice, 13, 1))[0].Seq)
	if got := counted.vertices.Load(); got != 1 {
		t.Errorf("%d creators' signatures were verified for a new one", got)
	}
}

// counting counts the verifications of creators' signatures.
type counting struct {
	crypto.Scheme
	vertices atomic.Int64
}

func (s *counting) ParsePublicKey(b []byte) (crypto.PublicKey, error) {
	key, err := s.Scheme.ParsePublicKey(b)
	return countingKey{key, s}, err
}

type countingKey struct {
	crypto.PublicKey
	by *counting
}

func (k countingKey) Verify(p crypto.Purpose, msg, sig []byte) bool {
	if p == crypto.PurposeVertex {
		k.by.vertices.Add(1)
	}
	return k.PublicKey.Verify(p, msg, sig)
}
