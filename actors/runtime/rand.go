package runtime

import (
	"crypto/rand"
	"encoding/binary"
	"io"
	"math"
	"math/bits"
	"time"
)

// Rand is a source of random numbers and bytes. Read always fills p and never
// fails. *rand.ChaCha8 of math/rand/v2 is a Rand, and the one the simulator
// seeds; it is not safe for concurrent use, SecureRand's is.
type Rand interface {
	Uint64() uint64
	io.Reader
}

// SecureRand is the operating system's cryptographic generator.
func SecureRand() Rand { return secureRand{} }

type secureRand struct{}

func (secureRand) Uint64() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.NativeEndian.Uint64(b[:])
}

func (secureRand) Read(p []byte) (int, error) { return rand.Read(p) }

// Jitter spreads d evenly over [d−fraction·d, d+fraction·d], so that replicas
// that were disturbed together do not come back together. fraction is clamped
// to [0, 1], the result to what a Duration holds; a d of zero or less is
// returned as it is.
func Jitter(r Rand, d time.Duration, fraction float64) time.Duration {
	if d <= 0 || !(fraction > 0) { // also catches NaN
		return d
	}
	spread := int64(d)
	if fraction < 1 {
		spread = int64(float64(d) * fraction)
	}
	// 0 ≤ spread ≤ d ≤ 2⁶³−1, so neither the number of choices nor low wraps.
	low, choices := int64(d)-spread, 2*uint64(spread)+1
	at := uint64(low) + below(r, choices)
	return time.Duration(min(at, math.MaxInt64))
}

// below is an even choice from [0, n), n > 0: the high word of a 128-bit
// product. Its bias is below n/2⁶⁴.
func below(r Rand, n uint64) uint64 {
	hi, _ := bits.Mul64(r.Uint64(), n)
	return hi
}
