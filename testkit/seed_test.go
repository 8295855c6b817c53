package testkit_test

import "flag"

// go test ./testkit/... -sim.seed=N is a way to replay a seed of testkit/sim, so
// every package below testkit has to know the flag.
var _ = flag.Uint64("sim.seed", 0, "replay this seed: see testkit/sim")
