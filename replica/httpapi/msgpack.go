package httpapi

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// The few forms of msgpack that a batch uses, read from a stream. Nothing recurses,
// and no length is believed before it is compared with what its value may still have.

// First bytes of values.
const (
	codeFixArray = 0x90
	codeBin8     = 0xc4
	codeUint8    = 0xcc
	codeInt8     = 0xd0
	codeFixStr   = 0xa0
	codeArray16  = 0xdc
)

// malformed is an error of whoever sent the bytes.
type malformed struct {
	err error
	// rest says that what follows can still be read.
	rest bool
}

func (m *malformed) Error() string { return m.err.Error() }
func (m *malformed) Unwrap() error { return m.err }

func spoilt(format string, args ...any) error { return &malformed{err: fmt.Errorf(format, args...)} }

// errCut says that the stream ended within a value.
var errCut = &malformed{err: errors.New("it ends within a value")}

// msgpackScanner reads values; the first error stays, and later values are zero.
type msgpackScanner struct {
	in    *bufio.Reader
	left  int // bytes that the present value may still have
	err   error
	short [31]byte
}

// begin says that a value of at most limit bytes follows. It is io.EOF if none does.
func (s *msgpackScanner) begin(limit int) error {
	s.left, s.err = limit, nil
	if _, err := s.in.Peek(1); err != nil {
		return err
	}
	return nil
}

func (s *msgpackScanner) fail(err error) {
	if s.err != nil {
		return
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errCut
	}
	s.err = err
}

// claim takes n bytes off what the value may have.
func (s *msgpackScanner) claim(n uint64) bool {
	if s.err != nil {
		return false
	}
	if n > uint64(s.left) {
		s.fail(spoilt("a value has more bytes than are allowed together"))
		return false
	}
	s.left -= int(n)
	return true
}

func (s *msgpackScanner) byte() byte {
	if !s.claim(1) {
		return 0
	}
	b, err := s.in.ReadByte()
	if err != nil {
		s.fail(err)
	}
	return b
}

// big reads a number of 1, 2, 4 or 8 bytes.
func (s *msgpackScanner) big(size int) (n uint64) {
	if !s.claim(uint64(size)) {
		return 0
	}
	for range size {
		b, err := s.in.ReadByte()
		if err != nil {
			s.fail(err)
			return 0
		}
		n = n<<8 | uint64(b)
	}
	return n
}

// uint reads a number that is not negative, in any of its forms.
func (s *msgpackScanner) uint() uint64 {
	switch c := s.byte(); {
	case c < 0x80:
		return uint64(c)
	case c >= codeUint8 && c < codeUint8+4:
		return s.big(1 << (c - codeUint8))
	default:
		s.fail(spoilt("a number that is not negative does not begin with %#x", c))
		return 0
	}
}

// int reads a number, in any of its forms.
func (s *msgpackScanner) int() int64 {
	switch c := s.byte(); {
	case c < 0x80 || c >= 0xe0:
		return int64(int8(c))
	case c >= codeUint8 && c < codeUint8+4:
		n := s.big(1 << (c - codeUint8))
		if n > math.MaxInt64 {
			s.fail(spoilt("%d is no signed number", n))
		}
		return int64(n)
	case c >= codeInt8 && c < codeInt8+4:
		size := 1 << (c - codeInt8)
		return int64(s.big(size)<<(64-8*size)) >> (64 - 8*size)
	default:
		s.fail(spoilt("a number does not begin with %#x", c))
		return 0
	}
}

// arrayLen reads how many values an array has; there are at least as many bytes.
func (s *msgpackScanner) arrayLen() int {
	c := s.byte()
	n := uint64(c &^ codeFixArray)
	switch {
	case c >= codeFixArray && c < codeFixArray+16:
	case c == codeArray16 || c == codeArray16+1:
		n = s.big(2 << (c - codeArray16))
	default:
		s.fail(spoilt("an array does not begin with %#x", c))
	}
	if s.err == nil && n > uint64(s.left) {
		s.fail(spoilt("an array of %d values in %d bytes", n, s.left))
	}
	if s.err != nil {
		return 0
	}
	return int(n)
}

// isBin reports whether the next value is a bin.
func (s *msgpackScanner) isBin() bool {
	b, err := s.in.Peek(1)
	if err != nil {
		s.fail(err)
		return false
	}
	return b[0] >= codeBin8 && b[0] < codeBin8+3
}

// bin reads bytes into what room gives.
func (s *msgpackScanner) bin(limit int, room func(n int) []byte) []byte {
	c := s.byte()
	if s.err == nil && (c < codeBin8 || c >= codeBin8+3) {
		s.fail(spoilt("bytes (bin) do not begin with %#x", c))
	}
	if s.err != nil {
		return nil
	}
	return s.bytes(s.big(1<<(c-codeBin8)), limit, room)
}

func (s *msgpackScanner) bytes(n uint64, limit int, room func(n int) []byte) []byte {
	if s.err == nil && n > uint64(limit) {
		s.fail(spoilt("%d bytes where at most %d are allowed", n, limit))
	}
	if !s.claim(n) {
		return nil
	}
	if n > streamBufferBytes {
		return s.manyBytes(int(n))
	}
	b := room(int(n))
	if _, err := io.ReadFull(s.in, b); err != nil {
		s.fail(err)
		return nil
	}
	return b
}

// manyBytes takes memory as bytes arrive: to announce many is not to send them.
func (s *msgpackScanner) manyBytes(n int) (b []byte) {
	for len(b) < n {
		part := min(n-len(b), max(len(b), streamBufferBytes))
		b = slices.Grow(b, part)[:len(b)+part]
		if _, err := io.ReadFull(s.in, b[len(b)-part:]); err != nil {
			s.fail(err)
			return nil
		}
	}
	return b
}

// str reads a short text.
func (s *msgpackScanner) str() string {
	c := s.byte()
	if s.err == nil && (c < codeFixStr || c >= codeFixStr+32) {
		s.fail(spoilt("a short text does not begin with %#x", c))
	}
	b := s.bytes(uint64(c&^codeFixStr), len(s.short), func(n int) []byte { return s.short[:n] })
	if string(b) == StatusFinal {
		return StatusFinal // the usual one costs nothing
	}
	return string(b)
}

// What is written takes the shortest form.

func appendUint(b []byte, n uint64) []byte {
	switch {
	case n < 0x80:
		return append(b, byte(n))
	case n <= math.MaxUint8:
		return append(b, codeUint8, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, codeUint8+1), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, codeUint8+2), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, codeUint8+3), n)
}

func appendInt(b []byte, n int64) []byte {
	if n >= 0 {
		return appendUint(b, uint64(n))
	}
	return binary.BigEndian.AppendUint64(append(b, codeInt8+3), uint64(n))
}

func appendBin(b, data []byte) []byte {
	switch n := len(data); {
	case n <= math.MaxUint8:
		b = append(b, codeBin8, byte(n))
	case n <= math.MaxUint16:
		b = binary.BigEndian.AppendUint16(append(b, codeBin8+1), uint16(n))
	default:
		b = binary.BigEndian.AppendUint32(append(b, codeBin8+2), uint32(n))
	}
	return append(b, data...)
}

// appendShort appends a text of at most 31 bytes.
func appendShort(b []byte, text string) []byte {
	return append(append(b, codeFixStr|byte(len(text))), text...)
}

// appendArray appends the head of an array of at most 15 values.
func appendArray(b []byte, n int) []byte { return append(b, codeFixArray|byte(n)) }
