package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// TestResultsAreResumed: what a file holds is not tried again, unless the mutant is
// another one now, or more is asked for.
func TestResultsAreResumed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	o := options{sim: true, seeds: 100, from: 1}
	dead, alive, broken := mutant{Name: "dead", Old: "a"}, mutant{Name: "alive", Old: "b"}, mutant{Name: "broken", Old: "c"}
	first, err := readResults(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []result{
		newResult(dead, o, fate{asked: true, seeds: 7, seed: 7, property: "agreement"}, 1, nil),
		newResult(alive, o, fate{asked: true, seeds: 100}, 1, nil),
		newResult(broken, o, fate{}, 1, errors.New("it does not compile")),
	} {
		if err := first.add(r); err != nil {
			t.Fatal(err)
		}
	}
	second, err := readResults(path)
	if err != nil {
		t.Fatal(err)
	}
	more, elsewhere, tests := o, o, o
	more.seeds, elsewhere.from, tests.sim = 101, 2, false
	for _, c := range []struct {
		what string
		m    mutant
		o    options
		want bool
	}{
		{"killed", dead, o, true},
		{"killed, more seeds", dead, more, true},
		{"killed, changed since", mutant{Name: "dead", Old: "z"}, o, false},
		{"killed, and the tests are asked as well", dead, tests, false},
		{"alive", alive, o, true},
		{"alive, more seeds", alive, more, false},
		{"alive, other seeds", alive, elsewhere, false},
		{"could not be tried", broken, o, false},
		{"new", mutant{Name: "new"}, o, false},
	} {
		if _, got := second.known(c.m, c.o); got != c.want {
			t.Errorf("%s: known %v, want %v", c.what, got, c.want)
		}
	}
	var table bytes.Buffer
	second.write(&table, []mutant{dead, alive, broken, {Name: "new"}, {Name: "unit", TestsOnly: "there is one chain"}})
	for _, want := range []string{
		"| dead | seed 7 | agreement |", "| alive | nothing | in 100 seeds |", "| broken | cannot be tried | it does not compile |",
		"| new | not tried | |", "| unit | tests only | there is one chain |",
	} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &table)
		}
	}
}

// TestDeaths: a mutant that dies before it has said anything is noticed, and a
// command that was called wrongly is no mutant that dies.
func TestDeaths(t *testing.T) {
	for script, want := range map[string]string{
		"echo '{}'":         "",
		"echo '{}'; exit 1": "",
		"echo 7 seeds >&2; echo panic: oh >&2; exit 2": "panic: oh",
		"echo fatal error: all is asleep >&2; exit 2":  "fatal error: all is asleep",
		"echo runtime: more >&2; kill -9 $$":           "signal: killed",
		"echo 'Error: unknown flag' >&2; exit 2":       "error",
		"echo nothing of the kind":                     "error",
	} {
		var report struct{}
		death, err := tell(t.Context(), &report, "sh", "-c", script)
		if err != nil {
			death = "error"
		}
		if death != want {
			t.Errorf("%s: %q, %v; want %q", script, death, err, want)
		}
	}
}

func TestOnlySomeAreChosen(t *testing.T) {
	chosen, err := choose(options{only: "float-scores,evidence-unchecked"})
	if err != nil || len(chosen) != 2 {
		t.Errorf("%d were chosen, %v", len(chosen), err)
	}
	if _, err := choose(options{only: "float-scores,typo"}); err == nil {
		t.Error("a mutant that does not exist was chosen")
	}
}
