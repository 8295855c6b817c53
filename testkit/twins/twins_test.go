package twins_test

import (
	"testing"

	"github.com/cretoai/consensus/testkit/sim"
	"github.com/cretoai/consensus/testkit/twins"
)

func space(t *testing.T, members, rounds int) *twins.Space {
	t.Helper()
	s, err := twins.NewSpace(members, rounds)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestScenarios runs what many seeds draw. Enough of it must be of interest: views
// are changed, and batches of the rounds become final.
func TestScenarios(t *testing.T) {
	for _, size := range []struct{ members, rounds, seeds int }{{4, 4, 400}, {7, 4, 20}} {
		s := space(t, size.members, size.rounds)
		r := twins.NewRunner(s)
		sequences, views := 0, 0
		for seed := range uint64(size.seeds) {
			c := s.Draw(seed)
			got := r.Run(c)
			if got.Violation != "" {
				t.Fatalf("seed %d: %s\n%v", seed, got.Violation, c)
			}
			sequences, views = sequences+got.Sequences, views+int(got.View)
		}
		if sequences < 2*size.seeds || views < 4*size.seeds {
			t.Errorf("%d scenarios of %d members have %d sequences and %d views: they show little", size.seeds, size.members, sequences, views)
		}
	}
}

// TestSameScenarioSameRun, whatever was run before with the same runner.
func TestSameScenarioSameRun(t *testing.T) {
	s := space(t, 4, 3)
	one := twins.NewRunner(s)
	hashes := make(map[[32]byte]bool)
	for seed := range uint64(50) {
		got, again := one.Run(s.Draw(seed)), twins.NewRunner(s).Run(s.Draw(seed))
		if got != again {
			t.Errorf("seed %d: %+v and %+v", seed, got, again)
		}
		hashes[got.Hash] = true
	}
	if len(hashes) < 45 {
		t.Errorf("50 seeds have %d different runs", len(hashes))
	}
}

// TestNumbersNameAllScenarios: of one round, each number is another scenario, and
// none is left out.
func TestNumbersNameAllScenarios(t *testing.T) {
	s := space(t, 4, 1)
	// 41 ways to split five replicas into at most three groups, five leaders or
	// none, four members that may have the twin.
	if size := s.Size().Uint64(); size != 41*5*4 {
		t.Fatalf("%d scenarios of one round", size)
	}
	seen := make(map[string]bool)
	for i := range s.Size().Uint64() {
		seen[s.At(i).String()] = true
	}
	if len(seen) != 41*5*4 {
		t.Errorf("%d different scenarios of %d", len(seen), s.Size())
	}
	if _, err := twins.NewSpace(3, 1); err == nil {
		t.Error("three members have twins")
	}
}

// TestPlans runs scenarios through the actors.
func TestPlans(t *testing.T) {
	s := space(t, 4, 4)
	views := 0
	for seed := range uint64(6) {
		c := s.Draw(seed)
		r, err := sim.Run(t.Context(), twins.Plan(c, seed))
		if err != nil {
			t.Fatal(err)
		}
		if r.Err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, r.Err, c)
		}
		views += int(r.View)
	}
	if views == 0 {
		t.Error("no view was changed")
	}
}
