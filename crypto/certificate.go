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
	holds := func(b *messages.Bundle) bool { return slices.Contains(b.Votes, vote) }
	if err := k.openCertificate(holds, bundles, need); err != nil {
		return fmt.Errorf("certificate for %v: %w", vote, err)
	}
	return nil
}

// OpenDecision checks that a batch is final at a sequence: that a quorum committed it
// in one view, as OpenCertificate does, or, on a chain in optimistic mode, that all
// members accepted it in one view, which its leader says by a PrePrepare and the
// others by a Prepare. [N6, F1]
func (k *Keyring) OpenDecision(view messages.View, seq messages.Seq, digest messages.Digest, bundles []*messages.Bundle) error {
	accepted := func(b *messages.Bundle) bool {
		return b != nil && slices.ContainsFunc(b.Votes, func(v messages.Vote) bool {
			return v.View == view && v.Seq == seq && v.Digest == digest && (v.Kind == messages.PrePrepare || v.Kind == messages.Prepare)
		})
	}
	if !k.optimistic || len(bundles) < k.N() || slices.ContainsFunc(bundles, func(b *messages.Bundle) bool { return !accepted(b) }) {
		return k.OpenCertificate(messages.Commit, view, seq, digest, bundles, k.Quorum())
	}
	if err := k.openCertificate(accepted, bundles, k.N()); err != nil {
		return fmt.Errorf("certificate that all accepted %v at sequence %d in view %d: %w", digest, seq, view, err)
	}
	return nil
}

// openCertificate checks that each bundle holds what its signer is to have said.
func (k *Keyring) openCertificate(holds func(*messages.Bundle) bool, bundles []*messages.Bundle, need int) error {
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
		if !holds(b) {
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
