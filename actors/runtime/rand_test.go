package runtime_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
)

// The simulator's generator is a Rand as it comes.
var _ runtime.Rand = (*rand.ChaCha8)(nil)

func TestSecureRand(t *testing.T) {
	r := runtime.SecureRand()
	seen := map[uint64]bool{}
	for range 64 {
		seen[r.Uint64()] = true
	}
	if len(seen) != 64 {
		t.Errorf("64 numbers of 64 bits gave %d different ones", len(seen))
	}
	a, b := make([]byte, 33), make([]byte, 33)
	for _, p := range [][]byte{a, b} {
		if n, err := r.Read(p); n != len(p) || err != nil {
			t.Fatalf("Read = %d, %v, want %d bytes", n, err, len(p))
		}
	}
	if bytes.Equal(a, b) {
		t.Error("two reads of 33 bytes are equal")
	}
}

// fixed gives the same number for ever: the ends of Jitter's range.
type fixed uint64

func (f fixed) Uint64() uint64           { return uint64(f) }
func (f fixed) Read([]byte) (int, error) { panic("not used") }

func TestJitterRange(t *testing.T) {
	const most = time.Duration(math.MaxInt64)
	for _, c := range []struct {
		d         time.Duration
		fraction  float64
		low, high time.Duration
	}{
		{100, 0.25, 75, 125},
		{100, 1, 0, 200},
		{100, 7, 0, 200}, // clamped to 1
		{100, 0, 100, 100},
		{100, -1, 100, 100},
		{100, math.NaN(), 100, 100},
		{0, 0.5, 0, 0},
		{-5, 0.5, -5, -5},
		{1, 0.5, 1, 1},     // half a nanosecond is none
		{most, 1, 0, most}, // the sum would not fit
		{most, 0.5, most - 1<<62, most},
	} {
		if got := runtime.Jitter(fixed(0), c.d, c.fraction); got != c.low {
			t.Errorf("Jitter(%d, %v) is %d at least, want %d", c.d, c.fraction, got, c.low)
		}
		if got := runtime.Jitter(fixed(math.MaxUint64), c.d, c.fraction); got != c.high {
			t.Errorf("Jitter(%d, %v) is %d at most, want %d", c.d, c.fraction, got, c.high)
		}
	}
}

// TestJitterIsEven counts where 70 000 jittered durations of seven possible
// ones fall: a range that leaves out an end, or prefers the middle, fails.
func TestJitterIsEven(t *testing.T) {
	r := rand.NewChaCha8([32]byte{1})
	var counts [7]int
	for range 70_000 {
		counts[runtime.Jitter(r, 6, 0.5)-3]++
	}
	for i, n := range counts {
		if n < 9_500 || n > 10_500 { // five standard deviations
			t.Errorf("%d came %d times in 70 000, want about 10 000", i+3, n)
		}
	}
}
