package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/explore"
)

// exploreOptions are the flags of an exploration.
type exploreOptions struct {
	bounds    explore.Config
	bounded   bool // by flags, instead of the worlds there are
	world     string
	time      time.Duration
	memoryMiB int
	jobs      int
	asJSON    bool
}

func newExploreCommand() *cobra.Command {
	var o exploreOptions
	cmd := &cobra.Command{
		Use:   "explore",
		Short: "Visit every state that four members can come to, one of whom lies",
		Long: `Visit every state that four members can come to, one of whom lies.

Three members are the product's own code without actors, signatures and disks; the
fourth signs whatever it likes. At each state everything that may happen next is
tried: messages arrive in any order or not at all, views are left, replicas crash.
Nothing is random. A violation is told as the steps that lead to it.

Without bounds, several small worlds are explored, each with every member as the
liar; with bounds, that one world. A search that ends at --time or --memory has not
seen everything, and says so.`,
		Example: `  replica explore
  replica explore --world "three views" --time 10m
  replica explore --sequences 1 --views 3 --digests 2 --crashes 1 --time 10m`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range []string{"sequences", "views", "digests", "crashes", "checkpoints", "deaf", "optimistic-mode"} {
				o.bounded = o.bounded || cmd.Flags().Changed(name)
			}
			worlds, err := o.worlds()
			if err != nil {
				return usage(cmd, err)
			}
			return runExplore(cmd.Context(), o, worlds, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.bounds.Sequences, "sequences", 1, "how many sequences are voted on, 1 or 2")
	f.IntVar(&o.bounds.Views, "views", 2, "how many views there are, up to 4")
	f.IntVar(&o.bounds.Digests, "digests", 2, "how many batches there are, up to 3")
	f.IntVar(&o.bounds.Crashes, "crashes", 0, "how many crashes there are in all")
	f.BoolVar(&o.bounds.Checkpoints, "checkpoints", false, "have every sequence end in a checkpoint")
	f.BoolVar(&o.bounds.Deaf, "deaf", false, "have nobody hear of what was committed: fewer states")
	f.BoolVar(&o.bounds.Optimistic, "optimistic-mode", false, "have replicas decide by what all accepted, too")
	f.StringVar(&o.world, "world", "", "explore one of: "+strings.Join(worldNames(), ", "))
	f.DurationVar(&o.time, "time", time.Minute, "how long to explore in all")
	f.IntVar(&o.memoryMiB, "memory", 4096, "how much memory to use in all, in MiB")
	f.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "how many threads explore; with 1, the same states in the same order")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	return cmd
}

func worldNames() (names []string) {
	for _, w := range explore.Worlds() {
		names = append(names, w.Name)
	}
	return names
}

// worlds are those to be explored.
func (o exploreOptions) worlds() (worlds []explore.World, err error) {
	switch {
	case o.bounded && o.world != "":
		return nil, errors.New("--world: has its own bounds")
	case o.bounded:
		worlds = []explore.World{{Name: "bounds", Bounds: o.bounds}}
	default:
		for _, w := range explore.Worlds() {
			if o.world == "" || o.world == w.Name {
				worlds = append(worlds, w)
			}
		}
	}
	if len(worlds) == 0 {
		return nil, fmt.Errorf("--world %q: there are %s", o.world, strings.Join(worldNames(), ", "))
	}
	cfg := o.limits()
	cfg.Sequences, cfg.Views, cfg.Digests, cfg.Crashes = o.bounds.Sequences, o.bounds.Views, o.bounds.Digests, o.bounds.Crashes
	cfg.Checkpoints, cfg.Deaf = o.bounds.Checkpoints, o.bounds.Deaf
	return worlds, cfg.Validate()
}

// limits are what bounds each search. Of the memory, a quarter is for the states
// visited; the rest is for what they are made of, which they share.
func (o exploreOptions) limits() explore.Config {
	return explore.Config{Time: o.time, Memory: uint64(max(o.memoryMiB, 0)) << 20 / 4, Jobs: o.jobs}
}

// exploreReport is the outcome of an exploration, as its JSON has it.
type exploreReport struct {
	States      uint64        `json:"states"`
	Transitions uint64        `json:"transitions"`
	Complete    bool          `json:"complete"`
	Seconds     float64       `json:"elapsed_seconds"`
	Worlds      []worldReport `json:"worlds"`
	Violation   *worldFailure `json:"violation,omitempty"`
}

type worldReport struct {
	World       string         `json:"world"`
	Liar        messages.Index `json:"liar"`
	States      uint64         `json:"states"`
	Transitions uint64         `json:"transitions"`
	Depth       int            `json:"depth"`
	Complete    bool           `json:"complete"`
	Bound       string         `json:"bound,omitempty"`
	Seconds     float64        `json:"elapsed_seconds"`
}

type worldFailure struct {
	World string         `json:"world"`
	Liar  messages.Index `json:"liar"`
	What  string         `json:"what"`
	Steps []string       `json:"steps"`
}

func runExplore(ctx context.Context, o exploreOptions, worlds []explore.World, out, narration io.Writer) error {
	collectSeldom(int64(min(uint64(max(o.memoryMiB, 0))<<20, math.MaxInt64)))
	var done atomic.Int64
	shown := progress{"exploring", "worlds", "explored", len(worlds) * messages.MembersMin}.show(narration, func() int { return int(done.Load()) })
	outcomes, err := explore.Tour(ctx, worlds, o.limits(), func(explore.Outcome) { done.Add(1) })
	shown()
	if err != nil {
		return err
	}
	r := newExploreReport(outcomes)
	if o.asJSON {
		err = json.NewEncoder(out).Encode(r)
	} else {
		r.write(out)
	}
	if r.Violation != nil {
		return errors.Join(err, errors.New("a property is violated"))
	}
	return err
}

func newExploreReport(outcomes []explore.Outcome) *exploreReport {
	r := &exploreReport{Complete: true}
	for _, o := range outcomes {
		r.States += o.Report.States
		r.Transitions += o.Report.Transitions
		r.Complete = r.Complete && o.Report.Complete
		r.Seconds += o.Report.Elapsed.Seconds()
		r.Worlds = append(r.Worlds, worldReport{
			World: o.World, Liar: o.Liar, States: o.Report.States, Transitions: o.Report.Transitions, Depth: o.Report.Depth,
			Complete: o.Report.Complete, Bound: o.Report.Bound, Seconds: o.Report.Elapsed.Seconds(),
		})
		if o.Report.Violation != "" {
			r.Violation = &worldFailure{o.World, o.Liar, o.Report.Violation, o.Report.Steps}
		}
	}
	return r
}

func (r *exploreReport) write(w io.Writer) {
	for _, o := range r.Worlds {
		state := "all of them"
		if o.Bound != "" {
			state = "ended by " + o.Bound
		}
		if r.Violation != nil && r.Violation.World == o.World && r.Violation.Liar == o.Liar {
			state = "VIOLATED"
		}
		fmt.Fprintf(w, "%-12s liar %d: %9d states, %10d transitions, depth %2d, %5.1f s, %s\n", o.World, o.Liar, o.States, o.Transitions, o.Depth, o.Seconds, state)
	}
	fmt.Fprintf(w, "%d states, %d transitions within %.1f s\n", r.States, r.Transitions, r.Seconds)
	if v := r.Violation; v != nil {
		fmt.Fprintf(w, "\nin the world %q, with member %d as the liar:\n", v.World, v.Liar)
		for _, line := range v.Steps {
			fmt.Fprintln(w, " ", line)
		}
		fmt.Fprintf(w, "\nVIOLATED: %s\n", v.What)
	}
}
