package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// result is what came of a mutant, as a file keeps it.
type result struct {
	Name string `json:"name"`
	// Change is a hash of what was changed: a mutant that was moved is tried again.
	Change   string  `json:"change"`
	Asked    string  `json:"asked"` // who was: see options.asked
	Killed   bool    `json:"killed"`
	Test     string  `json:"test,omitempty"`
	From     uint64  `json:"from,omitempty"`
	Seeds    int     `json:"seeds,omitempty"` // simulated, up to the one that noticed
	Seed     uint64  `json:"seed,omitempty"`
	States   uint64  `json:"states,omitempty"`
	Property string  `json:"property,omitempty"`
	Detail   string  `json:"detail,omitempty"`
	Seconds  float64 `json:"seconds"`
	Error    string  `json:"error,omitempty"`
}

func (m mutant) change() string {
	h := sha256.New()
	for _, text := range []string{m.File, m.Old, m.New} {
		fmt.Fprintf(h, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func newResult(m mutant, o options, f fate, seconds float64, err error) result {
	r := result{
		Name: m.Name, Change: m.change(), Asked: o.asked(), Killed: !f.survived(), Test: f.test, Seeds: f.seeds, Seed: f.seed,
		States: f.states, Property: f.property, Detail: f.detail, Seconds: seconds,
	}
	if f.asked {
		r.From = o.from
	}
	if err != nil {
		r.Killed, r.Error = false, err.Error()
	}
	return r
}

// results are what earlier runs and this one have found, in a file if there is one.
type results struct {
	path string
	list []result
}

// readResults begins with what the file holds; without a path there is none.
func readResults(path string) (*results, error) {
	r := &results{path: path}
	if path == "" {
		return r, nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &r.list)
	}
	if err != nil {
		return nil, fmt.Errorf("results of earlier runs: %s: %w", path, err)
	}
	return r, nil
}

// known gives a result that there is no need to find again: of the same change,
// and of as many seeds if they noticed nothing.
func (r *results) known(m mutant, o options) (result, bool) {
	i := slices.IndexFunc(r.list, func(old result) bool { return old.Name == m.Name })
	if i < 0 {
		return result{}, false
	}
	old := r.list[i]
	enough := old.Killed || old.Seeds >= o.seeds && old.From == o.from
	return old, old.Change == m.change() && old.Asked == o.asked() && old.Error == "" && enough
}

// add keeps a result, on disk too: the next run goes on from there.
func (r *results) add(one result) error {
	r.list = slices.DeleteFunc(r.list, func(old result) bool { return old.Name == one.Name })
	r.list = append(r.list, one)
	if r.path == "" {
		return nil
	}
	data, err := json.MarshalIndent(r.list, "", "\t")
	if err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(r.path), "results-")
	if err != nil {
		return err
	}
	_, err = part.Write(append(data, '\n'))
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(part.Name(), r.path)
	}
	return err
}

// write prints a table of what became of the mutants, and why some were not asked.
func (r *results) write(w io.Writer, mutants []mutant) {
	fmt.Fprint(w, "\n| mutant | noticed by | |\n|---|---|---|\n")
	for _, m := range mutants {
		if m.TestsOnly != "" {
			fmt.Fprintf(w, "| %s | tests only | %s |\n", m.Name, m.TestsOnly)
			continue
		}
		i := slices.IndexFunc(r.list, func(one result) bool { return one.Name == m.Name })
		if i < 0 {
			fmt.Fprintf(w, "| %s | not tried | |\n", m.Name)
			continue
		}
		by, what := r.list[i].row(m)
		fmt.Fprintf(w, "| %s | %s | %s |\n", m.Name, by, what)
	}
}

func (r result) row(m mutant) (by, what string) {
	var all []string
	if r.Test != "" {
		all = append(all, "test "+r.Test)
	}
	what = r.Property
	switch {
	case r.Error != "":
		return "cannot be tried", strings.Join(strings.Fields(r.Error), " ")
	case r.Seed > 0:
		all = append(all, fmt.Sprintf("seed %d", r.Seed))
	case r.States > 0 && r.Killed:
		all = append(all, fmt.Sprintf("%d states", r.States))
	case r.Killed:
	case m.Equivalent:
		return "nothing", "behaves as the original"
	case r.States > 0:
		return "nothing", fmt.Sprintf("in %d states", r.States)
	default:
		return "nothing", fmt.Sprintf("in %d seeds", r.Seeds)
	}
	return strings.Join(all, ", "), what
}
