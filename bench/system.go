package main

import (
	"context"

	"github.com/cretoai/consensus/bench/cometpeer"
	"github.com/cretoai/consensus/bench/raftpeer"
	"github.com/cretoai/consensus/cmd/replica/workload"
)

// cluster is a running cluster of any make.
type cluster interface {
	workload.Target
	// Agree waits until all members have applied everything, compares what they
	// applied, and gives how many payloads that are.
	Agree(ctx context.Context) (vertices uint64, err error)
	Stop() error
}

// system is what is measured.
type system struct {
	Name    string `json:"name"` // as --systems has it
	Title   string `json:"title"`
	Members int    `json:"members"`
	Faults  string `json:"faults"` // what it survives
	Signs   string `json:"signs"`
	// anyDoor says that members pass on what they are given.
	anyDoor bool
	start   func(ctx context.Context, dir string, o options) (cluster, error)
}

// systems are all there are, ours first.
func systems(n int) []system {
	raft := func(members int) func(context.Context, string, options) (cluster, error) {
		return func(ctx context.Context, dir string, o options) (cluster, error) {
			return raftpeer.Start(ctx, members, dir, o.load.Outstanding)
		}
	}
	replicas := func(optimistic bool) func(context.Context, string, options) (cluster, error) {
		return func(ctx context.Context, dir string, o options) (cluster, error) {
			return startReplicas(ctx, dir, o, optimistic)
		}
	}
	return []system{
		{Name: ours, Title: "CretoAI Consensus", Members: n, Faults: "Byzantine", Signs: "ML-DSA-87, mutual TLS", anyDoor: true, start: replicas(false)},
		{Name: "optimistic", Title: "CretoAI Consensus, optimistic", Members: n, Faults: "Byzantine", Signs: "ML-DSA-87, mutual TLS", anyDoor: true, start: replicas(true)},
		{Name: "raft", Title: "hashicorp/raft", Members: n, Faults: "crash", Signs: "nothing", start: raft(n)},
		{Name: "raft3", Title: "hashicorp/raft", Members: 3, Faults: "crash", Signs: "nothing", start: raft(3)},
		{
			Name: "comet", Title: "CometBFT", Members: n, Faults: "Byzantine", Signs: "Ed25519, encrypted", anyDoor: true,
			start: func(ctx context.Context, dir string, o options) (cluster, error) {
				return cometpeer.Start(ctx, n, dir, o.load.Outstanding)
			},
		},
	}
}

// ours is the name of the system the others are compared with.
const ours = "replicas"
