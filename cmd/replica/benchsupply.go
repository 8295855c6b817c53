package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cretoai/consensus/cmd/replica/workload"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/replica"
)

// creatorOptions are the flags of bench about vertices that their creators sign.
type creatorOptions struct {
	sign      bool
	creators  int
	together  int // vertices a signature is for
	presigned int // 0: as many as may be needed
}

// supply is vertices that were signed before the measurement: signing is the clients'
// work, which they do elsewhere, and at the same time.
type supply struct {
	vertices []replica.Vertex
	together int
	taken    atomic.Int64 // groups
}

// take gives the next n vertices: whole groups, as far as n allows.
func (s *supply) take(n int) ([]replica.Vertex, error) {
	groups := int64((n + s.together - 1) / s.together)
	first := int(s.taken.Add(groups)-groups) * s.together
	if first+n > len(s.vertices) {
		return nil, workload.ErrExhausted
	}
	return s.vertices[first : first+n], nil
}

// chainOf is what has to be known of a chain to sign for it.
type chainOf struct {
	genesis messages.Digest
	scheme  string
	seq     messages.Seq // executed so far
}

// presign makes the supply of a measurement. A creator signs all of its groups before
// the next one: keys of many creators would fill the memory.
func (o benchOptions) presign(ctx context.Context, c chainOf, narration io.Writer) (*supply, error) {
	scheme, err := crypto.SchemeByName(c.scheme)
	if err != nil {
		return nil, err
	}
	groups := (o.presignedVertices() + o.creator.together - 1) / o.creator.together
	s := &supply{vertices: make([]replica.Vertex, groups*o.creator.together), together: o.creator.together}
	payloads := make([]byte, len(s.vertices)*o.load.Payload)
	if _, err := rand.Read(payloads); err != nil {
		return nil, fmt.Errorf("draw payloads: %w", err)
	}
	for i := range s.vertices {
		// The creators take turns, so that the vertices of one keep their order.
		turn := uint64(i / s.together / o.creator.creators)
		s.vertices[i] = replica.Vertex{
			Payload: payloads[i*o.load.Payload : (i+1)*o.load.Payload : (i+1)*o.load.Payload], Expires: c.seq + pbft.ExpiryReach/2,
			Nonce: turn*uint64(s.together) + uint64(i%s.together),
		}
	}
	var (
		all      sync.WaitGroup
		next     atomic.Int64
		signed   atomic.Int64
		failures = make([]error, runtime.GOMAXPROCS(0))
	)
	shown := progress{"signing", "vertices", "signed", len(s.vertices)}.show(narration, func() int { return int(signed.Load()) })
	for worker := range failures {
		all.Go(func() {
			for failures[worker] == nil {
				creator := int(next.Add(1) - 1)
				if creator >= min(o.creator.creators, groups) {
					return
				}
				failures[worker] = s.signOf(ctx, creator, o.creator.creators, c, scheme, &signed)
			}
		})
	}
	all.Wait()
	shown()
	return s, errors.Join(failures...)
}

// signOf signs the groups of a creator: each of as many as there are creators.
func (s *supply) signOf(ctx context.Context, creator, creators int, c chainOf, scheme crypto.Scheme, signed *atomic.Int64) error {
	seed, err := crypto.GenerateSeed(rand.Reader, scheme)
	if err != nil {
		return err
	}
	key, err := scheme.NewKey(seed)
	if err != nil {
		return err
	}
	signer := replica.NewCreatorOf(c.genesis, c.scheme, key)
	for at := creator * s.together; at < len(s.vertices); at += creators * s.together {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		group, err := signer.SignVertices(s.vertices[at : at+s.together])
		if err != nil {
			return err
		}
		copy(s.vertices[at:], group)
		signed.Add(int64(s.together))
	}
	return nil
}

// What is signed without --presigned: what a cluster of this speed would need, as far
// as so much memory allows. A faster one ends the measurement earlier.
const (
	presignRate      = 12_000  // vertices a second, of one signature each
	presignRateMax   = 120_000 // and of many together
	presignBytesMax  = 1 << 30
	presignedBytes   = 256  // about what a vertex takes beside its payload
	presignedGroup   = 5200 // and a signature with what belongs to it
	openLoopsReserve = 1.25
)

func (o benchOptions) presignedVertices() int {
	if o.creator.presigned > 0 {
		return o.creator.presigned
	}
	rate := float64(min(presignRate*o.creator.together, presignRateMax))
	if o.load.Rate > 0 {
		rate = o.load.Rate * openLoopsReserve
	}
	n := rate * o.load.Warmup.Seconds()
	if o.load.Vertices > 0 {
		n += float64(o.load.Vertices) * openLoopsReserve
	} else {
		n += rate * o.load.Duration.Seconds()
	}
	n += float64(2 * o.load.Outstanding)
	bytes := presignedBytes + o.load.Payload + presignedGroup/o.creator.together
	return max(min(int(n), presignBytesMax/bytes), o.creator.together)
}
