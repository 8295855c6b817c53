package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

func main() { os.Exit(run()) }

// run is main without the exit. The first signal asks for a clean end; the
// second one ends the process at once. A terminal that closes is one, too.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop)
	zerolog.TimeFieldFormat = time.RFC3339Nano // logs of several replicas are read side by side
	return execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

const (
	exitFailure = 1
	exitUsage   = 2
)

func execute(ctx context.Context, args []string, in io.Reader, out, narration io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(narration)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	wrong := (*usageError)(nil)
	if !errors.As(err, &wrong) {
		if missing := cmd.ValidateRequiredFlags(); missing != nil {
			err = usage(cmd, missing) // cobra's own check comes unmarked
		}
	}
	complain(narration, err)
	if errors.As(err, &wrong) {
		return exitUsage
	}
	return exitFailure
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "replica",
		Short: "Byzantine fault tolerant consensus on vertices, with post-quantum signatures",
		Example: `  replica demo                                  # four replicas in one process
  replica testnet --replicas 4 --out net        # keys and configurations
  replica start --home net/replica-0            # one of them, and so on
  replica propose --api http://127.0.0.1:7001 "hello"`,
		Args:          knownVerb,
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(
		newDemoCommand(), newTestnetCommand(), newGenesisCommand(), newStartCommand(), newProposeCommand(), newStatusCommand(), newBansCommand(),
		newKeysCommand(), newCheckCommand(), newExportCommand(), newInspectCommand(), newVerifyCommand(), newSimCommand(), newExploreCommand(), newTwinsCommand(),
		newBenchCommand(), newVersionCommand(),
	)
	markUsage(root)
	return root
}

// knownVerb refuses what is no verb, with what may have been meant.
func knownVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return hint(err, "did you mean %s?", strings.Join(near, " or "))
	}
	return err
}

// markUsage lets a command and those below it tell a wrong command line from a
// failure.
func markUsage(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, err) })
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error { return usage(cmd, check(cmd, args)) }
	}
	for _, child := range cmd.Commands() {
		markUsage(child)
	}
}
