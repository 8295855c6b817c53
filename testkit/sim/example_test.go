package sim_test

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/cretoai/consensus/testkit/sim"
)

// Four replicas go through whatever seed 7 has in store for them, twice.
func ExampleRun() {
	var runs [2]*sim.Result
	for i := range runs {
		var err error
		if runs[i], err = sim.Run(context.Background(), sim.Config{Seed: 7}); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("violations:", runs[0].Err)
	fmt.Println("the same run, step by step:", runs[0].Hash == runs[1].Hash)
	// Output:
	// violations: <nil>
	// the same run, step by step: true
}

// Many seeds, side by side. The error is about the configuration or the context;
// Result.Err is what the cluster did wrong, and the story how it came to that. In a
// test each seed may be a parallel subtest.
func ExampleRun_seeds() {
	var seeds sync.WaitGroup
	for seed := range uint64(10) {
		seeds.Go(func() {
			r, err := sim.Run(context.Background(), sim.Config{Seed: seed})
			switch {
			case err != nil:
				fmt.Println(err)
			case r.Err != nil:
				fmt.Printf("seed %d: %v\n%s\n", seed, r.Err, strings.Join(r.Story, "\n"))
			}
		})
	}
	seeds.Wait()
	// Output:
}

// Faults of one's own: nothing goes wrong but that every third frame is lost, and that
// the leader of the first view proposes different batches to different members.
func ExampleFaults() {
	r, err := sim.Run(context.Background(), sim.Config{Seed: 1, Vertices: 20, Faults: &sim.Faults{
		Loss:      333,
		Byzantine: []sim.Role{{Member: 0, Behaviours: []string{"equivocating"}}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("violations:", r.Err)
	// Output: violations: <nil>
}
