package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/cmd/replica/local"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// demoOptions are the flags of the demo.
type demoOptions struct {
	replicas   int
	vertices   int
	payload    int // bytes
	dir        string
	scheme     string
	fault      string
	timeout    time.Duration
	allowTmpfs bool
	asJSON     bool
	verbose    bool
}

func newDemoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Start a cluster in this process and finalise vertices",
		Long: `Start a cluster in this process and finalise vertices.

Every replica has its own actor system, its own keys and a journal that is
flushed to the disk; they talk over loopback sockets with mutual TLS. At the end
all are stopped and their ledgers' heads recomputed from their folders. The exit
code is 0 only if every vertex was finalised and all heads agree.

With --fault a member turns faulty half-way: the leader of that moment, or a
backup. Its callers go on at the other replicas, and only these count in the end. If
all vertices are final before the others have noticed, more are proposed until they
have, for up to 20 s.`,
		Example: `  replica demo
  replica demo --fault leader-crash
  replica demo --replicas 7 --vertices 50000 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return usage(cmd, err)
			}
			replica.SpareProcessors()
			return runDemo(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.replicas, "replicas", 4, "number of members")
	f.IntVar(&o.vertices, "vertices", 200_000, "number of vertices to finalise")
	f.IntVar(&o.payload, "payload", 256, "size of a vertex's payload in bytes")
	f.StringVar(&o.dir, "dir", "", "where to make the temporary folder (default: where the system has them, if that is a disk)")
	f.StringVar(&o.scheme, "scheme", "ml-dsa-87", "signature algorithm: ml-dsa-87, ml-dsa-65 or ml-dsa-44")
	f.StringVar(&o.fault, "fault", "", "what a member does half-way: "+faultNames())
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "when to give up")
	f.BoolVar(&o.allowTmpfs, "allow-tmpfs", false, "allow a folder in memory, where flushing the journal costs nothing")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	f.BoolVar(&o.verbose, "verbose", false, "show the replicas' logs")
	return cmd
}

func (o demoOptions) validate() error {
	var errs []error
	if o.replicas < messages.MembersMin || o.replicas > messages.MembersMax {
		errs = append(errs, fmt.Errorf("--replicas %d: %d to %d are allowed", o.replicas, messages.MembersMin, messages.MembersMax))
	}
	if o.vertices < 1 {
		errs = append(errs, fmt.Errorf("--vertices %d: at least 1 is needed", o.vertices))
	}
	if o.payload < 1 || o.payload > payloadMax {
		errs = append(errs, fmt.Errorf("--payload %d: 1 to %d bytes are allowed", o.payload, payloadMax))
	}
	if _, ok := faultByName(o.fault); o.fault != "" && !ok {
		errs = append(errs, fmt.Errorf("--fault %s: there are %s", o.fault, faultNames()))
	}
	if o.timeout <= 0 {
		errs = append(errs, fmt.Errorf("--timeout %v is over already", o.timeout))
	}
	return errors.Join(errs...)
}

var errTimeout = errors.New("the time of --timeout is over")

// runDemo makes a cluster, loads it, stops it and reports what its folders say.
func runDemo(ctx context.Context, o demoOptions, out, narration io.Writer) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, errTimeout)
	defer cancel()
	parent, err := local.Parent(o.dir, o.allowTmpfs)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(parent, "replica-demo-")
	if err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	cluster, err := startDemoCluster(ctx, o, filepath.Join(dir, "net"), narration)
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	load, failed := runLoad(ctx, cluster, o, narration)
	if failed == nil {
		failed = cluster.AwaitRest(ctx)
	}
	statuses := cluster.Statuses()
	if err := cluster.Stop(); err != nil {
		return errors.Join(failed, err, os.RemoveAll(dir))
	}
	report, err := newReport(o, load, cluster, statuses)
	if err != nil {
		return errors.Join(failed, err, os.RemoveAll(dir))
	}
	err = report.advise(errors.Join(report.write(out, o.asJSON), failed, report.verdict()), dir)
	if report.agreement == differ {
		return err
	}
	return errors.Join(err, os.RemoveAll(dir))
}
