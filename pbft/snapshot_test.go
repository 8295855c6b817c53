package pbft_test

import (
	"bytes"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// What checkpoints sign is the same in all builds.
func TestC1_TheStateDigestIsFrozen(t *testing.T) {
	clients := pbft.NewClients(nonceWindow)
	clients.Execute(1, creator(1), 1, 1)
	root, _ := clients.Digest()
	large := make([]byte, messages.PartBytesMax+1)
	buckets := [][]messages.Digest{pbft.HashParts([]byte("one")), nil, pbft.HashParts(large)}
	for _, tt := range []struct {
		what string
		got  messages.Digest
		want string
	}{
		{"the hash of a part", pbft.HashPart([]byte("one")), "d0d7360ab79f58ab1e1e3fe64ad77e2ea0bc07e36b5f46ed2223edd9298df9e9"},
		{"the digest of buckets", pbft.BucketsDigest(buckets), "959e9bc6a1bb67b25cf78793bdee56c09b8151a2c15ac20e9245396aedd1f468"},
		{"the digest of one piece", pbft.PieceDigest(messages.Digest{1}), "6fb684367a5f9e4ce10e5f1b3d1edeca8222df5330b61769b201c7dd4e5e5191"},
		{"the root of the client table", root, "ac61d64a8f8c8503e2e7955a4d258e86bffc013a255780c84da36e2a9466c5cf"},
		{"the state digest", pbft.StateDigest(4, digestOf(1), 5, digestOf(2), digestOf(3)), "41f0f4cd82344d6f2893ecea92b2cba06159020f892e888d01f35423b149e8e9"},
	} {
		if got := tt.got.Hex(); got != tt.want {
			t.Errorf("%s is %s, not %s", tt.what, got, tt.want)
		}
	}
}

// A bucket is hashed in parts, all but the last as large as may be, and no bytes
// of a bucket hash as another bucket's parts do.
func TestC1_BucketsAreHashedInParts(t *testing.T) {
	for _, size := range []int{0, 1, messages.PartBytesMax, messages.PartBytesMax + 1, 3*messages.PartBytesMax - 1} {
		data := bytes.Repeat([]byte{7}, size)
		parts, hashes := pbft.SplitParts(data), pbft.HashParts(data)
		if !bytes.Equal(bytes.Join(parts, nil), data) || len(parts) != len(hashes) || len(parts) != (size+messages.PartBytesMax-1)/messages.PartBytesMax {
			t.Errorf("%d bytes have %d parts and %d hashes", size, len(parts), len(hashes))
		}
		for i := range parts {
			if pbft.HashPart(parts[i]) != hashes[i] {
				t.Errorf("part %d of %d bytes has another hash", i, size)
			}
		}
	}
	one := pbft.HashParts(make([]byte, 2*messages.PartBytesMax))
	disguised := pbft.HashParts(append(bytes.Clone(one[0][:]), one[1][:]...))
	if pbft.BucketsDigest([][]messages.Digest{one}) == pbft.BucketsDigest([][]messages.Digest{disguised}) {
		t.Error("a bucket of hashes is taken for the bucket that has them")
	}
}

// A manifest is proved by a certificate for the state it stands for, from a
// quorum, and by nothing else. A change of any hash is another state.
func TestR4_AManifestIsProvedByItsCertificate(t *testing.T) {
	scheme := cryptotest.NewHMAC()
	genesis, keys, _ := cryptotest.NewMembers(4, 1, scheme)
	ring, err := crypto.NewKeyringWithScheme(genesis, scheme)
	if err != nil {
		t.Fatal(err)
	}
	certify := func(m *messages.Manifest, signers int, vote func(*messages.Vote)) *messages.Manifest {
		digest, err := pbft.ManifestDigest(m, 3)
		if err != nil {
			t.Fatal(err)
		}
		v := checkpoint(m.Seq, digest)
		vote(&v)
		m.Certificate = nil
		for i := range signers {
			b, _, err := crypto.Seal(ring, messages.Index(i), keys[i], []messages.Vote{v})
			if err != nil {
				t.Fatal(err)
			}
			m.Certificate = append(m.Certificate, b)
		}
		return m
	}
	clients := pbft.NewClients(nonceWindow)
	clients.Execute(1, creator(1), 1, 1)
	root, _ := clients.Digest()
	app := [][]messages.Digest{pbft.HashParts([]byte("a")), nil, pbft.HashParts([]byte("c"))}
	fresh := func() *messages.Manifest {
		return &messages.Manifest{Seq: 8, Head: digestOf(1), Vertices: 5, Clients: pbft.ListBuckets(clients.Hashes()), App: pbft.ListBuckets(app)}
	}
	if got, err := pbft.ManifestDigest(fresh(), 3); err != nil || got != pbft.StateDigest(8, digestOf(1), 5, pbft.BucketsDigest(app), root) {
		t.Fatalf("the manifest stands for %v: %v", got, err)
	}
	same := func(*messages.Vote) {}
	if k, err := pbft.ProveManifest(certify(fresh(), 3, same), 3, 3, ring); err != nil || k.Seq != 8 {
		t.Fatalf("a certified manifest is not proved: %v", err)
	}
	changed := func(change func(*messages.Manifest)) *messages.Manifest {
		m := certify(fresh(), 3, same)
		change(m)
		return m
	}
	for name, m := range map[string]*messages.Manifest{
		"two signatures":        certify(fresh(), 2, same),
		"another sequence":      certify(fresh(), 3, func(v *messages.Vote) { v.Seq = 16 }),
		"another kind of votes": certify(fresh(), 3, func(v *messages.Vote) { v.Kind = messages.Commit }),
		"another digest":        certify(fresh(), 3, func(v *messages.Vote) { v.Digest = digestOf(9) }),
		"another head":          changed(func(m *messages.Manifest) { m.Head = digestOf(9) }),
		"more vertices":         changed(func(m *messages.Manifest) { m.Vertices++ }),
		"no clients":            changed(func(m *messages.Manifest) { m.Clients = nil }),
		"another client bucket": changed(func(m *messages.Manifest) { m.Clients[0].Bucket++ }),
		"another hash":          changed(func(m *messages.Manifest) { m.App[1].Parts = pbft.HashParts([]byte("d")) }),
		"a bucket less":         changed(func(m *messages.Manifest) { m.App = m.App[:1] }),
		"a bucket too many":     changed(func(m *messages.Manifest) { m.App[1].Bucket = 3 }),
		"one piece":             changed(func(m *messages.Manifest) { m.Application, m.App = digestOf(1), m.App[:1] }),
	} {
		if _, err := pbft.ProveManifest(m, 3, 3, ring); err == nil {
			t.Errorf("%s: it is proved", name)
		}
	}
	if _, err := pbft.ProveManifest(certify(fresh(), 3, same), 0, 3, ring); err == nil {
		t.Error("buckets are taken for one piece")
	}
}

// A state that was taken over moves execution and the window, and touches nothing
// that was promised above it.
func TestR4_ATakenOverStateMovesTheWindowAndNothingElse(t *testing.T) {
	r := newSolo(1)
	s := r.core
	above := batchOf(12)
	r.perform(s.OnInstalled(pbft.StableCheckpoint{Seq: 8, Digest: digestOf(8)}, digestOf(1)))
	if s.Executed() != 8 || s.Head() != digestOf(1) || s.Marks().Low != 8 || s.StableCheckpoint().Seq != 8 || s.View() != 0 || !s.Active() {
		t.Fatalf("executed %d, window above %d, view %d", s.Executed(), s.Marks().Low, s.View())
	}
	s.OnBatch(0, above)
	r.perform(s.OnVotes([]verifiedVote{signed(0, prePrepare(12, above.Digest()))}))
	accepted := s.Status().Slots
	r.perform(s.OnInstalled(pbft.StableCheckpoint{Seq: 8, Digest: digestOf(8)}, digestOf(2))) // told again
	if s.Head() != digestOf(1) {
		t.Error("what was told again is believed again")
	}
	stops := only[pbft.StopSlot](s.OnInstalled(pbft.StableCheckpoint{Seq: 11, Digest: digestOf(9)}, digestOf(3)))
	if len(stops) != 3 {
		t.Errorf("%d trackers are stopped, of 9 to 11", len(stops))
	}
	if s.Executed() != 11 || len(accepted) == 0 {
		t.Errorf("executed %d, %d slots", s.Executed(), len(accepted))
	}
	other := batchOf(13)
	s.OnBatch(0, other)
	for _, e := range s.OnVotes([]verifiedVote{signed(0, inView(0, prePrepare(12, other.Digest())))}) {
		if _, flush := e.(pbft.Flush); flush {
			t.Error("a second batch is accepted where one was")
		}
	}
}
