package pbft

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// Clients is the client table: for every creator the window of nonces that were
// executed. It is replicated state, equal on all replicas after equal
// sequences, and part of every checkpoint digest; it is why nothing is executed
// twice, wherever a vertex reappears. [X1–X4]
type Clients struct {
	window uint64 // W, in nonces; a multiple of 64
	// creatorsMax is CreatorsMax for that window.
	creatorsMax int
	byID        map[Creator]*client
	last        *client // the creator of the previous vertex: runs of one are usual
	buckets     [clientBuckets]bucket
}

// Creator identifies who made a vertex; with a nonce it identifies the vertex.
type Creator = [32]byte

// client is one creator's window: nonces in [base, base+W) have a bit, those
// below base are spent.
type client struct {
	id     Creator
	base   uint64
	recent messages.Seq // the sequence of the last execution
	bits   []uint64     // nonce m at bit m mod W
}

// bucket groups creators by the first byte of their id, so that a checkpoint
// hashes again only what was written since the last one.
type bucket struct {
	creators []*client         // ascending by id
	parts    []messages.Digest // see HashParts
	dirty    bool
}

const clientBuckets = 256

// ExpiryReach is R: a vertex names the last sequence at which it may execute,
// at most R ahead. A creator is forgotten R sequences after its last execution,
// when everything it executed has expired. [X3]
const ExpiryReach messages.Seq = 1 << 20

// clientTableBytesMax bounds the table's memory, and with it the creators
// remembered: beyond, new ones are refused by every replica alike until others
// are forgotten. [X4]
const clientTableBytesMax = 256 << 20

// CreatorsMax is how many creators are remembered with windows of so many
// nonces.
func CreatorsMax(window uint32) int {
	const overhead = 128 // of a client, its place in a bucket and in the map
	return clientTableBytesMax / (int(window)/8 + overhead)
}

// Outcome says what executing a vertex means. Every outcome but Fresh is a
// recorded no-op, the same on all replicas.
type Outcome uint8

// The outcomes.
const (
	Fresh       Outcome = iota
	Repeated            // this (creator, nonce) was executed before
	NonceSpent          // the nonce lies below the creator's window
	NonceTooFar         // the nonce lies two windows or more above the base
	Expired             // the vertex's last sequence has passed
	ExpiresLate         // the vertex's last sequence is more than ExpiryReach away
	TooManyCreators
)

var outcomeNames = [...]string{"fresh", "repeated", "nonce spent", "nonce too far", "expired", "expires too late", "too many creators"}

func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown outcome"
}

// NewClients makes an empty table of windows of the given size in nonces,
// rounded up to a multiple of 64.
func NewClients(window uint32) *Clients {
	return &Clients{window: (uint64(window) + 63) &^ 63, creatorsMax: CreatorsMax(window), byID: make(map[Creator]*client)}
}

// Execute says what the vertex (creator, nonce, expires) is at seq, and spends
// its nonce if it is fresh.
func (c *Clients) Execute(seq messages.Seq, creator Creator, nonce uint64, expires messages.Seq) Outcome {
	switch {
	case seq > expires:
		return Expired
	case expires-seq > ExpiryReach:
		return ExpiresLate
	}
	cl := c.last
	if cl == nil || cl.id != creator {
		if cl = c.byID[creator]; cl == nil {
			switch {
			case nonce >= 2*c.window || nonce == math.MaxUint64:
				return NonceTooFar // and nobody to be remembered
			case len(c.byID) >= c.creatorsMax:
				return TooManyCreators
			}
			cl = c.add(creator)
		}
		c.last = cl
	}
	outcome := cl.spend(nonce, c.window)
	if outcome == Fresh {
		cl.recent = seq
		c.buckets[creator[0]].dirty = true
	}
	return outcome
}

// Spent reports whether executing (creator, nonce) would be a no-op for its
// nonce's sake.
func (c *Clients) Spent(creator Creator, nonce uint64) bool {
	cl := c.byID[creator]
	return cl != nil && (nonce < cl.base || nonce-cl.base < c.window && cl.has(nonce, c.window))
}

func (cl *client) has(nonce, window uint64) bool {
	return cl.bits[nonce%window/64]&(1<<(nonce%64)) != 0
}

// spend marks a nonce. One beyond the window moves the base up, so that the
// window ends with it; what falls below is spent. [X2]
func (cl *client) spend(nonce, window uint64) Outcome {
	if nonce < cl.base {
		return NonceSpent
	}
	ahead := nonce - cl.base
	switch {
	case ahead >= 2*window || nonce == math.MaxUint64:
		return NonceTooFar
	case ahead >= window:
		base := nonce - window + 1
		for m := cl.base; m < base; m++ { // at most W steps, each paid for by a nonce skipped
			cl.bits[m%window/64] &^= 1 << (m % 64)
		}
		cl.base = base
	case cl.has(nonce, window):
		return Repeated
	}
	cl.bits[nonce%window/64] |= 1 << (nonce % 64)
	return Fresh
}

func (c *Clients) add(creator Creator) *client {
	cl := &client{id: creator, bits: make([]uint64, c.window/64)}
	c.insert(cl)
	return cl
}

func (c *Clients) insert(cl *client) {
	c.byID[cl.id] = cl
	b := &c.buckets[cl.id[0]]
	at, _ := slices.BinarySearchFunc(b.creators, cl.id, func(o *client, id Creator) int { return bytes.Compare(o.id[:], id[:]) })
	b.creators = slices.Insert(b.creators, at, cl)
	b.dirty = true
}

// Forget drops, at checkpoint seq, the creators whose last execution is more
// than ExpiryReach ago. Every replica does so at the same checkpoints.
func (c *Clients) Forget(seq messages.Seq) {
	if seq <= ExpiryReach {
		return
	}
	for i := range c.buckets {
		b := &c.buckets[i]
		b.creators = slices.DeleteFunc(b.creators, func(cl *client) bool {
			if cl.recent >= seq-ExpiryReach {
				return false
			}
			delete(c.byID, cl.id)
			b.dirty = true
			return true
		})
	}
	c.last = nil
}

// Len is the number of creators remembered.
func (c *Clients) Len() int { return len(c.byID) }

// Digest is the root over the buckets' hashes; only buckets written since the
// last call are hashed again, and appended to changed. [C1]
func (c *Clients) Digest() (root messages.Digest, changed []int) {
	for i := range c.buckets {
		if b := &c.buckets[i]; b.dirty {
			b.parts = HashParts(c.EncodeBucket(i))
			b.dirty = false
			changed = append(changed, i)
		}
	}
	return bucketsRoot(tagClients, clientBuckets, func(i int) []messages.Digest { return c.buckets[i].parts }), changed
}

// Hashes gives the hashes of the parts of all buckets, as of the last Digest.
// They are never changed.
func (c *Clients) Hashes() [][]messages.Digest {
	hashes := make([][]messages.Digest, clientBuckets)
	for i := range hashes {
		hashes[i] = c.buckets[i].parts
	}
	return hashes
}

// EncodeBucket gives a bucket's fixed-layout bytes: for each creator, ascending,
// id 32 ‖ base 8 ‖ recent 8 ‖ window bits W/8, big-endian. An empty bucket has
// none.
func (c *Clients) EncodeBucket(i int) []byte {
	b := &c.buckets[i]
	out := make([]byte, 0, len(b.creators)*c.entryBytes())
	for _, cl := range b.creators {
		out = append(out, cl.id[:]...)
		out = binary.BigEndian.AppendUint64(out, cl.base)
		out = binary.BigEndian.AppendUint64(out, uint64(cl.recent))
		for _, word := range cl.bits {
			out = binary.BigEndian.AppendUint64(out, word)
		}
	}
	return out
}

func (c *Clients) entryBytes() int { return 32 + 8 + 8 + int(c.window/8) }

// RestoreBucket fills an empty bucket from the bytes EncodeBucket made.
func (c *Clients) RestoreBucket(i int, data []byte) error {
	size := c.entryBytes()
	if i < 0 || i >= clientBuckets || len(data)%size != 0 {
		return fmt.Errorf("client bucket %d of %d bytes: entries have %d", i, len(data), size)
	}
	if len(c.buckets[i].creators) > 0 {
		return fmt.Errorf("client bucket %d is not empty", i)
	}
	var before []byte
	for ; len(data) > 0; data = data[size:] {
		cl := &client{bits: make([]uint64, c.window/64)}
		copy(cl.id[:], data)
		if int(cl.id[0]) != i || before != nil && bytes.Compare(before, cl.id[:]) >= 0 {
			return errors.New("client bucket out of order")
		}
		before = cl.id[:]
		cl.base = binary.BigEndian.Uint64(data[32:])
		cl.recent = messages.Seq(binary.BigEndian.Uint64(data[40:]))
		for w := range cl.bits {
			cl.bits[w] = binary.BigEndian.Uint64(data[48+8*w:])
		}
		c.insert(cl)
	}
	return nil
}

// Buckets is the number of buckets.
func (c *Clients) Buckets() int { return clientBuckets }
