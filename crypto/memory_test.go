package crypto_test

import (
	"bytes"
	"slices"
	"sync"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

func commit(seq messages.Seq) messages.Vote {
	return messages.Vote{Kind: messages.Commit, Seq: seq, Digest: messages.Digest{1}}
}

func copyOf(b *messages.Bundle) *messages.Bundle {
	c := *b
	c.Votes, c.Signature = slices.Clone(b.Votes), bytes.Clone(b.Signature)
	return &c
}

// A bundle that comes again, also as part of a certificate and as another copy,
// is not verified again.
func TestRemember_VerifiesOnce(t *testing.T) {
	m := newMembers(t, 4, schemeOf(t, "ml-dsa-44"))
	k := m.Remember(8)
	var certificate []*messages.Bundle
	for from := range messages.Index(3) {
		certificate = append(certificate, m.seal(t, from, commit(1), commit(2)))
	}
	m.verified.Store(0)
	for range 3 {
		for _, b := range certificate {
			if _, err := k.Open(copyOf(b)); err != nil {
				t.Fatal(err)
			}
		}
		for seq := range messages.Seq(2) {
			if err := k.OpenCertificate(messages.Commit, 0, seq+1, messages.Digest{1}, certificate, 3); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := m.verified.Load(); got != 3 {
		t.Errorf("%d signatures were verified, want 3", got)
	}
	if got := k.Remembered(); got != 3*3*3-3 {
		t.Errorf("%d verifications were saved, want %d", got, 3*3*3-3)
	}
	if got := m.Remembered(); got != 0 {
		t.Errorf("a keyring without a memory saved %d", got)
	}
}

// What was verified vouches for nothing else: not for another signature, other
// votes, another member, another epoch or another chain; and what failed once
// fails again.
func TestRemember_VouchesForNothingElse(t *testing.T) {
	m := newMembers(t, 4, schemeOf(t, "ml-dsa-44"))
	k := m.Remember(8)
	good := m.seal(t, 1, commit(1), commit(2))
	if _, err := k.Open(good); err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(*messages.Bundle){
		"signature":     func(b *messages.Bundle) { b.Signature[7] ^= 1 },
		"a longer one":  func(b *messages.Bundle) { b.Signature = append(b.Signature, 0) },
		"a shorter one": func(b *messages.Bundle) { b.Signature = b.Signature[1:] },
		"vote":          func(b *messages.Bundle) { b.Votes[1].Seq = 3 },
		"fewer votes":   func(b *messages.Bundle) { b.Votes = b.Votes[:1] },
		"order":         func(b *messages.Bundle) { b.Votes[0], b.Votes[1] = b.Votes[1], b.Votes[0] },
		"member":        func(b *messages.Bundle) { b.From = 2 },
		"epoch":         func(b *messages.Bundle) { b.Epoch = 1 },
	}
	for name, change := range tests {
		for range 2 {
			b := copyOf(good)
			change(b)
			if _, err := k.Open(b); err == nil {
				t.Errorf("%s: a changed bundle opens", name)
			}
		}
	}
	if got := k.Remembered(); got != 0 {
		t.Errorf("%d changed bundles were taken for the one remembered", got)
	}

	genesis := *m.genesis
	genesis.Params.NonceWindow *= 2
	other, err := crypto.NewKeyringWithScheme(&genesis, m.scheme)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Remember(8).Open(good); err == nil {
		t.Error("a bundle of another chain opens")
	}
}

// The memory is bounded, and a member that fills it pushes out its own only.
func TestRemember_Bounded(t *testing.T) {
	m := newMembers(t, 4, schemeOf(t, "ml-dsa-44"))
	k := m.Remember(4)
	open := func(b *messages.Bundle) (verified bool) {
		t.Helper()
		before := m.verified.Load()
		if _, err := k.Open(b); err != nil {
			t.Fatal(err)
		}
		return m.verified.Load() > before
	}
	quiet := m.seal(t, 2, commit(1))
	open(quiet)
	var flood []*messages.Bundle
	for seq := range messages.Seq(10) {
		flood = append(flood, m.seal(t, 1, commit(seq+1)))
		open(flood[seq])
	}
	if open(quiet) {
		t.Error("one member's flood pushed out another's bundle")
	}
	for i := 9; i >= 6; i-- {
		if open(flood[i]) {
			t.Errorf("bundle %d of 10 was forgotten, where 4 are remembered", i)
		}
	}
	if !open(flood[5]) {
		t.Error("a fifth bundle is remembered, where 4 are")
	}
}

// Workers verify at the same time with one keyring.
func TestRemember_Concurrently(t *testing.T) {
	m := newMembers(t, 4, schemeOf(t, "ml-dsa-44"))
	k := m.Remember(3)
	var bundles []*messages.Bundle
	for seq := range messages.Seq(6) {
		bundles = append(bundles, m.seal(t, messages.Index(seq%2), commit(seq+1)))
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 60 {
				if _, err := k.Open(bundles[(w+i)%len(bundles)]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
