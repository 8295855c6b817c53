package runtime

import (
	"crypto/rand"
	"encoding/binary"
	"io"
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
// to [0, 1]; a d of zero or less is returned as it is.
func Jitter(r Rand, d time.Duration, fraction float64) time.Duration {
	if d <= 0 || !(fraction > 0) { // also catches NaN
		return d
	}
	spread := uint64(float64(d) * min(fraction, 1))
	return d - time.Duration(spread) + time.Duration(below(r, 2*spread+1))
}

// below is an even choice from [0, n), n > 0: the high word of a 128-bit
// product. Its bias is below n/2⁶⁴.
func below(r Rand, n uint64) uint64 {
	hi, _ := bits.Mul64(r.Uint64(), n)
	return hi
}
