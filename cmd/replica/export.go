package main

import (
	"bufio"
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/cmd/replica/home"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// exported is one line of an export. Views and certificates may differ between
// correct replicas and are left out: the exports of two replicas are equal for the
// sequences that are in both.
type exported struct {
	Sequence messages.Seq    `json:"sequence"`
	Digest   messages.Digest `json:"digest"`
	Batch    []byte          `json:"batch"` // base64; empty for the null batch
}

func newExportCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "export --home DIR",
		Short: "Print the ledger of a stopped replica, one JSON object a sequence",
		Long: `Print the ledger of a stopped replica, one JSON object a sequence.

Nothing there is changed, and no secret key is read. Every batch is hashed again
and its certificate verified on the way; an error ends the output. The outputs of
two replicas are equal, byte for byte, for the sequences that are in both. A ledger
that was trimmed, or belongs to a replica that took its state over from the others,
begins above sequence 1: the first line says where.`,
		Example: "  replica export --home net/replica-0 > ledger.jsonl",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := home.LoadPublic(path)
			if err != nil {
				return err
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			lines := json.NewEncoder(out)
			if _, err := replica.ReadLedger(h.Config.Storage.Path, h.Genesis, h.Identity.Index, func(d *messages.Decided) error {
				return lines.Encode(exported{d.Seq, d.Digest, d.Body})
			}); err != nil {
				return err
			}
			return out.Flush()
		},
	}
	addHomeFlag(cmd, &path)
	return cmd
}
