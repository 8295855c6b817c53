package crypto_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
)

// eachScheme runs a test for every scheme, the stand-in included: what the
// simulator relies on must hold for what is shipped, and the other way round.
func eachScheme(t *testing.T, test func(*testing.T, crypto.Scheme)) {
	t.Helper()
	schemes := []crypto.Scheme{cryptotest.NewHMAC()}
	for _, name := range crypto.SchemeNames() {
		schemes = append(schemes, schemeOf(t, name))
	}
	for _, s := range schemes {
		t.Run(s.Name(), func(t *testing.T) { test(t, s) })
	}
}

func schemeOf(t testing.TB, name string) crypto.Scheme {
	t.Helper()
	s, err := crypto.SchemeByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// keyOf derives a key from a seed of equal bytes.
func keyOf(t testing.TB, s crypto.Scheme, seed byte) crypto.PrivateKey {
	t.Helper()
	key, err := s.NewKey(bytes.Repeat([]byte{seed}, s.SeedSize()))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, key crypto.PrivateKey, p crypto.Purpose, msg []byte) []byte {
	t.Helper()
	sig, err := key.Sign(p, msg)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func TestSchemeByName(t *testing.T) {
	if want := []string{"ml-dsa-87", "ml-dsa-65", "ml-dsa-44"}; !slices.Equal(crypto.SchemeNames(), want) {
		t.Errorf("schemes %q, want %q", crypto.SchemeNames(), want)
	}
	for _, name := range crypto.SchemeNames() {
		if s := schemeOf(t, name); s.Name() != name {
			t.Errorf("%s is found as %s", name, s.Name())
		}
	}
	for _, name := range []string{"", "ML-DSA-87", "ed25519", "test-hmac"} {
		s, err := crypto.SchemeByName(name)
		if err == nil {
			t.Errorf("%q is found as %s", name, s.Name())
		} else if !strings.Contains(err.Error(), "ml-dsa-87, ml-dsa-65, ml-dsa-44") {
			t.Errorf("%q: %v does not list what is known", name, err)
		}
	}
	if crypto.DefaultScheme != "ml-dsa-87" {
		t.Errorf("a new chain signs with %s", crypto.DefaultScheme)
	}
}

// TestSizes has the sizes of FIPS 204, table 2.
func TestSizes(t *testing.T) {
	for name, want := range map[string][3]int{
		"ml-dsa-44": {32, 1312, 2420},
		"ml-dsa-65": {32, 1952, 3309},
		"ml-dsa-87": {32, 2592, 4627},
	} {
		s := schemeOf(t, name)
		if got := [3]int{s.SeedSize(), s.PublicKeySize(), s.SignatureSize()}; got != want {
			t.Errorf("%s: seed, public key and signature have %v bytes, want %v", name, got, want)
		}
	}
	eachScheme(t, func(t *testing.T, s crypto.Scheme) {
		key := keyOf(t, s, 1)
		if n := len(key.Public().Bytes()); n != s.PublicKeySize() {
			t.Errorf("a public key has %d bytes, not %d", n, s.PublicKeySize())
		}
		if n := len(sign(t, key, crypto.PurposeBundle, nil)); n != s.SignatureSize() {
			t.Errorf("a signature has %d bytes, not %d", n, s.SignatureSize())
		}
		for _, n := range []int{0, s.SeedSize() - 1, s.SeedSize() + 1} {
			if _, err := s.NewKey(make([]byte, n)); err == nil || !strings.Contains(err.Error(), fmt.Sprint(n)) {
				t.Errorf("a seed of %d bytes: %v", n, err)
			}
		}
		for _, n := range []int{0, s.PublicKeySize() - 1, s.PublicKeySize() + 1} {
			if _, err := s.ParsePublicKey(make([]byte, n)); err == nil || !strings.Contains(err.Error(), fmt.Sprint(n)) {
				t.Errorf("a public key of %d bytes: %v", n, err)
			}
		}
	})
}

// TestKeysFollowFromSeeds: a key file holds the seed only.
func TestKeysFollowFromSeeds(t *testing.T) {
	eachScheme(t, func(t *testing.T, s crypto.Scheme) {
		key, again, other := keyOf(t, s, 1), keyOf(t, s, 1), keyOf(t, s, 2)
		if !bytes.Equal(key.Public().Bytes(), again.Public().Bytes()) {
			t.Error("one seed gives two keys")
		}
		if bytes.Equal(key.Public().Bytes(), other.Public().Bytes()) {
			t.Error("two seeds give one key")
		}
		sig := sign(t, key, crypto.PurposeBundle, []byte("m"))
		if !again.Public().Verify(crypto.PurposeBundle, []byte("m"), sig) {
			t.Error("a key does not verify what the same key signed")
		}
		if other.Public().Verify(crypto.PurposeBundle, []byte("m"), sig) {
			t.Error("a key verifies what another signed")
		}
	})
}

// TestPurposesAreApart: a signature made for one purpose is none for another,
// nor without a purpose, nor for the purpose's bytes moved into the message.
func TestPurposesAreApart(t *testing.T) {
	purposes := []crypto.Purpose{crypto.PurposeBundle, crypto.PurposeVertex, crypto.PurposeGenesis, ""}
	msg := []byte("message")
	eachScheme(t, func(t *testing.T, s crypto.Scheme) {
		key := keyOf(t, s, 1)
		for _, made := range purposes {
			sig := sign(t, key, made, msg)
			for _, used := range purposes {
				if got := key.Public().Verify(used, msg, sig); got != (made == used) {
					t.Errorf("made for %q, verified for %q: %v", made, used, got)
				}
			}
		}
		sig := sign(t, key, "ab", []byte("c"))
		if key.Public().Verify("a", []byte("bc"), sig) {
			t.Error("the boundary between purpose and message is not signed")
		}
		long := crypto.Purpose(strings.Repeat("x", 256))
		if _, err := key.Sign(long, msg); err == nil {
			t.Error("signed for a purpose of 256 bytes; FIPS 204 has room for 255")
		}
		if key.Public().Verify(long, msg, sig) {
			t.Error("verified for a purpose of 256 bytes")
		}
	})
}

// TestSigningIsHedged: who compares signatures instead of what they sign must
// be found out.
func TestSigningIsHedged(t *testing.T) {
	eachScheme(t, func(t *testing.T, s crypto.Scheme) {
		key := keyOf(t, s, 1)
		one := sign(t, key, crypto.PurposeBundle, []byte("m"))
		other := sign(t, key, crypto.PurposeBundle, []byte("m"))
		if bytes.Equal(one, other) {
			t.Error("signing twice gave one signature")
		}
		for _, sig := range [][]byte{one, other} {
			if !key.Public().Verify(crypto.PurposeBundle, []byte("m"), sig) {
				t.Error("one of two signatures does not verify")
			}
		}
	})
}

// TestSignaturesHaveOneForm: appended, cut off and flipped bytes.
func TestSignaturesHaveOneForm(t *testing.T) {
	eachScheme(t, func(t *testing.T, s crypto.Scheme) {
		key := keyOf(t, s, 1)
		sig := sign(t, key, crypto.PurposeBundle, []byte("m"))
		size := len(sig)
		for _, bad := range [][]byte{
			nil, {}, sig[:1], sig[:size-1], append(bytes.Clone(sig), 0), append(bytes.Clone(sig), sig...), make([]byte, size),
		} {
			if key.Public().Verify(crypto.PurposeBundle, []byte("m"), bad) {
				t.Errorf("%d bytes verify", len(bad))
			}
		}
		for at := 0; at < size; at += 1 + size/64 {
			bad := bytes.Clone(sig)
			bad[at] ^= 0x10
			if key.Public().Verify(crypto.PurposeBundle, []byte("m"), bad) {
				t.Errorf("verifies with byte %d changed", at)
			}
		}
		if key.Public().Verify(crypto.PurposeBundle, []byte("n"), sig) || key.Public().Verify(crypto.PurposeBundle, nil, sig) {
			t.Error("verifies for another message")
		}
	})
}

// TestKeysAreNotShared: nobody changes a key through what it gave or took.
func TestKeysAreNotShared(t *testing.T) {
	eachScheme(t, func(t *testing.T, s crypto.Scheme) {
		seed := bytes.Repeat([]byte{7}, s.SeedSize())
		key, err := s.NewKey(seed)
		if err != nil {
			t.Fatal(err)
		}
		want := key.Public().Bytes()
		encoded := bytes.Clone(want)
		public, err := s.ParsePublicKey(encoded)
		if err != nil {
			t.Fatal(err)
		}
		clear(seed)
		clear(encoded)
		clear(public.Bytes())
		clear(key.Public().Bytes())
		if !bytes.Equal(public.Bytes(), want) || !bytes.Equal(key.Public().Bytes(), want) {
			t.Error("a public key changed with a slice")
		}
		if !public.Verify(crypto.PurposeBundle, []byte("m"), sign(t, key, crypto.PurposeBundle, []byte("m"))) {
			t.Error("a key stopped working")
		}
	})
}

// TestConcurrentUse is for the race detector: signers and verifiers share keys.
func TestConcurrentUse(t *testing.T) {
	eachScheme(t, func(t *testing.T, s crypto.Scheme) {
		key := keyOf(t, s, 1)
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				msg := []byte{byte(i)}
				for range 5 {
					sig, err := key.Sign(crypto.PurposeBundle, msg)
					if err != nil || !key.Public().Verify(crypto.PurposeBundle, msg, sig) {
						t.Errorf("a signature made beside others does not verify (%v)", err)
					}
				}
			})
		}
		wg.Wait()
	})
}

// TestPrivateKeysPrintNothing: whatever prints a key, or what holds one, shows
// neither the key nor its seed.
func TestPrivateKeysPrintNothing(t *testing.T) {
	eachScheme(t, func(t *testing.T, s crypto.Scheme) {
		key := keyOf(t, s, 0xa7) // 167, a7, \xa7
		holder := struct {
			Key    crypto.PrivateKey
			hidden crypto.PrivateKey
		}{key, key}
		var secrets []string // long enough never to be an address, of which fmt prints some
		for _, b := range []string{"a7", "A7", "167 ", "0xa7, ", "\xa7", `\xa7`} {
			secrets = append(secrets, strings.TrimRight(strings.Repeat(b, 9), ", "))
		}
		for _, v := range []any{key, holder, &holder, []crypto.PrivateKey{key}, map[string]any{"k": key}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
				text := fmt.Sprintf(verb, v)
				if len(text) > 400 {
					t.Errorf("%s of %T prints %d bytes: %.100s…", verb, v, len(text), text)
				}
				for _, secret := range secrets {
					if strings.Contains(text, secret) {
						t.Errorf("%s of %T prints the seed: %.100s", verb, v, text)
					}
				}
			}
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
			if text := fmt.Sprintf(verb, key); text != s.Name()+" private key (redacted)" {
				t.Errorf("%s prints %.100s", verb, text)
			}
		}
		if text, err := json.Marshal(holder); err != nil || len(text) > 100 {
			t.Errorf("as JSON %.100s (%v)", text, err)
		}
	})
}

func TestGenerateSeed(t *testing.T) {
	s := schemeOf(t, crypto.DefaultScheme)
	source := bytes.Repeat([]byte{1, 2, 3, 4}, 16)
	seed, err := crypto.GenerateSeed(bytes.NewReader(source), s)
	if err != nil || !bytes.Equal(seed, source[:32]) {
		t.Errorf("drew %x (%v), want the source's first 32 bytes", seed, err)
	}
	if seed, err := crypto.GenerateSeed(bytes.NewReader(source[:31]), s); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("from a source that ran dry came %x (%v)", seed, err)
	}
}
