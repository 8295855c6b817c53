// Package sim runs whole clusters deterministically: the real actors of all
// replicas on one thread, where a seed decides which of them is next, how long
// frames travel and which are lost, when the power fails and what is left on the
// disk then.
//
//	result, err := sim.Run(ctx, sim.Config{Seed: 7})
//
// The same seed gives the same run, step by step, which Result.Hash proves. A
// run has two phases. In the first there are faults, and nothing may ever be
// wrong; in the second there are none, and everything proposed has to become
// final on all replicas within a time. What is watched is listed in oracle.go.
package sim
