package httpapi

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strconv"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// Vertex is a vertex as JSON. Everything but the payload may be left out, see
// replica.Vertex; creator and nonce come together.
type Vertex struct {
	Payload   []byte            `json:"payload"` // base64
	Parents   []messages.Digest `json:"parents,omitempty"`
	Creator   *messages.Digest  `json:"creator,omitempty"` // 32 bytes in hexadecimal
	Nonce     *uint64           `json:"nonce,omitempty"`
	Timestamp int64             `json:"timestamp,omitempty"`
	Expires   messages.Seq      `json:"expires,omitempty"`
	// Authorisation is the creator's signature, where the chain requires one, as
	// replica.Authorisation gives it; in base64.
	Authorisation []byte `json:"authorisation,omitempty"`
}

// Group is vertices as JSON that were signed together, with the one authorisation
// that replica.Authorisation gives for them.
type Group struct {
	Vertices      []Vertex `json:"vertices"`
	Authorisation []byte   `json:"authorisation,omitempty"`
}

// NewGroup gives signed vertices as JSON: at most messages.GroupVerticesMax, those
// that were signed together one after the other.
func NewGroup(vertices []replica.Vertex) (*Group, error) {
	section, err := replica.Authorisation(vertices)
	if err != nil {
		return nil, err
	}
	g := &Group{Vertices: make([]Vertex, len(vertices)), Authorisation: section}
	for i, v := range vertices {
		g.Vertices[i] = newVertex(v)
	}
	return g, nil
}

// newVertex gives a vertex as JSON, without its signature.
func newVertex(v replica.Vertex) Vertex {
	out := Vertex{Payload: v.Payload, Parents: v.Parents, Timestamp: v.Timestamp, Expires: v.Expires}
	if v.Creator != [32]byte{} {
		creator, nonce := messages.Digest(v.Creator), v.Nonce
		out.Creator, out.Nonce = &creator, &nonce
	}
	return out
}

// submission is what one JSON object may be: a vertex, or a group.
type submission struct {
	Vertex
	Vertices []Vertex `json:"vertices"`
}

// parseVertices reads a body of JSON: a vertex, a group, or an array of vertices.
// many says that the answer is an array, too.
func parseVertices(body []byte) (vertices []replica.Vertex, many bool, err error) {
	if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) {
		var list []Vertex
		if err := decode(body, &list); err != nil {
			return nil, false, err
		}
		vertices, err = appendVertices(nil, list)
		return vertices, true, err
	}
	var one submission
	if err := decode(body, &one); err != nil {
		return nil, false, err
	}
	vertices, err = one.appendTo(nil)
	return vertices, one.Vertices != nil, err
}

// appendTo appends the vertices of an object.
func (s *submission) appendTo(to []replica.Vertex) ([]replica.Vertex, error) {
	if s.Vertices == nil {
		return appendVertices(to, []Vertex{s.Vertex})
	}
	if s.Payload != nil || s.Parents != nil || s.Creator != nil || s.Nonce != nil || s.Timestamp != 0 || s.Expires != 0 {
		return nil, badRequest("a group has vertices and an authorisation; the fields of a vertex stand in each of them")
	}
	first := len(to)
	to, err := appendVertices(to, s.Vertices)
	if err != nil {
		return nil, err
	}
	for i, v := range s.Vertices {
		if v.Authorisation != nil && s.Authorisation != nil {
			return nil, badRequest("vertex %d: it has an authorisation of its own within a group that has one", i)
		}
	}
	return to, authorise(to[first:], s.Authorisation)
}

// appendVertices appends vertices, each with the authorisation of its own.
func appendVertices(to []replica.Vertex, list []Vertex) ([]replica.Vertex, error) {
	for i, v := range list {
		if (v.Creator == nil) != (v.Nonce == nil) {
			return nil, badRequest("vertex %d: creator and nonce come together: one without the other names no vertex", i)
		}
		out := replica.Vertex{Payload: v.Payload, Parents: v.Parents, Timestamp: v.Timestamp, Expires: v.Expires}
		if v.Creator != nil {
			if v.Creator.IsZero() {
				return nil, badRequest("vertex %d: a creator is not all zeros", i)
			}
			out.Creator, out.Nonce = *v.Creator, *v.Nonce
		}
		to = append(to, out)
		if err := authorise(to[len(to)-1:], v.Authorisation); err != nil {
			return nil, badRequest("vertex %d: %v", i, err)
		}
	}
	return to, nil
}

// authorise gives vertices the signatures that came beside them.
func authorise(vertices []replica.Vertex, section []byte) error {
	if err := replica.Authorise(vertices, section); err != nil {
		return &Error{
			status: http.StatusBadRequest, Message: err.Error(),
			Hint: "an authorisation is what replica.Authorisation gives for just these vertices, in this order",
		}
	}
	return nil
}

// authorisationHeader brings the authorisation of a vertex whose payload is the
// body, in base64.
const authorisationHeader = "Vertex-Authorisation"

// rawVertex is the vertex whose payload is the body, and whose other fields are in
// the query.
func rawVertex(r *http.Request, payload []byte) ([]replica.Vertex, error) {
	v := Vertex{Payload: payload}
	query := r.URL.Query()
	for name, read := range map[string]func(text string) error{
		"creator": func(text string) error {
			v.Creator = new(messages.Digest)
			return v.Creator.UnmarshalText([]byte(text))
		},
		"nonce": func(text string) error {
			n, err := strconv.ParseUint(text, 10, 64)
			v.Nonce = &n
			return err
		},
		"expires": func(text string) error {
			n, err := strconv.ParseUint(text, 10, 64)
			v.Expires = messages.Seq(n)
			return err
		},
		"timestamp": func(text string) (err error) { v.Timestamp, err = strconv.ParseInt(text, 10, 64); return err },
	} {
		if text := query.Get(name); text != "" {
			if err := read(text); err != nil {
				return nil, badRequest("%s=%.80q: %v", name, text, err)
			}
		}
	}
	for _, text := range query["parent"] {
		var parent messages.Digest
		if err := parent.UnmarshalText([]byte(text)); err != nil {
			return nil, badRequest("parent=%.80q: %v", text, err)
		}
		v.Parents = append(v.Parents, parent)
	}
	if text := r.Header.Get(authorisationHeader); text != "" {
		var err error
		if v.Authorisation, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, badRequest("%s is no base64: %v", authorisationHeader, err)
		}
	}
	return appendVertices(nil, []Vertex{v})
}
