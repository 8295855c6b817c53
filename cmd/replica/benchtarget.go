package main

import (
	"context"
	"sync"

	"github.com/cretoai/consensus/cmd/replica/workload"
	"github.com/cretoai/consensus/replica"
)

// proposer has vertices finalised at a replica, in one way or another.
type proposer interface {
	// Propose returns the sequence at which each vertex was finalised.
	Propose(ctx context.Context, door int, vertices []replica.Vertex) ([]uint64, error)
}

// benchTarget is replicas under load.
type benchTarget struct {
	replicas
	by     proposer
	supply *supply   // signed vertices; nil if payloads are proposed as they are
	spent  sync.Pool // of *[]replica.Vertex: an instrument should not make garbage of its own
}

// replicas are what counts and is counted.
type replicas interface {
	Doors() int
	Leader() int
	Count() (workload.Counters, error)
}

// Submit implements workload.Target.
func (t *benchTarget) Submit(ctx context.Context, door int, payloads [][]byte) ([]uint64, error) {
	if t.supply == nil {
		list, ok := t.spent.Get().(*[]replica.Vertex)
		if !ok {
			list = new([]replica.Vertex)
		}
		for _, p := range payloads {
			*list = append(*list, replica.Vertex{Payload: p})
		}
		sequences, err := t.by.Propose(ctx, door, *list)
		if err == nil { // nobody has them any more
			*list = (*list)[:0]
			t.spent.Put(list)
		}
		return sequences, err
	}
	vertices, err := t.supply.take(len(payloads))
	if err != nil {
		return nil, err
	}
	sequences, err := t.by.Propose(ctx, door, vertices)
	clear(vertices) // what is spent need not stay in memory
	return sequences, err
}
