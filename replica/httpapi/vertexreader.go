package httpapi

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// vertexReader reads the vertices of a batch.
type vertexReader struct {
	format   Format
	limit    int // bytes of a value
	in       *bufio.Reader
	scan     msgpackScanner
	line     []byte // of what did not fit the buffer
	payloads slab
}

func newVertexReader(format Format, in *bufio.Reader, limit int) *vertexReader {
	return &vertexReader{format: format, limit: limit, in: in, scan: msgpackScanner{in: in}}
}

// next appends the vertices of the next value: none of an empty line. The error is
// io.EOF at the end, or *malformed if it was sent so. Payloads stay as they are until
// reuse.
func (r *vertexReader) next(to []replica.Vertex) ([]replica.Vertex, error) {
	if r.format == Msgpack {
		return r.nextValue(to)
	}
	return r.nextLine(to)
}

// reuse says that nobody looks at what was read so far any more. Within a value
// there may be more of it.
func (r *vertexReader) reuse() { r.payloads.reuse() }

func (r *vertexReader) nextValue(to []replica.Vertex) ([]replica.Vertex, error) {
	s := &r.scan
	if err := s.begin(r.limit); err != nil {
		return to, err
	}
	r.payloads.begin()
	defer r.payloads.end()
	if s.isBin() {
		v := replica.Vertex{Payload: s.bin(messages.VertexBytesMax, r.payloads.take)}
		return append(to, v), s.err
	}
	switch n := s.arrayLen(); {
	case s.err != nil:
		return to, s.err
	case n == 2:
		return r.encodedVertices(to)
	case n == 6:
		v, err := r.vertexFields()
		return append(to, v), err
	default:
		return to, spoilt("a vertex is bytes, or an array of 2 or 6 values, not of %d", n)
	}
}

// vertexFields reads a vertex field by field.
func (r *vertexReader) vertexFields() (v replica.Vertex, err error) {
	s := &r.scan
	v.Payload = s.bin(messages.VertexBytesMax, r.payloads.take)
	creator := s.bin(len(v.Creator), r.payloads.take)
	v.Nonce, v.Expires, v.Timestamp = s.uint(), messages.Seq(s.uint()), s.int()
	parents := s.arrayLen()
	switch {
	case s.err != nil:
		return v, s.err
	case len(creator) == 0 && v.Nonce != 0:
		return v, spoilt("creator and nonce come together: one without the other names no vertex")
	case len(creator) != 0 && len(creator) != len(v.Creator):
		return v, spoilt("a creator has %d bytes, not %d", len(v.Creator), len(creator))
	case parents > messages.VertexParentsMax:
		return v, spoilt("a vertex has at most %d parents, not %d", messages.VertexParentsMax, parents)
	}
	if copy(v.Creator[:], creator); len(creator) > 0 && v.Creator == [32]byte{} {
		return v, spoilt("a creator is not all zeros")
	}
	for range parents {
		parent := s.bin(len(messages.Digest{}), r.payloads.take)
		if s.err == nil && len(parent) != len(messages.Digest{}) {
			return v, spoilt("a parent has %d bytes, not %d", len(messages.Digest{}), len(parent))
		}
		if s.err != nil {
			return v, s.err
		}
		v.Parents = append(v.Parents, messages.Digest(parent))
	}
	return v, s.err
}

// encodedVertices reads vertices in their fixed layout, with their authorisation.
func (r *vertexReader) encodedVertices(to []replica.Vertex) ([]replica.Vertex, error) {
	data := r.scan.bin(r.limit, r.payloads.take)
	section := r.scan.bin(r.limit, r.payloads.take)
	if r.scan.err != nil {
		return to, r.scan.err
	}
	first := len(to)
	for len(data) > 0 {
		view, size, err := messages.ParseVertex(data)
		if err != nil {
			return to[:first], spoilt("vertex %d: %w", len(to)-first, err)
		}
		if len(to)-first == groupVerticesMax {
			return to[:first], spoilt("more than %d vertices with one authorisation", groupVerticesMax)
		}
		data = data[size:]
		to = append(to, vertexOf(view))
	}
	if err := replica.Authorise(to[first:], section); err != nil {
		return to[:first], &malformed{err: err, rest: true}
	}
	return to, nil
}

func vertexOf(view messages.VertexView) replica.Vertex {
	v := replica.Vertex{
		Payload: view.Payload(), Creator: view.Creator(), Nonce: view.Nonce(), Timestamp: view.Timestamp(), Expires: view.Expires(),
	}
	for i := range view.Parents() {
		v.Parents = append(v.Parents, view.Parent(i))
	}
	return v
}

func (r *vertexReader) nextLine(to []replica.Vertex) ([]replica.Vertex, error) {
	line, err := r.readLine()
	if err != nil {
		return to, err
	}
	if line = bytes.TrimSpace(line); len(line) == 0 {
		return to, nil
	}
	r.payloads.begin()
	defer r.payloads.end()
	if payload, ok := r.plainPayload(line); ok {
		return append(to, replica.Vertex{Payload: payload}), nil
	}
	var s submission
	if err := decode(line, &s); err != nil {
		return to, &malformed{err: err, rest: true}
	}
	if len(s.Vertices) > groupVerticesMax {
		return to, &malformed{err: fmt.Errorf("a group of %d vertices: at most %d", len(s.Vertices), groupVerticesMax), rest: true}
	}
	out, err := s.appendTo(to)
	if err != nil {
		return to, &malformed{err: err, rest: true}
	}
	return out, nil
}

// readLine gives the next line, which is not kept.
func (r *vertexReader) readLine() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	if err == nil {
		return line, nil
	}
	r.line = append(r.line[:0], line...)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = r.in.ReadSlice('\n')
		if r.line = append(r.line, line...); len(r.line) > r.limit {
			return nil, spoilt("a line has more than %d bytes", r.limit)
		}
	}
	if errors.Is(err, io.EOF) && len(r.line) > 0 {
		err = nil // the last line needs no end
	}
	return r.line, err
}

// What most lines look like.
var plainBegin, plainEnd = []byte(`{"payload":"`), []byte(`"}`)

// plainPayload reads a line that has a payload and nothing else, as most have.
func (r *vertexReader) plainPayload(line []byte) ([]byte, bool) {
	if !bytes.HasPrefix(line, plainBegin) || !bytes.HasSuffix(line, plainEnd) || len(line) < len(plainBegin)+len(plainEnd) {
		return nil, false
	}
	text := line[len(plainBegin) : len(line)-len(plainEnd)]
	if bytes.IndexByte(text, '"') >= 0 || bytes.IndexByte(text, '\\') >= 0 {
		return nil, false
	}
	payload := r.payloads.take(base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(payload, text)
	return payload[:n], err == nil
}

// slab gives room for payloads, and takes it back all at once.
type slab struct {
	room   []byte // what is left
	whole  []byte
	within bool // a value is being read
}

func (s *slab) begin() { s.within = true }
func (s *slab) end()   { s.within = false }

func (s *slab) take(n int) []byte {
	if n > len(s.room) {
		s.whole = make([]byte, max(n, streamBufferBytes))
		s.room = s.whole
	}
	b := s.room[:n:n]
	s.room = s.room[n:]
	return b
}

func (s *slab) reuse() {
	if s.room = s.whole; s.within {
		s.room, s.whole = nil, nil // part of it is of a vertex that is not whole yet
	}
}
