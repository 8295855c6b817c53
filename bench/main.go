package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cretoai/consensus/cmd/replica/workload"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// options are the flags.
type options struct {
	replicas   int
	systems    []system
	depth      int
	rounds     int
	dir        string
	allowTmpfs bool
	format     format
	load       workload.Options
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	o, err := parse(os.Args[1:], os.Stderr)
	if err == nil {
		replica.SpareProcessors() // of use to whoever flushes
		err = run(ctx, o, os.Stdout, os.Stderr)
	}
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench: error:", err)
		os.Exit(1)
	}
}

// parse reads the command line; help and complaints about flags go to narration.
func parse(args []string, narration io.Writer) (options, error) {
	var (
		o                options
		names, submit    string
		seconds, warmup  float64
		markdown, asJSON bool
		all              []string
		flags            = flag.NewFlagSet("bench", flag.ContinueOnError)
		complaints       []error
		complain         = func(format string, args ...any) { complaints = append(complaints, fmt.Errorf(format, args...)) }
	)
	for _, s := range systems(4) {
		all = append(all, s.Name)
	}
	flags.SetOutput(narration)
	flags.IntVar(&o.replicas, "replicas", 4, "number of members, of raft3 apart, which has 3")
	flags.StringVar(&names, "systems", strings.Join(all, ","), "what to measure")
	flags.IntVar(&o.load.Outstanding, "outstanding", 1500, "payloads kept on their way")
	flags.IntVar(&o.load.Payload, "payload", 128, "size of each in bytes")
	flags.StringVar(&submit, "submit", "leader", "where to submit: at the leader, or at all members, which raft has no use for")
	flags.IntVar(&o.depth, "depth", 0, "sequences the replicas' leader has in flight (default: theirs)")
	flags.IntVar(&o.rounds, "rounds", 5, "measurements of each; medians are shown")
	flags.Float64Var(&seconds, "seconds", 10, "length of one measurement")
	flags.Float64Var(&warmup, "warmup", 2, "seconds of load before it")
	flags.StringVar(&o.dir, "dir", "", "where to make temporary folders (default: where the system has them, if that is a disk)")
	flags.BoolVar(&o.allowTmpfs, "allow-tmpfs", false, "allow a folder in memory, where flushing costs nothing")
	flags.BoolVar(&markdown, "markdown", false, "print a Markdown table")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object, with every round")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		complain("%q is no flag", flags.Arg(0))
	}
	if o.replicas < messages.MembersMin || o.replicas > messages.MembersMax {
		complain("--replicas %d: %d to %d are allowed", o.replicas, messages.MembersMin, messages.MembersMax)
	}
	if submit != "leader" && submit != "all" {
		complain("--submit %s: there are leader and all", submit)
	}
	for _, name := range strings.Split(names, ",") {
		known := systems(o.replicas)
		i := slices.IndexFunc(known, func(s system) bool { return s.Name == name })
		switch {
		case i < 0:
			complain("--systems %s: there are %s", name, strings.Join(all, ", "))
		case submit == "all" && !known[i].anyDoor:
			complain("--submit all: %s takes payloads at its leader alone; leave it out with --systems", name)
		default:
			o.systems = append(o.systems, known[i])
		}
	}
	if o.rounds < 1 || o.depth < 0 {
		complain("--rounds is at least 1, --depth not negative")
	}
	if markdown && asJSON {
		complain("--markdown and --json: give one of them")
	}
	switch {
	case markdown:
		o.format = formatMarkdown
	case asJSON:
		o.format = formatJSON
	}
	o.load.LeaderOnly = submit == "leader"
	o.load.Duration, o.load.Warmup = time.Duration(seconds*float64(time.Second)), time.Duration(warmup*float64(time.Second))
	o.load.Group = o.load.GroupOf(o.replicas) // the same of all, however many members
	complaints = append(complaints, o.load.Validate())
	return o, errors.Join(complaints...)
}
