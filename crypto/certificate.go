package crypto

import (
	"fmt"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// OpenCertificate checks that need distinct members signed this very vote. Any
// bundle that does not hold it, repeats a signer or does not open makes the
// whole certificate invalid: whoever sent it was obliged to check each.
func (k *Keyring) OpenCertificate(kind messages.Kind, view messages.View, seq messages.Seq, digest messages.Digest, bundles []*messages.Bundle, need int) error {
	vote := messages.Vote{Kind: kind, View: view, Seq: seq, Digest: digest}
	fail := func(why string, args ...any) error {
		return fmt.Errorf("certificate for %v: %s", vote, fmt.Sprintf(why, args...))
	}
	if len(bundles) < need || len(bundles) > k.N() {
		return fail("%d bundles, %d to %d are allowed", len(bundles), need, k.N())
	}
	var seen uint64 // a bit a member, of which there are at most 64
	for i, b := range bundles {
		if err := k.check(b); err != nil {
			return fail("bundle %d: %v", i, err)
		}
		if seen&(1<<b.From) != 0 {
			return fail("member %d signs twice", b.From)
		}
		seen |= 1 << b.From
		if !slices.Contains(b.Votes, vote) {
			return fail("the bundle of member %d does not hold the vote", b.From)
		}
	}
	for _, b := range bundles { // signatures last: they cost a thousand times more
		if !k.keys[b.From].Verify(PurposeBundle, b.SigningBytes(k.chain), b.Signature) {
			return fail("the bundle of member %d has a bad signature", b.From)
		}
	}
	return nil
}
