package httpapi

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/cretoai/consensus/messages"
)

// detailBytesMax bounds the reason of a refusal, and what is read of a detail.
const (
	reasonBytesMax = 512
	detailBytesMax = messages.VertexBytesMax
)

// appendReceipt appends a receipt in a format.
func (f Format) appendReceipt(b []byte, r *BatchReceipt) []byte {
	if f == Lines {
		return r.appendLine(b)
	}
	vertex := r.Vertex[:]
	if !r.named() {
		vertex = nil
	}
	b = appendUint(appendArray(b, 6), r.Index)
	b = appendBin(appendShort(b, r.Status), vertex)
	b = appendUint(appendUint(b, uint64(r.Sequence)), uint64(r.Position))
	return appendBin(b, r.Detail)
}

// named reports whether the vertex was taken and so has a hash to ask for.
func (r *BatchReceipt) named() bool { return r.Sequence > 0 || !r.Vertex.IsZero() }

func (r *BatchReceipt) appendLine(b []byte) []byte {
	b = strconv.AppendUint(append(b, `{"index":`...), r.Index, 10)
	b = append(append(append(b, `,"status":"`...), r.Status...), '"')
	if r.named() {
		b = append(hex.AppendEncode(append(b, `,"vertex":"`...), r.Vertex[:]), '"')
	}
	if r.Sequence > 0 {
		b = strconv.AppendUint(append(b, `,"sequence":`...), uint64(r.Sequence), 10)
		b = strconv.AppendUint(append(b, `,"position":`...), uint64(r.Position), 10)
	}
	switch {
	case len(r.Detail) == 0:
	case r.Status == StatusFinal:
		b = append(base64.StdEncoding.AppendEncode(append(b, `,"result":"`...), r.Detail), '"')
	default:
		reason, err := json.Marshal(strings.ToValidUTF8(string(r.Detail), "?"))
		if err != nil {
			panic(err) // a text can be written as JSON
		}
		b = append(append(b, `,"reason":`...), reason...)
	}
	return append(b, '}', '\n')
}

// receiptLine is a receipt as JSON.
type receiptLine struct {
	BatchReceipt
	Result []byte `json:"result"`
	Reason string `json:"reason"`
}

// receiptReader reads receipts.
type receiptReader struct {
	format Format
	in     *bufio.Reader
	scan   msgpackScanner
}

func newReceiptReader(format Format, in *bufio.Reader) *receiptReader {
	return &receiptReader{format: format, in: in, scan: msgpackScanner{in: in}}
}

// next reads the next receipt; io.EOF says that there is none.
func (r *receiptReader) next(into *BatchReceipt) error {
	if r.format == Lines {
		line, err := r.in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			var rest []byte
			line = bytes.Clone(line)
			rest, err = r.in.ReadBytes('\n')
			line = append(line, rest...)
		}
		if err != nil {
			return err
		}
		return into.parseLine(line)
	}
	s := &r.scan
	if err := s.begin(detailBytesMax + 128); err != nil {
		return err
	}
	if n := s.arrayLen(); s.err == nil && n != 6 {
		return spoilt("a receipt is an array of 6 values, not of %d", n)
	}
	*into = BatchReceipt{Index: s.uint(), Status: s.str()}
	vertex := func(n int) []byte { return into.Vertex[:n] }
	s.bin(len(into.Vertex), vertex)
	into.Sequence, into.Position = messages.Seq(s.uint()), uint32(s.uint())
	into.Detail = s.bin(detailBytesMax, func(n int) []byte { return make([]byte, n) })
	return s.err
}

// parseLine reads a receipt of a line: the usual one, which has nothing but a place,
// by its form.
func (r *BatchReceipt) parseLine(line []byte) error {
	p := lineParser{rest: line}
	*r = BatchReceipt{Status: StatusFinal}
	p.text(`{"index":`)
	r.Index = p.number()
	p.text(`,"status":"final","vertex":"`)
	p.hex(r.Vertex[:])
	p.text(`","sequence":`)
	r.Sequence = messages.Seq(p.number())
	p.text(`,"position":`)
	r.Position = uint32(p.number())
	if p.text("}\n"); !p.other && len(p.rest) == 0 {
		return nil
	}
	var other receiptLine
	if err := json.Unmarshal(line, &other); err != nil {
		return err
	}
	if *r = other.BatchReceipt; other.Status == StatusFinal {
		r.Detail = other.Result
	} else {
		r.Detail = []byte(other.Reason)
	}
	return nil
}

// lineParser reads what has one form only; other says that it has another.
type lineParser struct {
	rest  []byte
	other bool
}

func (p *lineParser) text(want string) {
	if p.other = p.other || len(p.rest) < len(want) || string(p.rest[:len(want)]) != want; !p.other {
		p.rest = p.rest[len(want):]
	}
}

func (p *lineParser) number() (n uint64) {
	digits := 0
	for digits < len(p.rest) && p.rest[digits] >= '0' && p.rest[digits] <= '9' {
		n = 10*n + uint64(p.rest[digits]-'0')
		digits++
	}
	p.other = p.other || digits == 0 || digits > 18
	p.rest = p.rest[digits:]
	return n
}

func (p *lineParser) hex(into []byte) {
	if p.other = p.other || len(p.rest) < 2*len(into); p.other {
		return
	}
	_, err := hex.Decode(into, p.rest[:2*len(into)])
	p.other = err != nil
	p.rest = p.rest[2*len(into):]
}
