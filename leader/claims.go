package leader

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// CheckViewChange checks what messages.ViewChangeBody.Validate cannot: that the
// body claims nothing beyond the chain's window above its checkpoint. A liar's
// claims far ahead would otherwise fill a new view with null batches. [H2]
func CheckViewChange(b *messages.ViewChangeBody, window messages.Seq) error {
	marks := pbft.NewWatermarks(b.Low, window)
	for _, claims := range [2][]messages.Claim{b.Prepared, b.Accepted} {
		if n := len(claims); n > 0 && !marks.Contains(claims[n-1].Seq) { // ascending
			return fmt.Errorf("a claim for sequence %d, beyond %d", claims[n-1].Seq, marks.High)
		}
	}
	return nil
}

// preparedAt is the body's P-claim for seq.
func preparedAt(b *messages.ViewChangeBody, seq messages.Seq) (messages.Claim, bool) {
	i, ok := slices.BinarySearchFunc(b.Prepared, seq, compareSeq)
	if !ok {
		return messages.Claim{}, false
	}
	return b.Prepared[i], true
}

// acceptedAt lists the body's Q-claims for seq.
func acceptedAt(b *messages.ViewChangeBody, seq messages.Seq) []messages.Claim {
	i, _ := slices.BinarySearchFunc(b.Accepted, seq, compareSeq)
	end := i
	for end < len(b.Accepted) && b.Accepted[end].Seq == seq {
		end++
	}
	return b.Accepted[i:end]
}

// acceptedSince reports whether the body has a Q-claim for p's digest, in p's
// view or a higher one.
func acceptedSince(b *messages.ViewChangeBody, p messages.Claim) bool {
	return slices.ContainsFunc(acceptedAt(b, p.Seq), func(q messages.Claim) bool {
		return q.Digest == p.Digest && q.View >= p.View
	})
}

func compareSeq(c messages.Claim, seq messages.Seq) int { return cmp.Compare(c.Seq, seq) }
