package crypto_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
)

// aVote is a valid vote of a kind.
func aVote(kind messages.Kind) messages.Vote {
	v := messages.Vote{Kind: kind, Digest: messages.Digest{byte(kind), 0xd1}}
	switch kind {
	case messages.PrePrepare, messages.Prepare, messages.Commit:
		v.View, v.Seq = 1, 7
	case messages.Checkpoint:
		v.Seq = 128
	case messages.ViewChange, messages.NewView:
		v.View = 2
	}
	return v
}

func TestSealAndOpen(t *testing.T) {
	eachScheme(t, func(t *testing.T, s crypto.Scheme) {
		m := newMembers(t, 4, s)
		var votes []messages.Vote
		for _, kind := range messages.Kinds {
			votes = append(votes, aVote(kind))
		}
		b, sealed, err := crypto.Seal(m.Keyring, 2, m.keys[2], votes)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := m.Open(b)
		if err != nil {
			t.Fatal(err)
		}
		if m.verified.Load() != 1 {
			t.Errorf("%d signatures verified for a bundle", m.verified.Load())
		}
		restored, err := m.Restore(b)
		if err != nil {
			t.Fatal(err)
		}
		if m.verified.Load() != 1 {
			t.Error("restoring from the own journal verified a signature")
		}
		for _, got := range [][]crypto.Verified[messages.Vote]{sealed, opened, restored} {
			if len(got) != len(votes) {
				t.Fatalf("%d votes of %d", len(got), len(votes))
			}
			for i, v := range got {
				if !v.Valid() || v.Value() != votes[i] || v.From() != 2 || v.Bundle() != b {
					t.Errorf("vote %d is %v from %d, want %v from 2", i, v.Value(), v.From(), votes[i])
				}
			}
		}
	})
	if (crypto.Verified[messages.Vote]{}).Valid() {
		t.Error("a vote that nobody signed is valid")
	}
}

func TestSealRefuses(t *testing.T) {
	h := cryptotest.NewHMAC()
	m := newMembers(t, 4, h)
	good := []messages.Vote{aVote(messages.Commit)}
	for _, test := range []struct {
		name  string
		self  messages.Index
		key   crypto.PrivateKey
		votes []messages.Vote
		want  string
	}{
		{"another's key", 1, m.keys[2], good, "not member 1's"},
		{"a stranger's key", 1, keyOf(t, h, 1), good, "not member 1's"},
		{"no member", 4, m.keys[3], good, "not member 4's"},
		{"no votes", 1, m.keys[1], nil, "at least one vote"},
		{"too many votes", 1, m.keys[1], slices.Repeat(good, messages.BundleVotesMax+1), "at most 64 votes"},
		{"a bad vote", 1, m.keys[1], []messages.Vote{{Kind: messages.Commit}}, "names no sequence"},
		{"a key that fails", 1, failing{m.keys[1]}, good, errFailing.Error()},
	} {
		b, votes, err := crypto.Seal(m.Keyring, test.self, test.key, test.votes)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
		if b != nil || votes != nil {
			t.Errorf("%s: gave a bundle beside the error", test.name)
		}
	}
}

// failing is a key in a device that was pulled out.
type failing struct{ crypto.PrivateKey }

var errFailing = errors.New("no such device")

func (failing) Sign(crypto.Purpose, []byte) ([]byte, error) { return nil, errFailing }

// TestOpenRefuses: each reason, and that what costs nothing is looked at before
// a signature is verified.
func TestOpenRefuses(t *testing.T) {
	m := newMembers(t, 4, cryptotest.NewHMAC())
	for _, test := range []struct {
		name     string
		change   func(*messages.Bundle)
		want     crypto.BundleReason
		verified int64
	}{
		{"no votes", func(b *messages.Bundle) { b.Votes = nil }, crypto.Malformed, 0},
		{"too many votes", func(b *messages.Bundle) { b.Votes = slices.Repeat(b.Votes, 33) }, crypto.Malformed, 0},
		{"a bad vote", func(b *messages.Bundle) { b.Votes[1].Kind = 99 }, crypto.Malformed, 0},
		{"no signature", func(b *messages.Bundle) { b.Signature = nil }, crypto.Malformed, 0},
		{"a huge signature", func(b *messages.Bundle) { b.Signature = make([]byte, messages.SignatureBytesMax+1) }, crypto.Malformed, 0},
		{"next epoch", func(b *messages.Bundle) { b.Epoch++ }, crypto.WrongEpoch, 0},
		{"last epoch", func(b *messages.Bundle) { b.Epoch = math.MaxUint64 }, crypto.WrongEpoch, 0},
		{"first beyond the members", func(b *messages.Bundle) { b.From = 4 }, crypto.NotAMember, 0},
		{"last index", func(b *messages.Bundle) { b.From = math.MaxUint16 }, crypto.NotAMember, 0},
		{"another sender", func(b *messages.Bundle) { b.From = 2 }, crypto.BadSignature, 1},
		{"another kind", func(b *messages.Bundle) { b.Votes[0].Kind = messages.Prepare }, crypto.BadSignature, 1},
		{"another view", func(b *messages.Bundle) { b.Votes[0].View++ }, crypto.BadSignature, 1},
		{"another sequence", func(b *messages.Bundle) { b.Votes[0].Seq++ }, crypto.BadSignature, 1},
		{"another digest", func(b *messages.Bundle) { b.Votes[1].Digest[31]++ }, crypto.BadSignature, 1},
		{"a vote less", func(b *messages.Bundle) { b.Votes = b.Votes[:1] }, crypto.BadSignature, 1},
		{"a vote more", func(b *messages.Bundle) { b.Votes = append(b.Votes, aVote(messages.NewView)) }, crypto.BadSignature, 1},
		{"another order", func(b *messages.Bundle) { slices.Reverse(b.Votes) }, crypto.BadSignature, 1},
		{"a flipped signature", func(b *messages.Bundle) { b.Signature[len(b.Signature)-1] ^= 1 }, crypto.BadSignature, 1},
		{"a byte behind the signature", func(b *messages.Bundle) { b.Signature = append(b.Signature, 0) }, crypto.BadSignature, 1},
	} {
		b := m.seal(t, 1, aVote(messages.Commit), aVote(messages.Checkpoint))
		m.verified.Store(0)
		test.change(b)
		votes, err := m.Open(b)
		var refused *crypto.BundleError
		if !errors.As(err, &refused) || refused.Reason != test.want || refused.From != b.From || votes != nil {
			t.Errorf("%s: got %v, want %v of member %d", test.name, err, test.want, b.From)
		} else if !strings.Contains(err.Error(), test.want.String()) {
			t.Errorf("%s: %q does not say %q", test.name, err, test.want)
		}
		if got := m.verified.Load(); got != test.verified {
			t.Errorf("%s: %d signatures verified, want %d", test.name, got, test.verified)
		}
		// The own journal is trusted for signatures, and for nothing else.
		if _, err := m.Restore(b); (err == nil) != (test.want == crypto.BadSignature) {
			t.Errorf("%s: restored with %v", test.name, err)
		}
	}
	var refused *crypto.BundleError
	if _, err := m.Open(nil); !errors.As(err, &refused) || refused.Reason != crypto.Malformed {
		t.Errorf("no bundle: %v", err)
	}
}

// TestBundlesStayOnTheirChain: the same members, another genesis.
func TestBundlesStayOnTheirChain(t *testing.T) {
	m := newMembers(t, 4, cryptotest.NewHMAC())
	b := m.seal(t, 1, aVote(messages.Commit))
	m.genesis.Params.NonceWindow *= 2
	fork, err := crypto.NewKeyringWithScheme(m.genesis, m.scheme)
	if err != nil {
		t.Fatal(err)
	}
	var refused *crypto.BundleError
	if _, err := fork.Open(b); !errors.As(err, &refused) || refused.Reason != crypto.BadSignature {
		t.Errorf("a bundle of another chain: %v", err)
	}
	if _, err := m.Open(b); err != nil {
		t.Errorf("a bundle of this chain: %v", err)
	}
}

// TestEpochIsSigned: an epoch's keyring, once there is a second one, does not
// take what was signed in the first.
func TestEpochIsSigned(t *testing.T) {
	m := newMembers(t, 4, cryptotest.NewHMAC())
	b := m.seal(t, 1, aVote(messages.Commit))
	public := m.keys[1].Public()
	if !public.Verify(crypto.PurposeBundle, b.SigningBytes(m.Chain()), b.Signature) {
		t.Fatal("a bundle's signature does not cover its signing bytes")
	}
	b.Epoch = 1
	if public.Verify(crypto.PurposeBundle, b.SigningBytes(m.Chain()), b.Signature) {
		t.Error("a signature holds in two epochs")
	}
}

func TestReasonsPrint(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range []crypto.BundleReason{crypto.Malformed, crypto.WrongEpoch, crypto.NotAMember, crypto.BadSignature, 0, 99} {
		seen[r.String()] = true
	}
	if len(seen) != 5 { // the last two are unknown
		t.Errorf("reasons print as %v", seen)
	}
}
