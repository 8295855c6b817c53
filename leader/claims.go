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

// acceptedSince reports whether the body has a Q-claim for p's digest, in p's
// view or a higher one.
func acceptedSince(b *messages.ViewChangeBody, p messages.Claim) bool {
	i, _ := slices.BinarySearchFunc(b.Accepted, p.Seq, compareSeq)
	for ; i < len(b.Accepted) && b.Accepted[i].Seq == p.Seq; i++ {
		if q := b.Accepted[i]; q.Digest == p.Digest && q.View >= p.View {
			return true
		}
	}
	return false
}

func compareSeq(c messages.Claim, seq messages.Seq) int { return cmp.Compare(c.Seq, seq) }
