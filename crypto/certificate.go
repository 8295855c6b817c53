package crypto

import (
	"fmt"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// OpenCertificate checks that need distinct members, or more, signed this very
// vote. One bundle that does not hold it, repeats a signer or does not open
// makes the whole certificate invalid: whoever sent it was obliged to check
// each. The error of a bundle that does not open is a *BundleError.
func (k *Keyring) OpenCertificate(kind messages.Kind, view messages.View, seq messages.Seq, digest messages.Digest, bundles []*messages.Bundle, need int) error {
	vote := messages.Vote{Kind: kind, View: view, Seq: seq, Digest: digest}
	if err := k.openCertificate(vote, bundles, need); err != nil {
		return fmt.Errorf("certificate for %v: %w", vote, err)
	}
	return nil
}

func (k *Keyring) openCertificate(vote messages.Vote, bundles []*messages.Bundle, need int) error {
	if need < 1 {
		panic("a certificate of no signatures proves nothing")
	}
	if len(bundles) < need || len(bundles) > k.N() {
		return fmt.Errorf("%d bundles, %d to %d are allowed", len(bundles), need, k.N())
	}
	var seen uint64 // a bit a member; a valid genesis has at most 64
	for _, b := range bundles {
		if err := k.check(b); err != nil {
			return err
		}
		if seen&(1<<b.From) != 0 {
			return fmt.Errorf("member %d signs twice", b.From)
		}
		seen |= 1 << b.From
		if !slices.Contains(b.Votes, vote) {
			return fmt.Errorf("the bundle of member %d does not hold the vote", b.From)
		}
	}
	for _, b := range bundles { // signatures last: they cost a thousand times more
		if err := k.checkSignature(b); err != nil {
			return err
		}
	}
	return nil
}
