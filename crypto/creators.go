package crypto

import (
	"container/list"
	"fmt"
	"sync"

	"github.com/cretoai/consensus/messages"
)

// Creators checks the signatures of vertices' creators, who are named by their
// keys, so that there is no list of them. It keeps the keys seen last expanded,
// for expanding one costs three times a verification, and remembers which
// signatures held, so that a vertex verified at the door costs a hash when it
// comes back in a batch. Whether a signature holds depends on the bytes alone,
// never on what is remembered. It is safe for concurrent use. [X8, X9]
type Creators struct {
	chain    messages.Digest
	scheme   Scheme
	verified *memory

	mu     sync.Mutex
	counts CreatorCounts
	bound  int
	keys   map[string]*list.Element // by encoded key: it is compared sooner than hashed for its id
	recent *list.List               // of *creatorKey, the one used last in front
}

type creatorKey struct {
	id      [32]byte
	encoded string
	key     PublicKey
}

// Creators gives what checks the signatures of creators on the keyring's chain.
// It keeps so many expanded keys, of up to 100 kB each, and remembers so many
// signatures, at 100 bytes.
func (k *Keyring) Creators(keys, signatures int) *Creators {
	if keys < 1 || signatures < 1 {
		panic("a memory of nothing")
	}
	return &Creators{
		chain: k.chain, scheme: k.scheme, verified: newMemory(signatures, 1),
		bound: keys, keys: make(map[string]*list.Element), recent: list.New(),
	}
}

// CreatorError says which vertex is not its creator's, and why.
type CreatorError struct {
	Vertex int // its place among those checked
	Reason CreatorReason
}

// CreatorReason says why a vertex was not found to be its creator's.
type CreatorReason uint8

// The reasons.
const (
	// NotTheCreator: the key is another's than the creator the vertex names.
	NotTheCreator CreatorReason = iota + 1
	// BadCreatorKey: the key is none of the chain's scheme.
	BadCreatorKey
	// BadCreatorSignature: the signature is not the key's over this vertex.
	BadCreatorSignature
)

func (r CreatorReason) String() string {
	switch r {
	case NotTheCreator:
		return "its creator is not named by the key it is signed with"
	case BadCreatorKey:
		return "the key beside it is none of this chain's scheme"
	case BadCreatorSignature:
		return "its signature is bad"
	}
	return "unknown reason"
}

// Error implements error, for whom the place is of no interest.
func (r CreatorReason) Error() string { return r.String() }

func (e *CreatorError) Error() string { return fmt.Sprintf("vertex %d: %v", e.Vertex, e.Reason) }

// Check verifies grants over vertices, which they cover: that each vertex names
// as its creator the key that signed it, and last that the signatures hold, one
// verification for each group. The error is a *CreatorError.
func (c *Creators) Check(grants []messages.Grant, vertex func(i int) messages.VertexView) error {
	for _, g := range grants {
		id, key := c.find(g.Key)
		for i := range g.Leaves {
			if vertex(g.First+i).Creator() != id {
				return &CreatorError{g.First + i, NotTheCreator}
			}
		}
		if reason := c.verify(id, key, g.Group); reason != 0 {
			return &CreatorError{g.First, reason}
		}
	}
	return nil
}

// CheckBatch verifies that every vertex of a batch is its creator's. The chain
// says whether there is anything to verify: ParseBatch has seen to that.
func (c *Creators) CheckBatch(b *messages.Batch) error { return c.Check(b.Grants(), b.Vertex) }

// verify checks one signature, unless it is known to hold. A key that is not in use is
// nil.
func (c *Creators) verify(id [32]byte, key PublicKey, g *messages.Group) CreatorReason {
	signed := g.SigningBytes(c.chain)
	known := c.verified.id(PurposeVertex, id[:], signed, g.Signature)
	if c.verified.has(0, known) {
		return 0
	}
	if key == nil {
		var err error
		if key, err = c.expand(id, g.Key); err != nil {
			return BadCreatorKey
		}
	}
	if !c.holds(key, signed, g.Signature) {
		return BadCreatorSignature
	}
	c.verified.keep(0, known)
	return 0
}

func (c *Creators) holds(key PublicKey, signed, signature []byte) bool {
	c.mu.Lock()
	c.counts.Verifications++
	c.mu.Unlock()
	return key.Verify(PurposeVertex, signed, signature)
}

// find gives whose key that is, with the key itself if it is in use.
func (c *Creators) find(encoded []byte) (id [32]byte, key PublicKey) {
	c.mu.Lock()
	if e := c.keys[string(encoded)]; e != nil {
		c.recent.MoveToFront(e)
		c.mu.Unlock()
		k := e.Value.(*creatorKey)
		return k.id, k.key
	}
	c.mu.Unlock()
	return messages.NewCreatorID(c.scheme.Name(), encoded), nil
}

// expand gives a creator's key, and has it in use.
func (c *Creators) expand(id [32]byte, encoded []byte) (PublicKey, error) {
	key, err := c.scheme.ParsePublicKey(encoded) // not under the lock: it takes as long as several verifications
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Expansions++
	if err != nil || c.keys[string(encoded)] != nil { // or expanded by two at the same time
		return key, err
	}
	k := &creatorKey{id, string(encoded), key}
	c.keys[k.encoded] = c.recent.PushFront(k)
	if c.recent.Len() > c.bound {
		oldest := c.recent.Back()
		delete(c.keys, oldest.Value.(*creatorKey).encoded)
		c.recent.Remove(oldest)
	}
	return key, nil
}

// CreatorCounts says what checking creators' signatures has cost so far.
type CreatorCounts struct {
	Verifications uint64 // signatures verified, those that did not hold included
	Remembered    uint64 // verifications saved
	Expansions    uint64 // keys expanded
}

// Counts gives them.
func (c *Creators) Counts() CreatorCounts {
	c.mu.Lock()
	counts := c.counts
	c.mu.Unlock()
	c.verified.mu.Lock()
	defer c.verified.mu.Unlock()
	counts.Remembered = c.verified.hits
	return counts
}

// SignGroup signs vertices of the key's owner, who is their creator, together:
// hashes are theirs, from 1 to GroupVerticesMax, chain is the genesis hash.
func SignGroup(key PrivateKey, chain messages.Digest, hashes []messages.Digest) (*messages.Group, error) {
	g, err := messages.NewGroup(hashes)
	if err != nil {
		return nil, err
	}
	if g.Signature, err = key.Sign(PurposeVertex, g.SigningBytes(chain)); err != nil {
		return nil, fmt.Errorf("sign %d vertices: %w", len(hashes), err)
	}
	g.Key = key.Public().Bytes()
	return g, nil
}
