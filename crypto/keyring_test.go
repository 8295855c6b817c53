package crypto_test

import (
	"bytes"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
)

// members are a membership with its keys and a keyring that counts how many
// signatures it verifies.
type members struct {
	*crypto.Keyring
	genesis  *messages.Genesis
	keys     []crypto.PrivateKey
	scheme   *counting
	verified *atomic.Int64
}

func newMembers(t testing.TB, n int, base crypto.Scheme) *members {
	t.Helper()
	m := &members{verified: new(atomic.Int64)}
	m.genesis, m.keys, _ = cryptotest.NewMembers(n, 1, base)
	m.scheme = &counting{base, m.verified}
	keyring, err := crypto.NewKeyringWithScheme(m.genesis, m.scheme)
	if err != nil {
		t.Fatal(err)
	}
	m.Keyring = keyring
	m.verified.Store(0)
	return m
}

// seal makes a bundle of votes in the name of a member.
func (m *members) seal(t testing.TB, from messages.Index, votes ...messages.Vote) *messages.Bundle {
	t.Helper()
	b, _, err := crypto.Seal(m.Keyring, from, m.keys[from], votes)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// counting is a scheme whose public keys count what they verify.
type counting struct {
	crypto.Scheme
	verified *atomic.Int64
}

func (c *counting) ParsePublicKey(b []byte) (crypto.PublicKey, error) {
	key, err := c.Scheme.ParsePublicKey(b)
	return &countingKey{key, c.verified}, err
}

type countingKey struct {
	crypto.PublicKey
	verified *atomic.Int64
}

func (k *countingKey) Verify(p crypto.Purpose, msg, sig []byte) bool {
	k.verified.Add(1)
	return k.PublicKey.Verify(p, msg, sig)
}

func TestKeyring(t *testing.T) {
	for _, test := range []struct{ n, quorum, weak, faulty int }{{4, 3, 2, 1}, {5, 4, 2, 1}, {7, 5, 3, 2}, {64, 43, 22, 21}} {
		m := newMembers(t, test.n, cryptotest.NewHMAC())
		if m.N() != test.n || m.Quorum() != test.quorum || m.Weak() != test.weak || m.MaxFaulty() != test.faulty {
			t.Errorf("n=%d q=%d f+1=%d f=%d, want %+v", m.N(), m.Quorum(), m.Weak(), m.MaxFaulty(), test)
		}
		if m.Chain() != m.genesis.Hash() || m.Epoch() != 0 {
			t.Errorf("chain %v epoch %d, want %v in epoch 0", m.Chain(), m.Epoch(), m.genesis.Hash())
		}
		for i, key := range m.keys {
			if got, ok := m.IndexOfKey(key.Public()); !ok || int(got) != i {
				t.Errorf("the key of member %d is found as that of %d (%v)", i, got, ok)
			}
		}
	}
	h := cryptotest.NewHMAC()
	if i, ok := newMembers(t, 4, h).IndexOfKey(keyOf(t, h, 1).Public()); ok {
		t.Errorf("a stranger's key is found as that of member %d", i)
	}
}

// TestNewKeyringRefuses: the error names the member at fault.
func TestNewKeyringRefuses(t *testing.T) {
	scheme := schemeOf(t, "ml-dsa-44")
	for _, test := range []struct {
		name   string
		change func(*messages.Genesis)
		want   string // part of the refusal; "" if accepted
	}{
		{"golden", func(*messages.Genesis) {}, ""},
		{"unknown scheme", func(g *messages.Genesis) { g.Scheme = "rsa" }, `unknown signature algorithm "rsa": known are ml-dsa-87`},
		{"the simulator's scheme", func(g *messages.Genesis) { g.Scheme = "test-hmac" }, `unknown signature algorithm "test-hmac"`},
		{"another scheme", func(g *messages.Genesis) { g.Scheme = "ml-dsa-87" }, "member 0 (replica-0): a public key of ml-dsa-87 has 2592 bytes, not 1312"},
		{"invalid", func(g *messages.Genesis) { g.Members = g.Members[:3] }, "3 members"},
		{"short public key", func(g *messages.Genesis) { g.Members[2].PublicKey = g.Members[2].PublicKey[1:] }, "member 2 (replica-2): a public key of ml-dsa-44"},
		{"another public key", func(g *messages.Genesis) { g.Members[2].PublicKey[0] ^= 1 }, "member 2 (replica-2): channel_signature"},
		{"another channel key", func(g *messages.Genesis) { g.Members[2].ChannelKey[0] ^= 1 }, "member 2 (replica-2): channel_signature"},
		{"another name", func(g *messages.Genesis) { g.Members[2].Name = "x" }, "member 2 (x): channel_signature"},
		{"another chain", func(g *messages.Genesis) { g.ChainID = "other" }, "member 0 (replica-0): channel_signature"},
		{"another's channel signature", func(g *messages.Genesis) { g.Members[3].ChannelSignature = g.Members[0].ChannelSignature }, "member 3 (replica-3): channel_signature"},
		{"short channel signature", func(g *messages.Genesis) { g.Members[3].ChannelSignature = []byte{1} }, "member 3 (replica-3): channel_signature"},
	} {
		g, _, _ := cryptotest.NewMembers(4, 1, scheme)
		test.change(g)
		_, err := crypto.NewKeyring(g)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
	g, _, _ := cryptotest.NewMembers(4, 1, scheme)
	if _, err := crypto.NewKeyringWithScheme(g, schemeOf(t, "ml-dsa-65")); err == nil || !strings.Contains(err.Error(), `names the signature algorithm "ml-dsa-44", not "ml-dsa-65"`) {
		t.Errorf("another scheme than the genesis names: %v", err)
	}
}

// TestChannelSignatureHasAPurpose: a vote's signature cannot stand for a
// channel key.
func TestChannelSignatureHasAPurpose(t *testing.T) {
	g, keys, _ := cryptotest.NewMembers(4, 1, schemeOf(t, "ml-dsa-44"))
	m := &g.Members[1]
	binding := messages.ChannelBinding(g.ChainID, m.Name, m.PublicKey, m.ChannelKey)
	m.ChannelSignature = sign(t, keys[1], crypto.PurposeBundle, binding)
	if _, err := crypto.NewKeyring(g); err == nil {
		t.Error("a signature made for bundles binds a channel key")
	}
}

// TestKeyringDoesNotChange with the genesis it was made of.
func TestKeyringDoesNotChange(t *testing.T) {
	m := newMembers(t, 4, cryptotest.NewHMAC())
	chain, vote := m.Chain(), aVote(messages.Commit)
	b := m.seal(t, 1, vote)
	m.genesis.ChainID = "other"
	clear(m.genesis.Members[1].PublicKey)
	slices.Reverse(m.genesis.Members)
	if m.Chain() != chain {
		t.Error("the chain changed with the genesis")
	}
	if _, err := m.Open(b); err != nil {
		t.Errorf("the keys changed with the genesis: %v", err)
	}
	if i, ok := m.IndexOfKey(m.keys[1].Public()); !ok || i != 1 {
		t.Error("the members changed with the genesis")
	}
}

func TestMembersAreTheSameForTheSameSeed(t *testing.T) {
	h := cryptotest.NewHMAC()
	one, keys, channels := cryptotest.NewMembers(5, 3, h)
	again, _, _ := cryptotest.NewMembers(5, 3, h)
	other, _, _ := cryptotest.NewMembers(5, 4, h)
	if one.Hash() != again.Hash() || one.Hash() == other.Hash() {
		t.Errorf("the seeds 3, 3 and 4 give the chains %v, %v and %v", one.Hash(), again.Hash(), other.Hash())
	}
	for i, m := range one.Members {
		if !bytes.Equal(m.PublicKey, keys[i].Public().Bytes()) || !bytes.Equal(m.ChannelKey, channels[i][32:]) {
			t.Errorf("the keys of member %d are not those in the genesis", i)
		}
	}
}
