package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// seedsAtOnce are simulated by one process. A mutant may take all memory or run in
// a circle, and then no more than these are lost with it.
const seedsAtOnce = 20

// seedsTime is more than they take by far, on a busy machine too.
const seedsTime = 10 * time.Minute

// simulate builds the mutant's command and has it simulate, until a seed notices,
// or as many have been tried, or for as long, as was asked for.
func (f *fate) simulate(ctx context.Context, m mutant, o options, overlay, binary string) error {
	if err := build(ctx, overlay, binary); err != nil {
		return err
	}
	f.asked = true
	begin := time.Now()
	for f.seeds < o.seeds && f.property == "" && time.Since(begin) < o.simulating() {
		n := min(seedsAtOnce, o.seeds-f.seeds)
		if err := f.simulateSome(ctx, m, binary, o.from, n); err != nil {
			return err
		}
		o.narrate("%-28s %d of %d seeds (%.0f s)", m.Name, f.seeds, o.seeds, time.Since(begin).Seconds())
	}
	return nil
}

// simulateSome has the next n seeds simulated.
func (f *fate) simulateSome(ctx context.Context, m mutant, binary string, from uint64, n int) error {
	first := from + uint64(f.seeds)
	args := []string{"sim", "--json", "--seeds", fmt.Sprint(n), "--from", fmt.Sprint(first), "--minimise=false"}
	if m.Replicas > 0 {
		args = append(args, "--replicas", fmt.Sprint(m.Replicas))
	}
	if m.Optimistic {
		args = append(args, "--optimistic-mode")
	}
	var report struct {
		Simulated int
		Violation *struct {
			Seed             uint64
			Property, Detail string
		}
	}
	limited, cancel := context.WithTimeout(ctx, seedsTime)
	defer cancel()
	death, err := tell(limited, &report, binary, args...)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		death = fmt.Sprintf("%d seeds do not end", n)
	case err != nil:
		return err
	}
	if death != "" { // which of them it was nobody knows
		f.seeds, f.seed, f.property = f.seeds+1, first, death
		return nil
	}
	if v := report.Violation; v != nil {
		f.seeds, f.seed, f.property, f.detail = int(v.Seed-from)+1, v.Seed, v.Property, v.Detail
		return nil
	}
	if report.Simulated != n {
		return fmt.Errorf("%d of %d seeds were simulated, and none went wrong", report.Simulated, n)
	}
	f.seeds += n
	return nil
}

// tell runs a mutant's command and reads the JSON object it prints, or says how
// it died before it could print one.
func tell(ctx context.Context, report any, binary string, args ...string) (death string, err error) {
	out, err := exec.CommandContext(ctx, binary, args...).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", err
	}
	bad := json.Unmarshal(out, report)
	switch {
	case bad == nil:
		return "", nil
	case exit == nil:
		return "", fmt.Errorf("%w: %s", bad, out)
	}
	for _, how := range []string{"panic: ", "fatal error: "} {
		if _, why, found := bytes.Cut(exit.Stderr, []byte(how)); found {
			why, _, _ = bytes.Cut(why, []byte("\n"))
			return how + string(why), nil
		}
	}
	if !exit.Exited() { // by a signal, as when memory is short
		return exit.String(), nil
	}
	return "", fmt.Errorf("%w, %w: %s%s", exit, bad, out, exit.Stderr)
}
