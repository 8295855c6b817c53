package sim_test

import (
	"context"
	"fmt"

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
