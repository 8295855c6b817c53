package sim_test

import (
	"context"
	"testing"
	"time"

	"github.com/cretoai/consensus/testkit/sim"
)

// absence is a run in which a member stays away until the others have trimmed
// their ledgers above where it stopped.
func absence(roles ...sim.Role) *sim.Faults {
	return &sim.Faults{
		DelayMax: 20 * time.Millisecond, Reorder: true, Loss: 20, Duplicate: 20, Crashes: 2 * time.Second, Panics: 2 * time.Second,
		CheckpointInterval: 4, PipelineDepth: 4, MaxPending: 1000, Retain: 1, Absent: true, Eventful: true, Byzantine: roles,
	}
}

// A member that was away for longer than the others' ledgers reach back takes
// their state over, through crashes and panics, and whatever one of them serves.
func TestR4_StatesAreTransferredUnderFaults(t *testing.T) {
	for name, roles := range map[string][]sim.Role{
		"all are honest": nil, "one serves badly": {{Member: 2, Behaviours: []string{"lying-state"}}},
	} {
		t.Run(name, func(t *testing.T) {
			transfers := 0
			for seed := range uint64(6) {
				r, err := sim.Run(context.Background(), sim.Config{Seed: 100 + seed, Vertices: 150, Faults: absence(roles...)})
				if err != nil {
					t.Fatal(err)
				}
				if r.Err != nil {
					t.Fatalf("seed %d: %v\n%v", r.Seed, r.Err, r.Story)
				}
				transfers += r.Transfers
			}
			if transfers < 3 {
				t.Errorf("in six runs %d states were transferred", transfers)
			}
			t.Logf("%d states were transferred", transfers)
		})
	}
}

// What seeds draw exercises state transfers, too.
func TestR4_SeedsTransferStates(t *testing.T) {
	transfers := 0
	for _, seed := range []uint64{7, 10, 14, 25} { // the first of those with an absence and a transfer
		r, err := sim.Run(context.Background(), sim.Config{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if r.Err != nil || !r.Faults.Absent {
			t.Fatalf("seed %d, absence %t: %v", seed, r.Faults.Absent, r.Err)
		}
		transfers += r.Transfers
	}
	if transfers == 0 {
		t.Error("no state was transferred")
	}
}
