package pbft_test

import (
	"fmt"
	"reflect"
	"testing"
)

// schedules runs a test of one cluster over many seeds.
func schedules(t *testing.T, seeds, n, batches int, f faults) {
	t.Helper()
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprintf("n=%d seed=%d", n, seed), func(t *testing.T) {
			newCluster(t, n, seed, batches, f).run(60_000)
		})
	}
}

// Replicas that hear everything late, twice, out of order or not at all agree,
// execute in order and finish. [N9, R1, R2]
func TestAgreementOverRandomSchedules(t *testing.T) {
	schedules(t, 100, 4, 12, faults{})
	schedules(t, 200, 4, 12, faults{loss: 150, repeat: 100})
	schedules(t, 30, 7, 10, faults{loss: 150, repeat: 100})
}

// Any replica may crash between any two events, the leader included. What
// comes back from the disk never votes twice, and the cluster finishes.
func TestD5_ACrashAnywhereBringsNoSecondVote(t *testing.T) {
	schedules(t, 300, 4, 12, faults{loss: 50, repeat: 50, crash: 15, crashesMax: 12})
	schedules(t, 30, 7, 10, faults{loss: 50, repeat: 50, crash: 15, crashesMax: 12})
}

// A leader that says something else to everybody splits nobody, though its
// victims crash meanwhile: each votes for one digest, and two replicas that
// execute execute the same. [V1, D5]
func TestAnEquivocatingLeaderSplitsNobody(t *testing.T) {
	executed := 0
	for seed := range uint64(200) {
		c := newCluster(t, 4, seed, 2, faults{loss: 50, repeat: 50, crash: 10, crashesMax: 12, equivocate: true})
		for range 2000 {
			c.step()
		}
		for _, r := range c.replicas[1:] {
			executed += len(r.ledger)
		}
	}
	if executed == 0 {
		t.Error("nothing was ever executed: the schedules show nothing")
	}
}

// The same schedule has the same effects, to the last byte: nothing depends on
// the order of a map, or on anything else that is not an input.
func TestTheSameScheduleHasTheSameEffects(t *testing.T) {
	f := faults{loss: 100, repeat: 50, crash: 10, crashesMax: 5}
	for seed := range uint64(5) {
		var traces [2][]traced
		for i := range traces {
			c := newCluster(t, 4, seed, 12, f)
			c.run(60_000)
			traces[i] = c.trace
		}
		for i, e := range traces[0] {
			if i >= len(traces[1]) || !reflect.DeepEqual(e, traces[1][i]) {
				t.Fatalf("seed %d: effect %d differs: %+v", seed, i, e)
			}
		}
	}
}
