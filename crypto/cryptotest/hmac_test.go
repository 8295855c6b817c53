package cryptotest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// What every scheme must do is tested in package crypto, HMAC included.

// TestHMACSchemesAreApart: the secrets of one simulation do not serve another.
func TestHMACSchemesAreApart(t *testing.T) {
	one, other := NewHMAC(), NewHMAC()
	key, err := one.NewKey(make([]byte, one.SeedSize()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ParsePublicKey(key.Public().Bytes()); err == nil {
		t.Error("a key made by another HMAC can be verified")
	}
	if _, err := one.ParsePublicKey(key.Public().Bytes()); err != nil {
		t.Error(err)
	}
}

// TestHMACIsTheSameInEveryRun, the signatures too: a failing simulation is run
// again from its seed.
func TestHMACIsTheSameInEveryRun(t *testing.T) {
	run := func() (all []byte) {
		genesis, keys, _ := NewMembers(4, 7, NewHMAC())
		all = append(all, genesis.Encode()...)
		for range 3 {
			for _, key := range keys {
				sig, err := key.Sign(crypto.PurposeBundle, []byte("m"))
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, sig...)
			}
		}
		return all
	}
	if !bytes.Equal(run(), run()) {
		t.Error("two runs differ")
	}
}

// TestHMACCannotBeForged by a member that has the scheme, the genesis, its own
// key and what others signed: what it can make of them does not verify.
func TestHMACCannotBeForged(t *testing.T) {
	h := NewHMAC()
	genesis, keys, _ := NewMembers(4, 1, h)
	victim, err := h.ParsePublicKey(genesis.Members[0].PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := keys[0].Sign(crypto.PurposeBundle, []byte("seen"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := keys[1].Sign(crypto.PurposeBundle, []byte("forged"))
	if err != nil {
		t.Fatal(err)
	}
	public, err := h.NewKey(genesis.Members[0].PublicKey) // the public key as a seed
	if err != nil {
		t.Fatal(err)
	}
	guessed, err := public.Sign(crypto.PurposeBundle, []byte("forged"))
	if err != nil {
		t.Fatal(err)
	}
	// The purpose, the nonce and the message, each boundary moved by a byte.
	shifted := append(append(bytes.Clone(seen[1:hmacNonceBytes]), 's'), seen[hmacNonceBytes:]...)
	if victim.Verify(crypto.PurposeBundle+crypto.Purpose(seen[:1]), []byte("een"), shifted) {
		t.Error("the boundary between purpose and nonce is not signed")
	}
	for what, sig := range map[string][]byte{"replayed": seen, "own": own, "of the public key": guessed} {
		if victim.Verify(crypto.PurposeBundle, []byte("forged"), sig) {
			t.Errorf("a signature %s verifies as another member's", what)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%x"} {
		if text := fmt.Sprintf(verb, victim); !strings.HasPrefix(text, "test-hmac public key ") || len(text) > 40 {
			t.Errorf("%s of a public key prints %s", verb, text)
		}
	}
}

// TestNewMembersOfEveryScheme: what is made can be used.
func TestNewMembersOfEveryScheme(t *testing.T) {
	for _, n := range []int{messages.MembersMin, messages.MembersMax} {
		h := NewHMAC()
		genesis, _, channels := NewMembers(n, 1, h)
		if _, err := crypto.NewKeyringWithScheme(genesis, h); err != nil {
			t.Error(err)
		}
		if len(channels) != n {
			t.Errorf("%d channel keys for %d members", len(channels), n)
		}
	}
	for _, name := range crypto.SchemeNames() {
		s, err := crypto.SchemeByName(name)
		if err != nil {
			t.Fatal(err)
		}
		genesis, _, _ := NewMembers(4, 1, s)
		if _, err := crypto.NewKeyring(genesis); err != nil {
			t.Error(err)
		}
	}
}
