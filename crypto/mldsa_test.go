package crypto_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"filippo.io/mldsa"

	"github.com/cretoai/consensus/crypto"
)

// independent is the second implementation that ours is compared with, and
// where a signature keeps its hint: in its last omega+k bytes.
var independent = map[string]struct {
	params   mldsa.Parameters
	omega, k int
}{
	"ml-dsa-44": {mldsa.MLDSA44(), 80, 4},
	"ml-dsa-65": {mldsa.MLDSA65(), 55, 6},
	"ml-dsa-87": {mldsa.MLDSA87(), 75, 8},
}

// twins are one key in both implementations.
func twins(t *testing.T, name string, seed byte) (crypto.PrivateKey, *mldsa.PrivateKey) {
	t.Helper()
	theirs, err := mldsa.NewPrivateKey(independent[name].params, bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return keyOf(t, schemeOf(t, name), seed), theirs
}

// TestIndependentImplementation: the same seed gives the same key, and each
// implementation verifies what the other signs.
func TestIndependentImplementation(t *testing.T) {
	for _, name := range crypto.SchemeNames() {
		for seed := range byte(4) {
			ours, theirs := twins(t, name, seed)
			if !bytes.Equal(ours.Public().Bytes(), theirs.PublicKey().Bytes()) {
				t.Fatalf("%s: seed %d gives different keys", name, seed)
			}
			for _, size := range []int{0, 1, 45 + 49, 4096} {
				msg := bytes.Repeat([]byte{seed + 1}, size)
				context := &mldsa.Options{Context: string(crypto.PurposeBundle)}
				if err := mldsa.Verify(theirs.PublicKey(), msg, sign(t, ours, crypto.PurposeBundle, msg), context); err != nil {
					t.Errorf("%s: our signature over %d bytes: %v", name, size, err)
				}
				sig, err := theirs.Sign(nil, msg, context)
				if err != nil {
					t.Fatal(err)
				}
				if !ours.Public().Verify(crypto.PurposeBundle, msg, sig) {
					t.Errorf("%s: their signature over %d bytes does not verify here", name, size)
				}
				if ours.Public().Verify(crypto.PurposeVertex, msg, sig) {
					t.Errorf("%s: their signature verifies for another context", name)
				}
			}
		}
	}
}

// TestMutatedSignatures: both implementations judge damaged signatures alike.
// Hints have been where implementations disagreed, so most of the damage is
// done there.
func TestMutatedSignatures(t *testing.T) {
	const mutations = 300
	for _, name := range crypto.SchemeNames() {
		t.Run(name, func(t *testing.T) {
			ours, theirs := twins(t, name, 9)
			r := rand.New(rand.NewPCG(9, 9))
			hintBytes := independent[name].omega + independent[name].k
			context := &mldsa.Options{Context: string(crypto.PurposeBundle)}
			msg := []byte("message")
			for i := range mutations {
				sig := sign(t, ours, crypto.PurposeBundle, msg)
				what := mutate(r, i, sig, hintBytes, independent[name].k)
				want := mldsa.Verify(theirs.PublicKey(), msg, sig, context) == nil
				if got := ours.Public().Verify(crypto.PurposeBundle, msg, sig); got != want {
					t.Fatalf("mutation %d, %s: we say %v, the other %v; signature %x", i, what, got, want, sig)
				}
				if want != (what == "nothing") {
					t.Errorf("mutation %d, %s: both say %v", i, what, want)
				}
			}
		})
	}
}

// mutate damages a signature in a way chosen by i, and says how.
func mutate(r *rand.Rand, i int, sig []byte, hintBytes, k int) string {
	hint := sig[len(sig)-hintBytes:]
	omega := hintBytes - k
	counts := hint[omega:] // of indices up to and including each polynomial
	used := int(counts[k-1])
	before := bytes.Clone(sig)
	var what string
	switch i % 8 {
	case 0:
		at := r.IntN(len(sig) - hintBytes)
		sig[at] ^= 1 << r.IntN(8)
		what = fmt.Sprintf("a bit of byte %d flipped", at)
	case 1:
		at := r.IntN(hintBytes)
		hint[at] ^= 1 << r.IntN(8)
		what = fmt.Sprintf("a bit of hint byte %d flipped", at)
	case 2:
		if at := r.IntN(max(used-1, 1)); used > 1 {
			hint[at], hint[at+1] = hint[at+1], hint[at]
			what = fmt.Sprintf("hints %d and %d exchanged", at, at+1)
		}
	case 3:
		if at := r.IntN(max(used-1, 1)); used > 1 {
			hint[at+1] = hint[at]
			what = fmt.Sprintf("hint %d repeated", at)
		}
	case 4:
		if used < omega {
			hint[used+r.IntN(omega-used)] = byte(1 + r.IntN(255))
			what = "an unused hint written"
		}
	case 5:
		at := r.IntN(k)
		counts[at] = byte(r.IntN(256))
		what = fmt.Sprintf("count %d overwritten", at)
	case 6:
		for at := range counts {
			counts[at] += byte(1 + omega)
		}
		what = "counts beyond the hints"
	}
	if slices.Equal(sig, before) {
		return "nothing"
	}
	return what
}

// TestPublicKeysAreExpandedOnce: expanding allocates the matrix of k×l
// polynomials of 1 KiB, 56 KiB for ML-DSA-87, and costs three verifications.
func TestPublicKeysAreExpandedOnce(t *testing.T) {
	key := keyOf(t, schemeOf(t, "ml-dsa-87"), 1)
	sig := sign(t, key, crypto.PurposeBundle, []byte("m"))
	const verifications = 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range verifications {
		key.Public().Verify(crypto.PurposeBundle, []byte("m"), sig)
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / verifications; each > 16<<10 {
		t.Errorf("a verification allocates %d bytes: it expands the key", each)
	}
}
