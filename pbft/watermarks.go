package pbft

import (
	"math"

	"github.com/cretoai/consensus/messages"
)

// Watermarks bound the sequences a replica takes part in: Low < seq ≤ High.
// Low is h, the last stable checkpoint, and High is h + L. [PBFT99 §4.2]
type Watermarks struct {
	Low, High messages.Seq
}

// NewWatermarks gives the window of size l above low. It saturates instead of
// wrapping around at the end of the sequence space.
func NewWatermarks(low, l messages.Seq) Watermarks {
	if low > math.MaxUint64-l {
		return Watermarks{Low: low, High: math.MaxUint64}
	}
	return Watermarks{Low: low, High: low + l}
}

// Contains reports whether seq lies inside the window. This comparison is made
// here and nowhere else.
func (w Watermarks) Contains(seq messages.Seq) bool { return w.Low < seq && seq <= w.High }
