package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/replica"
)

func newStatusCommand() *cobra.Command {
	var api string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Show where a replica and its peers stand",
		Example: "  replica status --api http://127.0.0.1:7011 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := newClient(api)
			if err != nil {
				return err
			}
			var s replica.Status
			if err := c.get(cmd.Context(), "/v1/status", &s); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(s)
			}
			return writeStatus(cmd.OutOrStdout(), &s)
		},
	}
	addAPIFlag(cmd, &api)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func writeStatus(w io.Writer, s *replica.Status) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	leader := fmt.Sprintf("replica %d", s.Leader)
	if s.IsLeader {
		leader += " (this one)"
	}
	if !s.Active {
		leader += ", view change under way"
	}
	fmt.Fprintf(table, "replica\t%d of chain %s\n", s.Replica, s.ChainID)
	fmt.Fprintf(table, "view\t%d, led by %s\n", s.View, leader)
	fmt.Fprintf(table, "sequence\t%d of %d known, checkpoint at %d\n", s.Sequence, s.HighestSequence, s.StableCheckpoint)
	fmt.Fprintf(table, "vertices\t%d, %d pending\n", s.Vertices, s.Pending)
	fmt.Fprintf(table, "ledger head\t%s\n", s.LedgerHead.Hex())
	if s.FirstSequence > 1 {
		fmt.Fprintf(table, "ledger\tbegins at sequence %d\n", s.FirstSequence)
	}
	if t := s.Transfer; t != nil {
		fmt.Fprintf(table, "fetching\tthe state of sequence %d, %d of %d parts\n", t.Seq, t.Parts-t.Missing, t.Parts)
	}
	if s.Observing != "" {
		fmt.Fprintf(table, "does not vote\t%s\n", s.Observing)
	}
	if s.Halted != "" {
		fmt.Fprintf(table, "halted\t%s\n", s.Halted)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(table, "\npeer\tname\tconnected\tsequence\tview\treputation\tbanned")
	for _, p := range s.Peers {
		fmt.Fprintf(table, "%d\t%s\t%s\t%d\t%d\t%.2f\t%s\n",
			p.Replica, p.Name, yesNo(p.Connected), p.Sequence, p.View, p.Reputation, yesNo(p.Banned))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, p := range s.Peers {
		if p.Abstains != "" {
			fmt.Fprintf(w, "peer %d does not vote, as far as this replica knows: %s\n", p.Replica, p.Abstains)
		}
	}
	return nil
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
