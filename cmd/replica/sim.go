package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/storage"
	"github.com/cretoai/consensus/testkit/sim"
)

// simOptions are the flags of a simulation.
type simOptions struct {
	replicas int
	optimist bool
	seeds    int
	from     uint64
	vertices int
	without  []string
	jobs     int
	sabotage string
	steps    bool
	asJSON   bool
	minimise bool
}

func newSimCommand() *cobra.Command {
	var o simOptions
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Simulate clusters under faults, each run decided by a seed",
		Long: `Simulate clusters under faults, each run decided by a seed.

A run has all replicas of a cluster, their real actors included, on one thread
with virtual time, a network and disks in memory. The seed decides what happens
next, what is lost, who crashes and who lies. Agreement, order, exactly-once
execution and more are checked at every step; when the faults have stopped,
everything proposed must become final.

Runs of different seeds are spread over the cores. The first violation ends the
search: its story is printed with the command that repeats it, and with a smaller
one if something can be left out. The same seed gives the same run, everywhere.`,
		Example: `  replica sim --seeds 1000 --from 1
  replica sim --seeds 1 --from 7 --steps     # every step of one run`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return usage(cmd, err)
			}
			return runSim(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.replicas, "replicas", 4, "number of members")
	f.BoolVar(&o.optimist, "optimistic-mode", false, optimisticUsage)
	f.IntVar(&o.seeds, "seeds", 1000, "how many seeds to simulate")
	f.Uint64Var(&o.from, "from", 1, "the first of them")
	f.IntVar(&o.vertices, "vertices", 60, "how many vertices are proposed while there are faults")
	f.StringSliceVar(&o.without, "without", nil, "kinds of faults to leave out: "+strings.Join(sim.FaultKinds(), ", "))
	f.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "how many seeds to simulate at a time")
	f.StringVar(&o.sabotage, "sabotage", "", `break the replicas, to see it found out: "flush" leaves the journal unflushed`)
	f.BoolVar(&o.steps, "steps", false, "print every step of one seed")
	f.BoolVar(&o.minimise, "minimise", true, "look for a smaller run that goes wrong in the same way")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	return cmd
}

func (o simOptions) validate() error {
	var errs []error
	if o.replicas < messages.MembersMin || o.replicas > messages.MembersMax {
		errs = append(errs, fmt.Errorf("--replicas %d: %d to %d are allowed", o.replicas, messages.MembersMin, messages.MembersMax))
	}
	if o.seeds < 1 {
		errs = append(errs, fmt.Errorf("--seeds %d: at least 1 is needed", o.seeds))
	}
	if o.vertices < 1 {
		errs = append(errs, fmt.Errorf("--vertices %d: at least 1 is needed", o.vertices))
	}
	if o.jobs < 1 {
		errs = append(errs, fmt.Errorf("--jobs %d: at least 1 is needed", o.jobs))
	}
	if o.sabotage != "" && o.sabotage != "flush" {
		errs = append(errs, fmt.Errorf("--sabotage %q: only flush can be broken", o.sabotage))
	}
	if o.steps && o.seeds > 1 {
		errs = append(errs, errors.New("--steps: of one seed only, see --seeds 1"))
	}
	known := sim.Config{Replicas: o.replicas, Without: o.without}
	if err := known.Validate(); err != nil && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("--without: %w", err))
	}
	return errors.Join(errs...)
}

// config is what to simulate for one seed.
func (o simOptions) config(seed uint64) sim.Config {
	cfg := sim.Config{Seed: seed, Replicas: o.replicas, Vertices: o.vertices, OptimisticMode: o.optimist, Without: o.without}
	if o.sabotage == "flush" {
		cfg.Configure = func(_ int, c *replica.Config) { c.WALSync = storage.SyncNever }
	}
	return cfg
}

// command is the command line that repeats one run.
func (o simOptions) command(cfg sim.Config) string {
	line := fmt.Sprintf("replica sim --seeds 1 --from %d --replicas %d", cfg.Seed, cfg.Replicas)
	if cfg.OptimisticMode {
		line += " --optimistic-mode"
	}
	if cfg.Vertices != 60 {
		line += fmt.Sprintf(" --vertices %d", cfg.Vertices)
	}
	if len(cfg.Without) > 0 {
		line += " --without " + strings.Join(cfg.Without, ",")
	}
	if o.sabotage != "" {
		line += " --sabotage " + o.sabotage
	}
	return line
}

// runSim simulates a range of seeds and tells what came of it.
func runSim(ctx context.Context, o simOptions, out, narration io.Writer) error {
	collectSeldom(simulationBytes)
	var s *sweep
	var err error
	if o.steps {
		s, err = simulateSteps(ctx, o, out)
	} else {
		s, err = simulate(ctx, o, narration)
	}
	if err != nil {
		return err
	}
	report, err := newSimReport(ctx, o, s)
	if err != nil {
		return err
	}
	if err := report.write(out, o.asJSON); err != nil {
		return err
	}
	return report.verdict()
}
