package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cretoai/consensus/crypto/keyfile"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/httpapi"
)

// signer signs vertices where its key is, with nonces that follow on those used.
type signer struct {
	creator *replica.Creator
	nonce   atomic.Uint64 // the next one
	expires messages.Seq
	// together is how many may be signed at a time, so that requests that overtake each
	// other stay within the window of nonces.
	together int
}

// newSigner loads a creator's key and asks the replica for what is to be signed: the
// chain, unless a genesis file says which, the next nonce, and the time.
func newSigner(ctx context.Context, c *client, keyPath, genesisPath string) (*signer, error) {
	var s replica.Status
	if err := c.get(ctx, "/v1/status", &s); err != nil {
		return nil, err
	}
	if !s.RequireVertexSignatures {
		return nil, hint(errors.New("the vertices of this chain are not signed"), "leave --key out")
	}
	described, err := keyfile.Describe(keyPath)
	if err != nil {
		return nil, err
	}
	chain, id := s.Genesis, s.ChainID
	if genesisPath != "" {
		g, err := readGenesis(genesisPath)
		if err != nil {
			return nil, err
		}
		if chain, id = g.Hash(), g.ChainID; chain != s.Genesis {
			return nil, fmt.Errorf("the replica's chain %s is another than that of %s, %s: nothing was signed", s.Genesis.Hex(), genesisPath, chain.Hex())
		}
	}
	key, err := keyfile.LoadCreator(keyPath, id)
	if err != nil {
		return nil, err
	}
	creator := replica.NewCreatorOf(chain, described.Scheme, key)
	var nonces httpapi.Creator
	if err := c.get(ctx, "/v1/creators/"+messages.Digest(creator.ID()).Hex(), &nonces); err != nil {
		return nil, err
	}
	out := &signer{creator: creator, expires: nonces.Sequence + pbft.ExpiryReach/2, together: max(int(nonces.Window)/groupsAtOnce, 1)}
	out.nonce.Store(nonces.Next)
	return out, nil
}

// sign makes signed vertices of payloads, with one signature for as many as one
// serves.
func (s *signer) sign(payloads [][]byte) ([]replica.Vertex, error) {
	vertices := make([]replica.Vertex, len(payloads))
	first := s.nonce.Add(uint64(len(payloads))) - uint64(len(payloads))
	for i, p := range payloads {
		vertices[i] = replica.Vertex{Payload: p, Nonce: first + uint64(i), Expires: s.expires, Timestamp: time.Now().UnixMilli()}
	}
	return s.creator.SignVertices(vertices)
}

// body signs payloads and makes a request's body of them.
func (s *signer) body(payloads [][]byte) ([]byte, error) {
	signed, err := s.sign(payloads)
	if err != nil {
		return nil, err
	}
	group, err := httpapi.NewGroup(signed)
	if err != nil {
		return nil, err
	}
	return json.Marshal(group)
}
