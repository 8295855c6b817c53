package replica

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// Authorisation gives the seals of vertices as bytes, to travel beside them: keys,
// signatures, and what of the trees did not come along. Vertices signed together
// stand one after the other, as SignVertices leaves them. It has no bytes for
// vertices that nobody signed.
func Authorisation(vertices []Vertex) ([]byte, error) {
	if !slices.ContainsFunc(vertices, func(v Vertex) bool { return v.Seal.Group != nil }) {
		return nil, nil
	}
	encoded, hashes := make([][]byte, len(vertices)), make([]messages.Digest, len(vertices))
	seals := make([]messages.Seal, len(vertices))
	for i, v := range vertices {
		var err error
		if encoded[i], err = v.encode(); err != nil {
			return nil, fmt.Errorf("vertex %d: %w", i, err)
		}
		hashes[i], seals[i] = messages.HashVertex(encoded[i]), v.Seal
	}
	section, err := messages.AppendAuthorisation(nil, encoded, hashes, seals)
	if err != nil {
		return nil, err
	}
	for i, s := range seals {
		if s != vertices[i].Seal {
			return nil, errScattered
		}
	}
	return section, nil
}

var errScattered = errors.New("vertices that were signed together stand one after the other, in the order in which they were signed")

// Authorise gives vertices the seals that Authorisation made bytes of. It checks
// the form, and no signature: whoever takes the vertices does. A signed vertex says
// who made it and when it expires.
func Authorise(vertices []Vertex, section []byte) error {
	if len(section) == 0 {
		return nil
	}
	if len(vertices) > messages.GroupVerticesMax {
		return fmt.Errorf("%d vertices with one authorisation: at most %d", len(vertices), messages.GroupVerticesMax)
	}
	hashes := make([]messages.Digest, len(vertices))
	for i, v := range vertices {
		if v.Expires == 0 {
			return fmt.Errorf("vertex %d: %w", i, ErrNoExpiry)
		}
		encoded, err := v.encode()
		if err != nil {
			return fmt.Errorf("vertex %d: %w", i, err)
		}
		hashes[i] = messages.HashVertex(encoded)
	}
	grants, err := messages.ParseAuthorisation(section, hashes)
	if err != nil {
		return fmt.Errorf("the authorisation does not belong to these vertices: %w", err)
	}
	messages.Detach(grants)
	for i, s := range messages.Seals(grants, len(vertices)) {
		vertices[i].Seal = s
	}
	return nil
}
