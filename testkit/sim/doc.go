// Package sim runs whole clusters deterministically: the real actors of all
// replicas on one thread, where a seed decides which of them is next, how long
// frames travel and which are lost, when the power fails and what is left on the
// disk then.
//
//	result, err := sim.Run(ctx, sim.Config{Seed: 7})
//
// The same seed gives the same run, step by step, which Result.Hash proves. A
// run has two phases. In the first there are faults, drawn from the seed, and
// nothing may ever be wrong; in the second there are none, and everything
// proposed has to become final on all replicas within a time.
//
// Watched at every step are: agreement on each sequence and ledger head, their
// order, that nothing is executed that was not proposed or twice, that no member
// signs two digests for one place, restarts included, that states are equal at
// equal sequences, and that no member, all being honest, is charged with
// anything. At the end the ledgers are read from the disks.
//
// The command does so for many seeds at a time, and the tests of this package for
// a range, or one:
//
//	replica sim --seeds 1000 --from 5000
//	go test ./testkit/sim -run TestSeeds -sim.seeds=1000 -sim.from=5000
//	go test ./testkit/sim -run TestSeeds -v -sim.seed=11 -sim.steps
package sim
