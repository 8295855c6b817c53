package crypto

import (
	"fmt"

	"github.com/cretoai/consensus/messages"
)

// OpenFinality checks a proof that a vertex is final: that its path leads to
// the batch it names, and that a quorum of this chain's members committed that
// batch at the proof's sequence, or all accepted it on a chain in optimistic mode.
// Every bundle is checked, those beyond a quorum too. What holds then, with at most f members faulty: no correct replica has
// another batch at that sequence, nor will. Whether the vertex took effect there
// is the replicated state's to say and not proved: it was a no-op if its nonce
// had been spent before. [X6]
func (k *Keyring) OpenFinality(p *messages.FinalityProof) error {
	if p.Chain != k.chain {
		return fmt.Errorf("the proof is for the chain with genesis %s, not %s", p.Chain.Hex(), k.chain.Hex())
	}
	if err := p.Validate(); err != nil {
		return err
	}
	return k.OpenDecision(p.View, p.Seq, p.Batch, p.Certificate)
}
