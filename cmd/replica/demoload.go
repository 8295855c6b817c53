package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cretoai/consensus/metrics"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/replica"
)

// The load: at every replica so many submitters, each with one group of
// vertices outstanding. Together they stay well below max_pending_vertices.
const (
	submittersPerReplica = 4
	groupMax             = 1024    // vertices
	groupBytesMax        = 1 << 20 // of payloads, if there is more than one
)

// load is what proposing has shown.
type load struct {
	finalized int
	elapsed   time.Duration
	finality  metrics.Histogram
}

// loader hands vertices out to submitters.
type loader struct {
	vertices int
	payload  int
	group    int

	taken     atomic.Int64
	finalized atomic.Int64
	finality  *metrics.Histogram
}

// runLoad proposes all vertices, spread over all replicas, and waits until they
// are final.
func runLoad(ctx context.Context, c *demoCluster, o demoOptions, narration io.Writer) (*load, error) {
	result := &load{}
	submitters := submittersPerReplica * len(c.Replicas)
	l := &loader{
		vertices: o.vertices, payload: o.payload, finality: &result.finality,
		group: max(1, min(groupMax, groupBytesMax/o.payload, (o.vertices+submitters-1)/submitters)),
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	shown := progress{"finalising", "vertices", "final", o.vertices}.show(narration, func() int { return int(l.finalized.Load()) })
	begin := time.Now()
	var all sync.WaitGroup
	errs := make([]error, submitters)
	struck := c.strike.watch(ctx, c, func() bool { return int(l.finalized.Load()) >= o.vertices/2 })
	for i := range submitters {
		all.Go(func() {
			if errs[i] = l.submit(ctx, c, i); errs[i] != nil {
				cancel(errFailed)
			}
		})
	}
	all.Wait()
	elapsed := time.Since(begin)
	failed := firstCause(errs)
	if failed == nil {
		failed = c.strike.prolong(ctx, c, l)
	}
	struck()
	result.elapsed, result.finalized = elapsed, int(l.finalized.Load())
	shown()
	return result, failed
}

// errFailed ends the other submitters when one has failed.
var errFailed = errors.New("another submitter failed")

// firstCause is the first error that is not merely a consequence of another.
func firstCause(errs []error) error {
	for _, err := range errs {
		if err != nil && !errors.Is(err, errFailed) {
			return err
		}
	}
	return nil
}

// submit proposes groups until none is left, at one replica, or at the next one
// when that turns faulty: vertices have creators and nonces of their own, so that
// none is executed twice.
func (l *loader) submit(ctx context.Context, c *demoCluster, submitter int) error {
	random := rand.NewChaCha8(seedOf(uint64(submitter)))
	creator, nonce := sha256.Sum256(fmt.Appendf(nil, "submitter %d of the demo", submitter)), uint64(0)
	door := submitter % len(c.Replicas)
	for {
		group := l.take(random)
		if len(group) == 0 {
			return nil
		}
		for i := range group {
			nonce++
			group[i].Creator, group[i].Nonce = creator, nonce
		}
		begin := time.Now()
		receipts, err := l.propose(ctx, c, &door, group)
		if err != nil {
			return err
		}
		final := 0
		for _, receipt := range receipts {
			if receipt.Outcome == pbft.Fresh || receipt.Outcome == pbft.Repeated {
				final++
			}
		}
		l.finality.RecordN(time.Since(begin), final)
		l.finalized.Add(int64(final))
	}
}

// propose has a group finalised at a replica that is not faulty.
func (l *loader) propose(ctx context.Context, c *demoCluster, door *int, group []replica.Vertex) ([]replica.Receipt, error) {
	for {
		for c.strike.hit(*door) {
			*door = (*door + 1) % len(c.Replicas)
		}
		at, cancel := c.strike.until(ctx, *door)
		receipts, err := c.Replicas[*door].ProposeAll(at, group)
		cancel()
		if err == nil || ctx.Err() != nil || !c.strike.hit(*door) {
			return receipts, err
		}
	}
}

// take makes the next group of vertices; it is empty when all were taken.
func (l *loader) take(random *rand.ChaCha8) []replica.Vertex {
	end := int(l.taken.Add(int64(l.group)))
	n := min(l.group, l.vertices-(end-l.group))
	if n <= 0 {
		return nil
	}
	group, payloads := make([]replica.Vertex, n), make([]byte, n*l.payload)
	random.Read(payloads) //nolint:errcheck // it never fails
	for i := range group {
		group[i].Payload = payloads[i*l.payload : (i+1)*l.payload : (i+1)*l.payload]
	}
	return group
}

// seedOf spreads a number over a seed.
func seedOf(n uint64) (seed [32]byte) {
	binary.BigEndian.PutUint64(seed[:], n)
	return seed
}
