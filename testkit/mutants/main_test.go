package main

import (
	"flag"
	"os"
	"strings"
	"testing"
)

// See testkit: every package below it knows the flag.
var _ = flag.Uint64("sim.seed", 0, "replay this seed: see testkit/sim")

// TestMutantsApply: whoever changes a line that a mutant changes has to move the
// mutant along, or it would be missed only when its turn comes.
func TestMutantsApply(t *testing.T) {
	t.Chdir("../..")
	all, err := choose(options{})
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, m := range all {
		if names[m.Name] || m.Why == "" {
			t.Errorf("%s: there are two of this name, or it has no reason", m.Name)
		}
		names[m.Name] = true
		overlay, err := m.overlay(t.TempDir())
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		if data, err := os.ReadFile(overlay); err != nil || !strings.Contains(string(data), m.File) {
			t.Errorf("%s: the overlay is %s, %v", m.Name, data, err)
		}
	}
}

// TestRotation: within enough turns every mutant has its turn.
func TestRotation(t *testing.T) {
	all, err := choose(options{})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for at := range (len(all) + 4) / 5 {
		chosen, err := choose(options{rotate: 5, at: 7000 + at})
		if err != nil || len(chosen) != 5 {
			t.Fatalf("turn %d has %d mutants, %v", at, len(chosen), err)
		}
		for _, m := range chosen {
			seen[m.Name] = true
		}
	}
	if len(seen) != len(all) {
		t.Errorf("%d of %d mutants have had a turn", len(seen), len(all))
	}
}
