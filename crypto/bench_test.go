package crypto_test

import (
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// A bundle of eight votes: what a replica signs for each flush, and what each
// of the others verifies.
func BenchmarkSeal(b *testing.B) {
	m, votes := benchmarked(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := crypto.Seal(m.Keyring, 1, m.keys[1], votes); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	m, votes := benchmarked(b)
	bundle := m.seal(b, 1, votes...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Open(bundle); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpenRemembered is a bundle that was verified before, as most of a
// late replica's certificates are.
func BenchmarkOpenRemembered(b *testing.B) {
	m, votes := benchmarked(b)
	k, bundle := m.Remember(1), m.seal(b, 1, votes...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Open(bundle); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParsePublicKey is what keeping the expanded keys saves.
func BenchmarkParsePublicKey(b *testing.B) {
	m, _ := benchmarked(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.scheme.ParsePublicKey(m.genesis.Members[0].PublicKey); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarked(b *testing.B) (m *members, votes []messages.Vote) {
	m = newMembers(b, 4, schemeOf(b, crypto.DefaultScheme))
	for seq := range messages.Seq(8) {
		votes = append(votes, messages.Vote{Kind: messages.Commit, Seq: 1 + seq, Digest: messages.Digest{1}})
	}
	return m, votes
}
