package messages

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// frameReader reads the values of a frame by the primitives of the msgpack
// library, which are lenient; each method here admits one kind of value in its
// shortest form. The first error stays and every later value is zero, so callers
// look once, at the end. Nothing here recurses.
type frameReader struct {
	frame []byte
	src   bytes.Reader
	dec   *msgpack.Decoder
	err   error
}

var frameReaders = sync.Pool{New: func() any {
	return &frameReader{dec: msgpack.NewDecoder(nil)}
}}

// newFrameReader is to be followed by release.
func newFrameReader(frame []byte) *frameReader {
	r := frameReaders.Get().(*frameReader)
	r.frame, r.err = frame, nil
	r.src.Reset(frame)
	r.dec.Reset(&r.src) // a bytes.Reader needs no buffer, so nothing is read ahead
	return r
}

func (r *frameReader) release() {
	r.frame = nil
	r.src.Reset(nil)
	frameReaders.Put(r)
}

// left is how many bytes of the frame were not read yet.
func (r *frameReader) left() int { return r.src.Len() }

func (r *frameReader) at() int { return len(r.frame) - r.left() }

func (r *frameReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("byte %d: %w", r.at(), fmt.Errorf(format, args...))
	}
}

var errEnds = errors.New("the frame ends within a value")

// head is the next value's first byte, and whether there is one to read.
func (r *frameReader) head() (byte, bool) {
	if r.err != nil {
		return 0, false
	}
	c, err := r.dec.PeekCode()
	if err != nil {
		r.fail("%w", errEnds)
		return 0, false
	}
	return c, true
}

// uint reads an unsigned number.
func (r *frameReader) uint() uint64 {
	c, ok := r.head()
	if !ok {
		return 0
	}
	if c > msgpcode.PosFixedNumHigh && (c < msgpcode.Uint8 || c > msgpcode.Uint64) {
		r.fail("an unsigned number does not begin with %#x", c)
		return 0
	}
	before := r.left()
	n, err := r.dec.DecodeUint64()
	if err != nil {
		r.fail("%w", errEnds)
		return 0
	}
	if before-r.left() != uintSize(n) {
		r.fail("%d is written in a longer form than it needs", n)
		return 0
	}
	return n
}

func uintSize(n uint64) int {
	switch {
	case n <= 0x7f:
		return 1
	case n <= 0xff:
		return 2
	case n <= 0xffff:
		return 3
	case n <= 0xffff_ffff:
		return 5
	}
	return 9
}

// uintMax reads a number of at most limit.
func (r *frameReader) uintMax(limit uint64) uint64 {
	n := r.uint()
	if n > limit {
		r.fail("a number of at most %d, not %d", limit, n)
		return 0
	}
	return n
}

func (r *frameReader) bool() bool {
	c, ok := r.head()
	if !ok {
		return false
	}
	if c != msgpcode.False && c != msgpcode.True {
		r.fail("a truth value does not begin with %#x", c)
		return false
	}
	v, err := r.dec.DecodeBool()
	if err != nil {
		r.fail("%w", errEnds)
	}
	return v
}

// arrayLen reads an array's number of values, which nothing bounds yet.
func (r *frameReader) arrayLen() int {
	c, ok := r.head()
	if !ok {
		return 0
	}
	if c&^msgpcode.FixedArrayMask != msgpcode.FixedArrayLow && c != msgpcode.Array16 && c != msgpcode.Array32 {
		r.fail("an array does not begin with %#x", c)
		return 0
	}
	before := r.left()
	n, err := r.dec.DecodeArrayLen()
	if err != nil {
		r.fail("%w", errEnds)
		return 0
	}
	size := 1
	if n > 15 {
		size = 3
	}
	if n > 0xffff {
		size = 5
	}
	if before-r.left() != size {
		r.fail("an array of %d is written in a longer form than it needs", n)
		return 0
	}
	return n
}

// tuple reads the header of an array that has exactly n values.
func (r *frameReader) tuple(n int) {
	if got := r.arrayLen(); got != n && r.err == nil {
		r.fail("an array of %d values, not %d", n, got)
	}
}

// list reads the header of an array of at most limit values, of at least
// bytesMin bytes each, which the rest of the frame could hold.
func (r *frameReader) list(limit, bytesMin int) int {
	n := r.arrayLen()
	switch {
	case r.err != nil:
		return 0
	case n < 0 || n > limit: // below 0: 32 bits in an int of 32
		r.fail("a list of at most %d, not %d", limit, uint32(n))
		return 0
	case n > r.left()/bytesMin:
		r.fail("a list of %d, of %d bytes or more each, in %d bytes", n, bytesMin, r.left())
		return 0
	}
	return n
}

// bin reads a byte string of at most limit bytes. It shares the frame's bytes.
func (r *frameReader) bin(limit int) []byte {
	c, ok := r.head()
	if !ok {
		return nil
	}
	if c < msgpcode.Bin8 || c > msgpcode.Bin32 {
		r.fail("a byte string does not begin with %#x", c)
		return nil
	}
	return r.run(limit, func(n int) int {
		switch {
		case n <= 0xff:
			return 2
		case n <= 0xffff:
			return 3
		}
		return 5
	})
}

// text reads a string of at most limit bytes.
func (r *frameReader) text(limit int) string {
	c, ok := r.head()
	if !ok {
		return ""
	}
	if c&^msgpcode.FixedStrMask != msgpcode.FixedStrLow && (c < msgpcode.Str8 || c > msgpcode.Str32) {
		r.fail("a string does not begin with %#x", c)
		return ""
	}
	return string(r.run(limit, func(n int) int {
		switch {
		case n <= 31:
			return 1
		case n <= 0xff:
			return 2
		case n <= 0xffff:
			return 3
		}
		return 5
	}))
}

// run reads a length and as many bytes. headSize is the size of the shortest
// way to write the length.
func (r *frameReader) run(limit int, headSize func(int) int) []byte {
	before := r.left()
	n, err := r.dec.DecodeBytesLen()
	switch {
	case err != nil:
		r.fail("%w", errEnds)
		return nil
	case n < 0 || n > limit: // below 0: 32 bits in an int of 32
		r.fail("at most %d bytes, not %d", limit, uint32(n))
		return nil
	case n > r.left():
		r.fail("%w", errEnds)
		return nil
	case before-r.left() != headSize(n):
		r.fail("the length %d is written in a longer form than it needs", n)
		return nil
	}
	at := r.at()
	r.src.Reset(r.frame[at+n:])
	return r.frame[at : at+n : at+n]
}

// fixed reads a byte string of exactly len(dst) bytes into dst.
func (r *frameReader) fixed(dst []byte) {
	b := r.bin(len(dst))
	if r.err == nil && len(b) != len(dst) {
		r.fail("a byte string of %d bytes, not %d", len(dst), len(b))
		return
	}
	copy(dst, b)
}

func (r *frameReader) digest() (d Digest) {
	r.fixed(d[:])
	return d
}
