package main

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/cretoai/consensus/replica/httpapi"
)

// How many vertices are sent: so many requests at a time, each of at most so
// many vertices, and of so many bytes of payload that its JSON stays below the
// API's default bound.
const (
	groupsAtOnce       = 4
	groupVerticesMax   = 1024
	groupPayloadsBytes = 512 << 10
)

// proposeGroups proposes o.count random vertices and returns their receipts, in
// no order. The first failure ends it.
func proposeGroups(ctx context.Context, c *client, o proposeOptions, s *signer) ([]httpapi.Receipt, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	group := min(groupVerticesMax, max(1, groupPayloadsBytes/(o.size+64)))
	if s != nil {
		group = min(group, s.together)
	}
	sizes := make(chan int)
	var (
		mu       sync.Mutex
		receipts []httpapi.Receipt
		first    error
		all      sync.WaitGroup
	)
	for range groupsAtOnce {
		all.Go(func() {
			for n := range sizes {
				got, err := proposeGroup(ctx, c, o, s, n)
				mu.Lock()
				receipts = append(receipts, got...)
				if err != nil && first == nil {
					first = err
					cancel(err)
				}
				mu.Unlock()
			}
		})
	}
	for left := o.count; left > 0 && ctx.Err() == nil; left -= group {
		select {
		case sizes <- min(left, group):
		case <-ctx.Done():
		}
	}
	close(sizes)
	all.Wait()
	if first == nil {
		first = context.Cause(ctx)
	}
	return receipts, first
}

func proposeGroup(ctx context.Context, c *client, o proposeOptions, s *signer, n int) (receipts []httpapi.Receipt, err error) {
	payloads, err := randomPayloads(n, o.size)
	if err != nil {
		return nil, err
	}
	var body []byte
	if s != nil {
		body, err = s.body(payloads)
	} else {
		vertices := make([]httpapi.Vertex, n)
		for i, p := range payloads {
			vertices[i].Payload = p
		}
		body, err = json.Marshal(vertices)
	}
	if err != nil {
		return nil, err
	}
	err = c.propose(ctx, "application/json", body, o.wait, &receipts)
	return receipts, err
}
