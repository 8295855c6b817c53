package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/testkit/sim"
	"github.com/cretoai/consensus/testkit/twins"
)

// twinsOptions are the flags of a run of scenarios.
type twinsOptions struct {
	scenarios int
	from      uint64
	replicas  int
	rounds    int
	all       bool
	actors    bool
	jobs      int
	asJSON    bool
}

func newTwinsCommand() *cobra.Command {
	var o twinsOptions
	cmd := &cobra.Command{
		Use:   "twins",
		Short: "Run scenarios in which faulty members are two replicas with one key",
		Long: `Run scenarios in which faulty members are two replicas with one key.

A scenario splits the network into other groups every round, and has other members
lead. Twins know nothing of each other: together they equivocate, forget, and say
different things to different members. Correct members have to agree at every step,
and to finalise what is proposed once the network is whole.

Scenarios run over the protocol's own code, thousands a second, or with --actors
through the simulator. A seed draws one; with --all, numbers from --from on name
all there are.`,
		Example: `  replica twins --scenarios 1000000
  replica twins --scenarios 20000 --actors
  replica twins --rounds 2 --all --scenarios 168100`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			space, err := o.space()
			if err != nil {
				return usage(cmd, err)
			}
			return runTwins(cmd.Context(), o, space, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.scenarios, "scenarios", 10_000, "how many scenarios to run")
	f.Uint64Var(&o.from, "from", 0, "the first seed or, with --all, number")
	f.IntVar(&o.replicas, "replicas", 4, "number of members, 4 to 7")
	f.IntVar(&o.rounds, "rounds", 4, "number of rounds, 1 to 20")
	f.BoolVar(&o.all, "all", false, "run scenarios by their numbers instead of drawing them")
	f.BoolVar(&o.actors, "actors", false, "run them through the simulator")
	f.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "how many scenarios to run at a time")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	return cmd
}

func (o twinsOptions) space() (*twins.Space, error) {
	if o.scenarios < 1 || o.jobs < 1 {
		return nil, fmt.Errorf("--scenarios %d, --jobs %d: at least 1 is needed", o.scenarios, o.jobs)
	}
	s, err := twins.NewSpace(o.replicas, o.rounds)
	if err == nil && o.all && (!s.Size().IsUint64() || o.from >= s.Size().Uint64()) {
		return nil, fmt.Errorf("--all: there are %v scenarios; choose fewer rounds, or a smaller --from", s.Size())
	}
	if err == nil && o.all && uint64(o.scenarios) > s.Size().Uint64()-o.from {
		return nil, fmt.Errorf("--scenarios %d: from %d there are %d", o.scenarios, o.from, s.Size().Uint64()-o.from)
	}
	return s, err
}

// twinsReport is the outcome, as its JSON has it.
type twinsReport struct {
	Replicas  int           `json:"replicas"`
	Rounds    int           `json:"rounds"`
	Actors    bool          `json:"actors"`
	From      uint64        `json:"from"`
	Scenarios int64         `json:"scenarios"`
	Messages  int64         `json:"messages"`
	Sequences int64         `json:"sequences"`
	Views     int64         `json:"views"`
	Seconds   float64       `json:"elapsed_seconds"`
	PerSecond float64       `json:"scenarios_per_second"`
	Hash      string        `json:"hash,omitempty"`
	Violation *twinsFailure `json:"violation,omitempty"`
}

type twinsFailure struct {
	Number   uint64 `json:"number"`
	What     string `json:"what"`
	Scenario string `json:"scenario"`
	Replay   string `json:"replay"`
}

// twinsRun is one on the way.
type twinsRun struct {
	o                                      twinsOptions
	space                                  *twins.Space
	next, done, messages, sequences, views atomic.Int64
	mu                                     sync.Mutex
	hash                                   [32]byte // of all runs, in any order
	failed                                 *twinsFailure
	err                                    error
}

func runTwins(ctx context.Context, o twinsOptions, space *twins.Space, out, narration io.Writer) error {
	collectSeldom(simulationBytes)
	r := &twinsRun{o: o, space: space}
	begin := time.Now()
	shown := progress{"running", "scenarios", "run", o.scenarios}.show(narration, func() int { return int(r.done.Load()) })
	var workers sync.WaitGroup
	for range o.jobs {
		workers.Go(func() { r.work(ctx) })
	}
	workers.Wait()
	shown()
	if r.err != nil {
		return r.err
	}
	report := r.report(time.Since(begin))
	if err := report.write(out, o.asJSON); err != nil {
		return err
	}
	if r.failed != nil {
		return fmt.Errorf("scenario %d violates %q", r.failed.Number, r.failed.What)
	}
	return ctx.Err()
}

func (r *twinsRun) work(ctx context.Context) {
	runner := twins.NewRunner(r.space)
	for ctx.Err() == nil {
		i := r.next.Add(1) - 1
		if i >= int64(r.o.scenarios) || r.over() {
			return
		}
		number := r.o.from + uint64(i)
		c := r.space.Draw(number)
		if r.o.all {
			c = r.space.At(number)
		}
		got, err := r.run(ctx, runner, c, number)
		r.note(number, c, got, err)
	}
}

func (r *twinsRun) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed != nil || r.err != nil
}

func (r *twinsRun) run(ctx context.Context, runner *twins.Runner, c twins.Scenario, number uint64) (twins.Result, error) {
	if !r.o.actors {
		return runner.Run(c), nil
	}
	s, err := sim.Run(ctx, twins.Plan(c, number))
	if err != nil {
		return twins.Result{}, err
	}
	got := twins.Result{Hash: s.Hash, Messages: s.Steps, Sequences: int(s.Sequences), View: s.View}
	if s.Err != nil {
		got.Violation = s.Err.Error()
	}
	return got, nil
}

func (r *twinsRun) note(number uint64, c twins.Scenario, got twins.Result, err error) {
	r.messages.Add(int64(got.Messages))
	r.sequences.Add(int64(got.Sequences))
	r.views.Add(int64(got.View))
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, b := range got.Hash {
		r.hash[i] ^= b
	}
	if err != nil {
		r.err = errors.Join(r.err, err)
		return
	}
	r.done.Add(1)
	if got.Violation != "" && (r.failed == nil || number < r.failed.Number) {
		r.failed = &twinsFailure{number, got.Violation, c.String(), r.o.command(number)}
	}
}

// command is the command line that repeats one scenario.
func (o twinsOptions) command(number uint64) string {
	line := fmt.Sprintf("replica twins --scenarios 1 --from %d --replicas %d --rounds %d", number, o.replicas, o.rounds)
	if o.all {
		line += " --all"
	}
	if o.actors {
		line += " --actors"
	}
	return line
}

func (r *twinsRun) report(elapsed time.Duration) *twinsReport {
	t := &twinsReport{
		Replicas: r.o.replicas, Rounds: r.o.rounds, Actors: r.o.actors, From: r.o.from, Scenarios: r.done.Load(), Messages: r.messages.Load(),
		Sequences: r.sequences.Load(), Views: r.views.Load(), Seconds: elapsed.Seconds(), Violation: r.failed,
	}
	t.PerSecond = float64(t.Scenarios) / t.Seconds
	if r.failed == nil {
		t.Hash = fmt.Sprintf("%x", r.hash)
	}
	return t
}

func (t *twinsReport) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(t)
	}
	what := "messages"
	if t.Actors {
		what = "steps of actors"
	}
	fmt.Fprintf(w, "%d scenarios from %d, %d members, %d rounds: %d %s, %d sequences, %d views\n",
		t.Scenarios, t.From, t.Replicas, t.Rounds, t.Messages, what, t.Sequences, t.Views)
	fmt.Fprintf(w, "%.1f s: %.0f scenarios/s\n", t.Seconds, t.PerSecond)
	if v := t.Violation; v != nil {
		_, err := fmt.Fprintf(w, "\n%s\n\nVIOLATED: %s\n\nreplay: %s\n", v.Scenario, v.What, v.Replay)
		return err
	}
	_, err := fmt.Fprintf(w, "no violation; hash of all runs %.16s\n", t.Hash)
	return err
}
