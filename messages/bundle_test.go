package messages

import (
	"bytes"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"
)

// goldenBundle is the bundle whose signed bytes are frozen.
func goldenBundle() *Bundle {
	return &Bundle{
		Epoch: 0x0102030405060708,
		From:  0x090a,
		Votes: []Vote{
			{Kind: PrePrepare, View: 3, Seq: 4, Digest: Digest(bytes.Repeat([]byte{0xd1}, 32))},
			{Kind: Checkpoint, Seq: 128, Digest: Digest(bytes.Repeat([]byte{0xd2}, 32))},
		},
		Signature: []byte("signature"),
	}
}

func goldenChain() (chain Digest) {
	for i := range chain {
		chain[i] = byte(i)
	}
	return chain
}

// TestSigningBytesGolden freezes what is signed: one byte elsewhere and
// replicas of two releases take each other for forgers.
func TestSigningBytesGolden(t *testing.T) {
	want := strings.Join([]string{
		"01", // version
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", // chain
		"0102030405060708", // epoch
		"090a",             // from
		"0002",             // votes
		"01", "0000000000000003", "0000000000000004", strings.Repeat("d1", 32),
		"04", "0000000000000000", "0000000000000080", strings.Repeat("d2", 32),
	}, "")
	if got := hex.EncodeToString(goldenBundle().SigningBytes(goldenChain())); got != want {
		t.Errorf("signing bytes\n%s, want\n%s", got, want)
	}
}

// TestSigningBytesBindEveryField: a bundle that differs in anything but its
// signature signs something else.
func TestSigningBytesBindEveryField(t *testing.T) {
	golden := string(goldenBundle().SigningBytes(goldenChain()))
	seen := map[string]string{golden: "golden"}
	for _, test := range []struct {
		name   string
		change func(*Bundle, *Digest)
	}{
		{"chain", func(_ *Bundle, c *Digest) { c[31] ^= 1 }},
		{"epoch", func(b *Bundle, _ *Digest) { b.Epoch++ }},
		{"from", func(b *Bundle, _ *Digest) { b.From++ }},
		{"kind", func(b *Bundle, _ *Digest) { b.Votes[0].Kind = Prepare }},
		{"view", func(b *Bundle, _ *Digest) { b.Votes[0].View = math.MaxUint64 }},
		{"seq", func(b *Bundle, _ *Digest) { b.Votes[0].Seq = math.MaxUint64 }},
		{"view and seq exchanged", func(b *Bundle, _ *Digest) { b.Votes[0].View, b.Votes[0].Seq = 4, 3 }},
		{"digest", func(b *Bundle, _ *Digest) { b.Votes[1].Digest[31] ^= 1 }},
		{"order", func(b *Bundle, _ *Digest) { slices.Reverse(b.Votes) }},
		{"a vote less", func(b *Bundle, _ *Digest) { b.Votes = b.Votes[:1] }},
		{"a vote twice", func(b *Bundle, _ *Digest) { b.Votes = append(b.Votes, b.Votes[1]) }},
	} {
		b, chain := goldenBundle(), goldenChain()
		test.change(b, &chain)
		signed := string(b.SigningBytes(chain))
		if count := signed[43:45]; count != string([]byte{0, byte(len(b.Votes))}) {
			t.Errorf("%s: %d votes are counted as %x", test.name, len(b.Votes), count)
		}
		if was, ok := seen[signed]; ok {
			t.Errorf("%s: signs what %s signs", test.name, was)
		}
		seen[signed] = test.name
	}
	b := goldenBundle()
	b.Signature = []byte("another")
	if string(b.SigningBytes(goldenChain())) != golden {
		t.Error("a signature is part of what is signed")
	}
}

func TestBundleValidate(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Bundle)
		want   string // part of the refusal; "" if accepted
	}{
		{"golden", func(*Bundle) {}, ""},
		{"most votes", func(b *Bundle) { b.Votes = slices.Repeat(b.Votes, BundleVotesMax/2) }, ""},
		{"longest signature", func(b *Bundle) { b.Signature = make([]byte, SignatureBytesMax) }, ""},
		{"no votes", func(b *Bundle) { b.Votes = nil }, "at least one vote"},
		{"a vote too many", func(b *Bundle) { b.Votes = slices.Repeat(b.Votes[:1], BundleVotesMax+1) }, "at most 64 votes, not 65"},
		{"no signature", func(b *Bundle) { b.Signature = nil }, "is signed"},
		{"too long a signature", func(b *Bundle) { b.Signature = make([]byte, SignatureBytesMax+1) }, "at most 5120 bytes, not 5121"},
		{"a bad vote", func(b *Bundle) { b.Votes[1].View = 1 }, "vote 1: a checkpoint"},
	} {
		b := goldenBundle()
		test.change(b)
		checkRefusal(t, test.name, b.Validate(), test.want)
	}
	checkRefusal(t, "nil", (*Bundle)(nil).Validate(), "no bundle")
}

func TestVoteValidate(t *testing.T) {
	d := numbered(1)
	for _, test := range []struct {
		name string
		vote Vote
		want string
	}{
		{"pre-prepare in view 0", Vote{PrePrepare, 0, 1, d}, ""},
		{"prepare", Vote{Prepare, math.MaxUint64, math.MaxUint64, d}, ""},
		{"commit for the null batch", Vote{Commit, 1, 1, NullDigest}, ""},
		{"checkpoint", Vote{Checkpoint, 0, 128, d}, ""},
		{"view change", Vote{ViewChange, 1, 0, d}, ""},
		{"new view", Vote{NewView, 1, 0, d}, ""},
		{"pre-prepare of nothing", Vote{PrePrepare, 0, 0, d}, "names no sequence"},
		{"prepare of nothing", Vote{Prepare, 0, 0, d}, "names no sequence"},
		{"commit of nothing", Vote{Commit, 0, 0, d}, "names no sequence"},
		{"checkpoint at genesis", Vote{Checkpoint, 0, 0, d}, "has a sequence and no view"},
		{"checkpoint in a view", Vote{Checkpoint, 1, 128, d}, "has a sequence and no view"},
		{"change to view 0", Vote{ViewChange, 0, 0, d}, "has a view and no sequence"},
		{"view change with a sequence", Vote{ViewChange, 1, 1, d}, "has a view and no sequence"},
		{"new view 0", Vote{NewView, 0, 0, d}, "has a view and no sequence"},
		{"new view with a sequence", Vote{NewView, 1, 1, d}, "has a view and no sequence"},
		{"kind 0", Vote{0, 1, 1, d}, "unknown vote kind 0"},
		{"kind 7", Vote{NewView + 1, 1, 1, d}, "unknown vote kind 7"},
		{"no digest", Vote{Commit, 0, 1, Digest{}}, "names no digest"},
	} {
		checkRefusal(t, test.name, test.vote.Validate(), test.want)
	}
}

func TestVoteBytesRoundTrip(t *testing.T) {
	for i, kind := range Kinds {
		want := Vote{kind, View(i), math.MaxUint64 - Seq(i), numbered(i)}
		b := want.AppendTo(nil)
		if got, err := ParseVote(b); err != nil || got != want {
			t.Errorf("%v was read back as %v (%v)", want, got, err)
		}
		if int(kind) != i+1 {
			t.Errorf("%v has the number %d; numbers are signed and never change", kind, kind)
		}
	}
	for _, n := range []int{0, VoteBytes - 1, VoteBytes + 1} {
		if v, err := ParseVote(make([]byte, n)); err == nil {
			t.Errorf("%d bytes were read as %v", n, v)
		}
	}
}

// checkRefusal compares an error with a part of its text; "" stands for none.
func checkRefusal(t *testing.T, name string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: got %v, want %s", name, err, want)
	}
}
