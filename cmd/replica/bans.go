package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/replica"
)

func newBansCommand() *cobra.Command {
	var api string
	var lift uint16
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bans",
		Short: "List whom a replica has banned and why, or lift a ban",
		Long: `List whom a replica has banned and why, or lift a ban.

A banned member loses privileges, never its votes. A ban for a low reputation ends
by itself; a conviction, which rests on evidence, ends only here, and at this
replica alone. A pardon outlives restarts; a new lie convicts again.`,
		Example: `  replica bans --api http://127.0.0.1:7011
  replica bans --api http://127.0.0.1:7011 --lift 3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := newClient(api)
			if err != nil {
				return err
			}
			var bans []replica.Ban
			if cmd.Flags().Changed("lift") {
				err = c.do(cmd.Context(), http.MethodDelete, fmt.Sprintf("/v1/bans/%d", lift), "", "", nil, 0, &bans)
			} else {
				err = c.get(cmd.Context(), "/v1/bans", &bans)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(bans)
			}
			return writeBans(cmd.OutOrStdout(), bans)
		},
	}
	addAPIFlag(cmd, &api)
	cmd.Flags().Uint16Var(&lift, "lift", 0, "lift the ban of this member, and list those that remain")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON array")
	return cmd
}

func writeBans(w io.Writer, bans []replica.Ban) error {
	if len(bans) == 0 {
		_, err := fmt.Fprintln(w, "nobody is banned")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "member\tname\treputation\tconvicted\tcharged with\tevidence")
	for _, b := range bans {
		var charges []string
		for _, kind := range slices.Sorted(maps.Keys(b.Violations)) {
			charges = append(charges, fmt.Sprintf("%d %s", b.Violations[kind], kind))
		}
		fmt.Fprintf(table, "%d\t%s\t%.2f\t%s\t%s\t%s\n",
			b.Replica, b.Name, b.Reputation, yesNo(b.Convicted), orNone(charges), orNone(b.Evidence))
	}
	return table.Flush()
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, ", ")
}
