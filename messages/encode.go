package messages

import (
	"sync"

	"github.com/vmihailenco/msgpack/v5"
)

// frameWriter writes the values of a frame by the primitives of the msgpack
// library, each in its shortest form. It appends to one buffer and cannot fail,
// so the library's errors, which are those of its writer, cannot occur.
type frameWriter struct {
	enc *msgpack.Encoder
	buf []byte
}

var frameWriters = sync.Pool{New: func() any {
	w := new(frameWriter)
	w.enc = msgpack.NewEncoder(w)
	return w
}}

// Write implements io.Writer for the library.
func (w *frameWriter) Write(b []byte) (int, error) {
	w.buf = append(w.buf, b...)
	return len(b), nil
}

// WriteByte implements io.ByteWriter for the library.
func (w *frameWriter) WriteByte(b byte) error {
	w.buf = append(w.buf, b)
	return nil
}

// frameHeaderBytesMax is what array, version and kind take.
const frameHeaderBytesMax = 3

// encode makes the frame of a valid message, in one allocation.
func encode(m Message, f form) []byte {
	w := frameWriters.Get().(*frameWriter)
	w.buf = make([]byte, 0, frameHeaderBytesMax+m.size())
	w.array(2 + f.fields)
	w.uint(WireVersion)
	w.uint(uint64(f.kind))
	m.encodeFields(w)
	b := w.buf
	w.buf = nil
	frameWriters.Put(w)
	return b
}

// must states that the library fails only when its writer does.
func must(err error) {
	if err != nil {
		panic("messages: writing into memory failed: " + err.Error())
	}
}

func (w *frameWriter) uint(n uint64)   { must(w.enc.EncodeUint(n)) }
func (w *frameWriter) bool(v bool)     { must(w.enc.EncodeBool(v)) }
func (w *frameWriter) array(n int)     { must(w.enc.EncodeArrayLen(n)) }
func (w *frameWriter) text(s string)   { must(w.enc.EncodeString(s)) }
func (w *frameWriter) binLen(n int)    { must(w.enc.EncodeBytesLen(n)) }
func (w *frameWriter) digest(d Digest) { w.bin(d[:]) }

// bin writes a byte string. The library's EncodeBytes would make a nil slice a
// nil, which no frame holds.
func (w *frameWriter) bin(b []byte) {
	w.binLen(len(b))
	w.buf = append(w.buf, b...)
}
