package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/cmd/replica/home"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/nodeconfig"
	"github.com/cretoai/consensus/storage"
)

func newCheckCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "check --home DIR",
		Short: "Check a replica's folder and print what its configuration means",
		Long: `Check a replica's folder and print what its configuration means.

Everything "replica start" would refuse is said, without starting anything. The data
are looked at too, unless a replica runs there: whose they are, how far they go,
whether the replica votes. Nothing is changed, and nobody is kept from starting.`,
		Example: "  replica check --home net/replica-0",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := home.Load(path)
			if err != nil {
				return err
			}
			config := h.ReplicaConfig()
			if err := config.Validate(); err != nil {
				return err
			}
			data, err := checkData(h)
			if err != nil {
				return err
			}
			return writeCheck(cmd.OutOrStdout(), h, data)
		},
	}
	addHomeFlag(cmd, &path)
	return cmd
}

// checkData says what lies in the folder of the data; the error is one that "replica
// start" would end with.
func checkData(h *home.Home) (string, error) {
	path := h.Config.Storage.Path
	votes := "it votes"
	in, err := replica.Look(path, h.Genesis, h.Identity.Index)
	switch {
	case errors.Is(err, storage.ErrLocked):
		return "in use: a replica runs there, and replica status says where it stands", nil
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, storage.ErrNotFound):
		if _, err := os.Stat(filepath.Join(path, "state")); err == nil {
			return "the journal is gone and the state is there; " + firstStart(h), nil
		}
		return "none; " + firstStart(h), nil
	case err != nil:
		return "", err
	case in.Observes:
		votes = firstStart(h)
	}
	if in.Last == 0 {
		return fmt.Sprintf("no sequence yet, journal of format %d in order; %s", storage.JournalFormat, votes), nil
	}
	return fmt.Sprintf("sequences %d to %d, checkpoint at %d, journal of format %d in order, %d segments; %s",
		in.First, in.Last, in.Stable.Seq, storage.JournalFormat, len(in.Segments), votes), nil
}

// firstStart says what a replica does that does not find what it voted.
func firstStart(h *home.Home) string {
	if h.Unused {
		return "the key has never signed, so it votes at its first start"
	}
	return "it observes until what it may have voted before has passed"
}

// writeCheck prints what follows from the genesis, then every key with the
// value that is in effect.
func writeCheck(w io.Writer, h *home.Home, data string) error {
	g, n := h.Genesis, h.Genesis.N()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "chain\t%s, genesis %s\n", g.ChainID, g.Hash().Hex())
	fmt.Fprintf(table, "replica\t%d, %s, key %s\n", h.Identity.Index, h.Name(), g.MemberID(h.Identity.Index).Hex())
	fmt.Fprintf(table, "members\tn=%d, of which f=%d may be faulty\n", n, messages.MaxFaulty(n))
	fmt.Fprintf(table, "quorum\tq=%d; a certificate of f+1=%d holds a correct member\n", messages.Quorum(n), messages.Weak(n))
	fmt.Fprintf(table, "window\t%d sequences: a checkpoint every %d, at most 2 not stable\n", g.Params.Window, g.Params.CheckpointInterval)
	fmt.Fprintf(table, "in flight\tat most %d batches of %d vertices or %d bytes\n",
		h.Config.Consensus.PipelineDepth, g.Params.BatchVertices, g.Params.BatchBytes)
	fmt.Fprintf(table, "ledger\t%s; a snapshot every %d sequences\n", retained(h), g.Params.SnapshotInterval)
	fmt.Fprintf(table, "signatures\t%s\n", g.Scheme)
	fmt.Fprintf(table, "data\t%s\n", data)
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for line := range strings.Lines(string(nodeconfig.Render(h.Config))) {
		if !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" {
			fmt.Fprint(w, line)
		}
	}
	return nil
}

// retained says how much of the ledger is kept.
func retained(h *home.Home) string {
	if n := h.Config.Storage.LedgerRetain; n > 0 {
		return fmt.Sprintf("at least the last %d sequences are kept", n)
	}
	return "all sequences are kept"
}
