package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/cmd/replica/workload"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/nodeconfig"
)

// benchOptions are the flags of bench.
type benchOptions struct {
	replicas   int
	scheme     string
	depth      int
	maxPending int
	walSync    string
	submit     string
	dir        string
	allowTmpfs bool
	api        []string
	http       bool
	format     string
	optimistic bool
	creator    creatorOptions
	floor      bool
	floorTLS   bool
	floorSteps int
	rounds     int
	profile    string
	asJSON     bool
	markdown   bool
	verbose    bool
	retain     uint64
	// crashLeader is when the leader stops, from when the window opens; 0 is never.
	crashLeader time.Duration
	load        workload.Options
}

func newBenchCommand() *cobra.Command {
	var o benchOptions
	defaults := replica.DefaultConfig()
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast a cluster finalises, and against what is possible",
		Long: `Measure how fast a cluster finalises, and against what is possible.

The cluster is started in this process as "replica demo" starts one: with keys,
journals and mutual TLS of its own for every replica. With --api it is one that
runs already, and only its clients are in this process; with --http it is in this
process, and vertices go through the replicas' HTTP APIs all the same.

The load is a closed loop of --outstanding vertices, or with --rate an open one.
An open loop's latency counts from the moment a vertex was due, whether or not it
could be submitted then. What happens in the warm-up does not count.

With --optimistic-mode the chain is in that mode: a batch is final once all replicas
accepted it, which saves one of three steps.

With --creator-signatures the chain is one whose creators sign. Vertices are signed
before the warm-up, by --creators in turn, each alone or --creator-groups together
with one signature, which are then submitted together. When they are used up, the
measurement ends.

With --series the measurement is shown in intervals, too, with the memory of this
process and what is on the disk: with --ledger-retain and some minutes it tells whether
they stay as they are, and with --crash-leader how soon it goes on under another leader.

With --floor every round is followed by one of the floor: the same replicas, keys,
bytes, signatures and flushes, and none of the logic. What it does, no
implementation of this protocol can leave out.`,
		Example: `  replica bench
  replica bench --outstanding 8000 --duration 20s
  replica bench --rate 50000 --payload 1024 --json
  replica bench --floor --outstanding 1
  replica bench --rate 50000 --duration 10m --series 30s --ledger-retain 2048
  replica bench --rate 20000 --crash-leader 5s --series 250ms
  replica bench --http --format ndjson
  replica bench --creator-signatures --creators 10000
  replica bench --creator-signatures --creator-groups 256 --outstanding 8000
  replica bench --api http://127.0.0.1:7001 --api http://127.0.0.1:7011`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(cmd); err != nil {
				return usage(cmd, err)
			}
			replica.SpareProcessors()
			return runBench(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.replicas, "replicas", 4, "number of members")
	f.StringVar(&o.scheme, "scheme", "ml-dsa-87", "signature algorithm: ml-dsa-87, ml-dsa-65 or ml-dsa-44")
	f.IntVar(&o.load.Outstanding, "outstanding", 1500, "vertices kept on their way by a closed loop")
	f.Float64Var(&o.load.Rate, "rate", 0, "vertices a second of an open loop, instead of --outstanding")
	f.IntVar(&o.load.Group, "group", 0, "vertices submitted together at most (default: what makes many submitters)")
	f.IntVar(&o.load.Payload, "payload", 128, "size of a vertex's payload in bytes")
	f.DurationVar(&o.load.Warmup, "warmup", 2*time.Second, "load before the measurement")
	f.DurationVar(&o.load.Duration, "duration", 10*time.Second, "length of the measurement")
	f.IntVar(&o.load.Vertices, "vertices", 0, "end the measurement after so many vertices instead")
	f.StringVar(&o.submit, "submit", "all", "where to submit: at all replicas, or at the leader")
	f.IntVar(&o.depth, "depth", defaults.PipelineDepth, "sequences a leader has in flight")
	f.IntVar(&o.maxPending, "max-pending", 0, fmt.Sprintf("vertices a replica keeps (default: %d, or more if more are outstanding)", defaults.MaxPendingVertices))
	f.StringVar(&o.walSync, "wal-sync", nodeconfig.WALSyncAlways, "when journals are flushed: always or never")
	f.StringVar(&o.dir, "dir", "", "where to make the temporary folder (default: where the system has them, if that is a disk)")
	f.BoolVar(&o.allowTmpfs, "allow-tmpfs", false, "allow a folder in memory, where flushing the journal costs nothing")
	f.StringSliceVar(&o.api, "api", nil, "URL of a running replica's HTTP API; give one for each replica")
	f.BoolVar(&o.http, "http", false, "submit through the replicas' HTTP APIs")
	f.StringVar(&o.format, "format", formatMsgpack, "how vertices travel over HTTP: in batches of msgpack or ndjson, or as json, a request for each group")
	f.BoolVar(&o.optimistic, "optimistic-mode", false, optimisticUsage)
	f.BoolVar(&o.creator.sign, "creator-signatures", false, "vertices that their creators signed")
	f.IntVar(&o.creator.creators, "creators", 100, "number of creators that sign")
	f.IntVar(&o.creator.together, "creator-groups", 1, "vertices a creator signs, and submits, together")
	f.IntVar(&o.creator.presigned, "presigned", 0, "vertices signed in advance (default: what a fast cluster needs, up to about 1 GiB of them)")
	f.BoolVar(&o.floor, "floor", false, "measure the floor as well, round by round")
	f.BoolVar(&o.floorTLS, "floor-tls", true, "mutual TLS between the floor's replicas")
	f.IntVar(&o.floorSteps, "floor-steps", 0, "steps of the floor, each with a flush and a signature: 3, or 2 as in optimistic mode (default: as the replicas take)")
	f.IntVar(&o.rounds, "rounds", 0, "measurements; medians are shown (default: 1, with --floor 5)")
	f.DurationVar(&o.load.Series, "series", 0, "show the measurement in intervals of this length, too, with memory and disk")
	f.Uint64Var(&o.retain, "ledger-retain", 0, "sequences a replica's ledger keeps at least (0: all)")
	f.DurationVar(&o.crashLeader, "crash-leader", 0, "stop the leader so long after the begin of the measurement; nothing is submitted there")
	f.StringVar(&o.profile, "profile", "", "folder to write profiles of the first round to: cpu, heap and mutex")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	f.BoolVar(&o.markdown, "markdown", false, "print a row of a Markdown table, with its head")
	f.BoolVar(&o.verbose, "verbose", false, "show the replicas' logs")
	return cmd
}

// validate joins every complaint, and fills in the defaults that depend on other
// flags.
func (o *benchOptions) validate(cmd *cobra.Command) error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	given := cmd.Flags().Changed
	if given("rate") && given("outstanding") {
		complain("--rate makes an open loop, --outstanding a closed one: give one of them")
	}
	if o.replicas < messages.MembersMin || o.replicas > messages.MembersMax {
		complain("--replicas %d: %d to %d are allowed", o.replicas, messages.MembersMin, messages.MembersMax)
	}
	if o.load.Payload > payloadMax {
		complain("--payload %d: at most %d bytes are allowed", o.load.Payload, payloadMax)
	}
	if o.submit != "all" && o.submit != "leader" {
		complain("--submit %s: there are all and leader", o.submit)
	}
	if o.walSync != nodeconfig.WALSyncAlways && o.walSync != nodeconfig.WALSyncNever {
		complain("--wal-sync %s: there are %s and %s", o.walSync, nodeconfig.WALSyncAlways, nodeconfig.WALSyncNever)
	}
	if o.asJSON && o.markdown {
		complain("--json and --markdown: give one of them")
	}
	if o.depth < 1 || o.maxPending < 0 || o.rounds < 0 {
		complain("--depth is at least 1, --max-pending and --rounds are not negative")
	}
	if len(o.api) > 0 {
		for _, flag := range []string{"floor", "replicas", "scheme", "depth", "max-pending", "wal-sync", "dir", "profile", "series", "ledger-retain", "crash-leader", "optimistic-mode"} {
			if given(flag) && !(flag == "scheme" && o.creator.sign) { // the creators' is given
				complain("--%s is about a cluster of this process, and --api about another's", flag)
			}
		}
	}
	if o.crashLeader < 0 || o.crashLeader > 0 && (o.submit == "leader" || o.load.Vertices > 0 || o.crashLeader >= o.load.Duration) {
		complain("--crash-leader is within --duration, and nothing is submitted there: leave --vertices and --submit leader out")
	}
	if o.floorSteps == 0 {
		o.floorSteps = 3
		if o.optimistic {
			o.floorSteps = 2
		}
	}
	if o.floorSteps != 2 && o.floorSteps != 3 {
		complain("--floor-steps %d: there are 2 and 3", o.floorSteps)
	}
	o.validateDoors(given, complain)
	o.load.LeaderOnly = o.submit == "leader"
	if given("rate") {
		o.load.Outstanding = 0
		if o.load.Rate <= 0 {
			complain("--rate %v: above 0", o.load.Rate)
		}
	}
	if o.rounds == 0 {
		o.rounds = 1
		if o.floor {
			o.rounds = 5
		}
	}
	if len(errs) == 0 {
		errs = append(errs, o.load.Validate())
	}
	return errors.Join(errs...)
}

// validateDoors is about how vertices come to the replicas, and whose they are.
func (o *benchOptions) validateDoors(given func(flag string) bool, complain func(format string, args ...any)) {
	switch o.format {
	case formatMsgpack, formatLines, formatJSON:
	default:
		complain("--format %s: there are %s, %s and %s", o.format, formatMsgpack, formatLines, formatJSON)
	}
	if o.http && len(o.api) > 0 {
		complain("--http is about a cluster of this process, and --api about another's")
	}
	if given("format") && !o.http && len(o.api) == 0 {
		complain("--format is about HTTP: give --http or --api, too")
	}
	c := &o.creator
	if !c.sign {
		for _, flag := range []string{"creators", "creator-groups", "presigned"} {
			if given(flag) {
				complain("--%s is about --creator-signatures: give both", flag)
			}
		}
		return
	}
	if c.creators < 1 || c.presigned < 0 || c.together < 1 || c.together > messages.GroupVerticesMax {
		complain("--creators is at least 1, --presigned not negative, and --creator-groups 1 to %d", messages.GroupVerticesMax)
		return
	}
	if o.floor {
		complain("--floor has no creators: leave --creator-signatures out")
	}
	if c.together > 1 && o.load.Rate == 0 && o.load.Outstanding < c.together {
		complain("--outstanding %d is less than one of --creator-groups %d, which are submitted together", o.load.Outstanding, c.together)
	}
	switch {
	case c.together > 1 && given("group"):
		complain("--creator-groups are submitted together: leave --group out")
	case c.together > 1:
		o.load.Group = c.together
	}
}

// measure is one round of one system: start it, load it, stop it.
type measure func(ctx context.Context, round int) (*workload.Result, error)

// runBench measures round by round, the floor after the replicas.
func runBench(ctx context.Context, o benchOptions, out, narration io.Writer) error {
	cluster, floor := o.measureCluster(narration), o.measureFloor(narration)
	if len(o.api) > 0 {
		cluster = o.measureAPIs(narration)
	}
	report := newBenchReport(o)
	for round := range o.rounds {
		if o.rounds > 1 {
			fmt.Fprintf(narration, "round %d of %d\n", round+1, o.rounds)
		}
		result, err := cluster(ctx, round)
		if err != nil {
			return err
		}
		var lowest *workload.Result
		if o.floor {
			if lowest, err = floor(ctx, round); err != nil {
				return err
			}
		}
		report.add(result, lowest)
	}
	report.sum()
	if o.markdown {
		return report.markdown(out)
	}
	return report.write(out, o.asJSON)
}

// run puts the load on a target and shows how far it is.
func (o benchOptions) run(ctx context.Context, target workload.Target, profile string, narration io.Writer) (result *workload.Result, err error) {
	options := o.load
	finish := o.progress(&options, narration)
	workload.ForgetPeak()
	profiles, err := startProfiles(profile)
	if err != nil {
		return nil, err
	}
	result, err = workload.Run(ctx, target, options)
	finish()
	if failed := profiles.stop(); err == nil {
		err = failed
	}
	if err == nil && len(o.api) == 0 {
		result.PeakMemoryBytes = workload.PeakMemory()
	}
	return result, err
}

// progress counts vertices if so many are wanted, else the seconds.
func (o benchOptions) progress(options *workload.Options, narration io.Writer) (finish func()) {
	if o.load.Vertices > 0 {
		counter := new(progressCounter)
		options.Progress = counter.set
		return progress{"measuring", "vertices", "final", o.load.Vertices}.show(narration, func() int { return counter.upTo(o.load.Vertices) })
	}
	begin, total := time.Now(), max(int((o.load.Warmup+o.load.Duration).Seconds()), 1)
	return progress{"measuring", "seconds", "over", total}.show(narration, func() int { return min(int(time.Since(begin).Seconds()), total) })
}
