package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/httpapi"
)

// streamsPerDoor is how many batches are open at each replica: within one, receipts
// come in the order of the vertices.
const streamsPerDoor = 2

// apiStreams proposes by POST /v1/vertices:batch.
type apiStreams struct {
	doors [][]*stream
	turn  atomic.Uint64
}

// Propose implements proposer.
func (a *apiStreams) Propose(ctx context.Context, door int, vertices []replica.Vertex) ([]uint64, error) {
	streams := a.doors[door]
	return streams[a.turn.Add(1)%uint64(len(streams))].propose(ctx, vertices)
}

func (a *apiStreams) close() {
	for _, streams := range a.doors {
		for _, s := range streams {
			s.close()
		}
	}
}

// stream shares one batch among many submitters: what they hand over while one part is
// sent is the next part.
type stream struct {
	batch *httpapi.Batch
	ended sync.WaitGroup // of both ends
	wake  chan struct{}  // there is something to send

	mu      sync.Mutex
	unsent  []*streamGroup
	waiting []*streamGroup // unsent ones included, in the order of their receipts
	err     error          // why nothing goes on
}

// streamGroup is the vertices of one submitter.
type streamGroup struct {
	vertices  []replica.Vertex
	sequences []uint64
	err       error
	done      chan struct{}
}

func openStream(ctx context.Context, c *client, format httpapi.Format) (*stream, error) {
	batch, err := httpapi.OpenBatch(ctx, &c.http, c.base, format, apiWait)
	if err != nil {
		return nil, err
	}
	s := &stream{batch: batch, wake: make(chan struct{}, 1)}
	s.ended.Go(s.send)
	s.ended.Go(s.receive)
	return s, nil
}

func (s *stream) propose(ctx context.Context, vertices []replica.Vertex) ([]uint64, error) {
	g := &streamGroup{vertices: vertices, sequences: make([]uint64, 0, len(vertices)), done: make(chan struct{})}
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return nil, s.err
	}
	s.unsent, s.waiting = append(s.unsent, g), append(s.waiting, g)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	select {
	case <-g.done:
		return g.sequences, g.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// send sends until the batch is closed.
func (s *stream) send() {
	for range s.wake {
		s.mu.Lock()
		groups := s.unsent
		s.unsent = nil
		s.mu.Unlock()
		if len(groups) == 0 {
			continue
		}
		for _, g := range groups {
			if err := s.batch.Append(g.vertices); err != nil {
				s.fail(err)
				return
			}
		}
		if err := s.batch.Flush(); err != nil {
			s.fail(err)
			return
		}
	}
}

// receive hands receipts to who waits for them.
func (s *stream) receive() {
	var r httpapi.BatchReceipt
	for index := uint64(0); ; index++ {
		err := s.batch.Receive(&r)
		switch {
		case errors.Is(err, io.EOF):
			err = io.ErrUnexpectedEOF
		case err == nil && r.Index != index:
			err = fmt.Errorf("receipt %d came instead of %d", r.Index, index)
		case err == nil:
			err = s.settle(&r)
		}
		if err != nil {
			s.fail(fmt.Errorf("read receipts: %w", err))
			return
		}
	}
}

// settle gives a receipt to the first who waits.
func (s *stream) settle(r *httpapi.BatchReceipt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return fmt.Errorf("receipt %d is nobody's", r.Index)
	}
	g := s.waiting[0]
	if g.sequences = append(g.sequences, uint64(r.Sequence)); r.Status != httpapi.StatusFinal && g.err == nil {
		g.err = fmt.Errorf("a vertex is %s: %s", r.Status, r.Reason())
	}
	if len(g.sequences) == len(g.vertices) {
		s.waiting = s.waiting[1:]
		close(g.done)
	}
	return nil
}

// fail tells all who wait, and whoever comes, once.
func (s *stream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.err = err
	for _, g := range s.waiting {
		g.err = err
		close(g.done)
	}
	s.waiting = nil
}

// close ends both ends. Nobody proposes any more.
func (s *stream) close() {
	s.fail(errors.New("the batch was closed"))
	_ = s.batch.Close()
	close(s.wake)
	s.ended.Wait()
}
