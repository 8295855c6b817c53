// Package sim runs whole clusters deterministically: the real actors of all
// replicas on one thread, where a seed decides which of them is next, how long
// frames travel and which are lost, when the power fails and what is left on the
// disk then.
//
//	func TestSurvives(t *testing.T) {
//		for seed := range uint64(100) {
//			t.Run(fmt.Sprint(seed), func(t *testing.T) {
//				t.Parallel()
//				r, err := sim.Run(t.Context(), sim.Config{Seed: seed})
//				if err != nil {
//					t.Fatal(err) // of the configuration, or the context
//				}
//				if r.Err != nil { // what the cluster did wrong
//					t.Fatalf("%v\n%s", r.Err, strings.Join(r.Story, "\n"))
//				}
//			})
//		}
//	}
//
// The same seed gives the same run, step by step, which Result.Hash proves. Runs share
// nothing and may go on side by side; each takes one core for some tenths of a second,
// a few seconds with many members, and some hundred MiB of memory. A run has no limit
// in the machine's time but its context.
//
// Config says how many members there are, what is proposed and what goes wrong, and
// Configure what replicas are configured with. The application is one of the
// simulator's own; to run yours in a cluster, with faults at places of your choice,
// see package testkit.
//
// A run has two phases. In the first there are faults, drawn from the seed, and
// nothing may ever be wrong; in the second there are none, and everything
// proposed has to become final on all replicas within a time.
//
// Watched at every step are: agreement on each sequence and ledger head, their
// order, that nothing is executed that was not proposed or twice, that no member
// signs two digests for one place, restarts included, that states are equal at
// equal sequences, and that no member, all being honest, is charged with
// anything. At the end the ledgers are read from the disks.
//
// The command does so for many seeds at a time, for anybody:
//
//	replica sim --seeds 1000 --from 5000
//
// Who changes this module runs a range of seeds, or one, by the tests of this package,
// in a copy of its repository:
//
//	go test ./testkit/sim -run TestSeeds -sim.seeds=1000 -sim.from=5000
//	go test ./testkit/sim -run TestSeeds -v -sim.seed=11 -sim.steps
package sim
