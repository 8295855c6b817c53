package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// mutant is one rule broken: Old, which stands once in File, becomes New.
type mutant struct {
	Name, Why string
	File      string
	Old, New  string
	// Tests are the packages whose tests are asked beside the mutated one's.
	Tests []string
	// Replicas is the membership to simulate, 4 if 0.
	Replicas int
	// Optimistic: of a chain in optimistic mode.
	Optimistic bool
	// TestsOnly: the simulator cannot notice, for the reason given.
	TestsOnly string
	// Equivalent mutants behave as the original; surviving is right.
	Equivalent bool
}

// fate is what became of a mutant.
type fate struct {
	test     string // that failed, "" if none
	asked    bool   // the simulator
	seeds    int    // simulated, up to the one with a violation
	seed     uint64 // with the violation
	property string // violated, "" if none
	detail   string
	explored bool
	states   uint64 // visited until a violation
	complete bool   // there are no more
}

func (f fate) survived() bool { return f.test == "" && f.property == "" }

func (f fate) String() string {
	var by []string
	if f.test != "" {
		by = append(by, "test "+f.test)
	}
	switch {
	case f.property != "":
		by = append(by, fmt.Sprintf("seed %d, the %d. (%s)", f.seed, f.seeds, f.property))
	case f.asked:
		by = append(by, fmt.Sprintf("not within %d seeds", f.seeds))
	}
	switch {
	case f.explored && f.property != "":
		by = []string{fmt.Sprintf("%d states (%s)", f.states, f.property)}
	case f.explored && f.complete:
		return fmt.Sprintf("not in any of all %d states", f.states)
	case f.explored:
		return fmt.Sprintf("not within %d states", f.states)
	}
	if f.survived() {
		return "SURVIVES: " + strings.Join(by, ", ")
	}
	return "killed by " + strings.Join(by, " and ")
}

// judge tries a mutant on the tests and on the simulator.
func judge(ctx context.Context, m mutant, o options) (fate, error) {
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return fate{}, err
	}
	defer os.RemoveAll(dir)
	overlay, err := m.overlay(dir)
	if err != nil {
		return fate{}, err
	}
	var f fate
	binary := filepath.Join(dir, "replica")
	switch {
	case o.sim:
		err = f.simulate(ctx, m, o, overlay, binary)
		return f, err
	case o.explore:
		err = f.explore(ctx, o, overlay, binary)
		return f, err
	}
	packages := append([]string{"./" + filepath.Dir(m.File)}, m.Tests...)
	if f.test, err = failingTest(ctx, overlay, packages); err != nil {
		return f, err
	}
	if m.TestsOnly != "" || f.test != "" && o.first {
		return f, nil
	}
	err = f.simulate(ctx, m, o, overlay, binary)
	return f, err
}

// overlay writes the mutated file, and says to the compiler where it belongs.
func (m mutant) overlay(dir string) (string, error) {
	source, err := os.ReadFile(m.File)
	if err != nil {
		return "", err
	}
	if n := bytes.Count(source, []byte(m.Old)); n != 1 {
		return "", fmt.Errorf("%s holds the text to change %d times, not once: the mutant is out of date", m.File, n)
	}
	mutated := filepath.Join(dir, "mutated.go")
	if err := os.WriteFile(mutated, bytes.Replace(source, []byte(m.Old), []byte(m.New), 1), 0o600); err != nil {
		return "", err
	}
	original, err := filepath.Abs(m.File)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(map[string]map[string]string{"Replace": {original: mutated}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, data, 0o600)
}

var failure = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// failingTest runs packages' tests and names the first that fails, "" if none
// does.
func failingTest(ctx context.Context, overlay string, packages []string) (string, error) {
	args := append([]string{"test", "-overlay", overlay, "-failfast", "-timeout", "120s"}, packages...)
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "", nil
	case ctx.Err() != nil || !errors.As(err, &exit):
		return "", errors.Join(err, ctx.Err())
	case bytes.Contains(out, []byte("[build failed]")):
		return "", fmt.Errorf("it does not compile:\n%s", out)
	}
	if found := failure.FindSubmatch(out); found != nil {
		return string(found[1]), nil
	}
	return "that panics or does not end", nil
}

func build(ctx context.Context, overlay, binary string) error {
	if out, err := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", binary, "./cmd/replica").CombinedOutput(); err != nil {
		return fmt.Errorf("%w:\n%s", err, out)
	}
	return nil
}

// explore builds the mutant's command and has it explore, the same way every time.
func (f *fate) explore(ctx context.Context, o options, overlay, binary string) error {
	if err := build(ctx, overlay, binary); err != nil {
		return err
	}
	args := []string{"explore", "--json", "--jobs", "1", "--time", o.exploring().String()}
	if o.world != "" {
		args = append(args, "--world", o.world)
	}
	var report struct {
		States    uint64
		Complete  bool
		Violation *struct{ World, What string }
	}
	death, err := tell(ctx, &report, binary, args...)
	if err != nil {
		return err
	}
	if f.explored = true; death != "" {
		f.property = death
		return nil
	}
	f.states, f.complete = report.States, report.Complete
	if report.Violation != nil {
		f.property = report.Violation.World + ": " + report.Violation.What
	}
	return nil
}
