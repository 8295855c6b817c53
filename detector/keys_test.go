package detector

import (
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
)

// signers are the members of a chain, with their keys.
type signers struct {
	*crypto.Keyring
	t    testing.TB
	keys []crypto.PrivateKey
}

func newSigners(t testing.TB, n int) *signers { return newChain(t, n, "ml-dsa-44", 4096) }

// newChain gives the same members the same keys on every chain; the nonce
// window tells chains apart.
func newChain(t testing.TB, n int, schemeName string, nonceWindow uint32) *signers {
	t.Helper()
	scheme, err := crypto.SchemeByName(schemeName)
	if err != nil {
		t.Fatal(err)
	}
	genesis, keys, _ := cryptotest.NewMembers(n, 1, scheme)
	genesis.Params.NonceWindow = nonceWindow
	keyring, err := crypto.NewKeyring(genesis)
	if err != nil {
		t.Fatalf("keyring: %v", err)
	}
	return &signers{keyring, t, keys}
}

// sign gives the votes as a receiver of the bundle has them.
func (s *signers) sign(from messages.Index, votes ...messages.Vote) []crypto.Verified[messages.Vote] {
	s.t.Helper()
	b, _, err := crypto.Seal(s.Keyring, from, s.keys[from], votes)
	if err != nil {
		s.t.Fatalf("seal: %v", err)
	}
	opened, err := s.Open(b)
	if err != nil {
		s.t.Fatalf("open: %v", err)
	}
	return opened
}

func (s *signers) one(from messages.Index, vote messages.Vote) crypto.Verified[messages.Vote] {
	s.t.Helper()
	return s.sign(from, vote)[0]
}

// lie is evidence of a member's two prepares at a sequence.
func (s *signers) lie(from messages.Index, seq messages.Seq) Evidence {
	s.t.Helper()
	e, proof := Equivocation(s.one(from, prepare(seq, 1)), s.one(from, prepare(seq, 2)))
	if !proof {
		s.t.Fatal("two prepares for one place are no proof")
	}
	return e
}

func digest(b byte) messages.Digest { return messages.Digest{b} }

func prepare(seq messages.Seq, d byte) messages.Vote {
	return messages.Vote{Kind: messages.Prepare, Seq: seq, Digest: digest(d)}
}

// legal is a legal vote of the kind at a place, as far as the kind has one.
func legal(kind messages.Kind, view messages.View, seq messages.Seq, d byte) messages.Vote {
	v := messages.Vote{Kind: kind, View: view, Seq: seq, Digest: digest(d)}
	switch kind {
	case messages.Checkpoint:
		v.View = 0
	case messages.ViewChange, messages.NewView:
		v.Seq = 0
	}
	return v
}
