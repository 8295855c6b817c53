package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/cmd/replica/home"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

func newInspectCommand() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect --home DIR",
		Short: "Show what lies in the folder of a stopped replica",
		Long: `Show what lies in the folder of a stopped replica: the journal's segments, the
ledger, the last stable checkpoint and the views.

Nothing there is changed, and no secret key is read: the folder may be a copy, on a
disk that cannot be written. It is quick, and of signatures checks the checkpoint's
only; "replica export" checks the whole ledger.`,
		Example: "  replica inspect --home net/replica-0",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := home.LoadPublic(path)
			if err != nil {
				return err
			}
			in, err := replica.Inspect(h.Config.Storage.Path, h.Genesis, h.Identity.Index)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(newInspected(in))
			}
			return writeInspection(cmd.OutOrStdout(), h, in)
		},
	}
	addHomeFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// inspected is an inspection as JSON.
type inspected struct {
	FirstSequence  messages.Seq       `json:"first_sequence"`
	LastSequence   messages.Seq       `json:"last_sequence"`
	LedgerHead     messages.Digest    `json:"ledger_head"`
	Checkpoint     messages.Seq       `json:"checkpoint"`
	CheckpointHead messages.Digest    `json:"checkpoint_head"`
	StateDigest    messages.Digest    `json:"state_digest"`
	Signers        []messages.Index   `json:"signers"`
	Vertices       uint64             `json:"vertices"` // at the checkpoint
	ClientBytes    int64              `json:"client_bytes"`
	StateBytes     int64              `json:"state_bytes"`
	IndexBytes     int64              `json:"index_bytes"`
	View           messages.View      `json:"view"`
	ChangingTo     messages.View      `json:"changing_to,omitempty"`
	Accepted       int                `json:"accepted"`
	Prepared       int                `json:"prepared"`
	Voted          int                `json:"voted"`
	Observes       bool               `json:"observes"`
	Segments       []inspectedSegment `json:"segments"`
}

type inspectedSegment struct {
	ID            uint64 `json:"id"`
	FirstSequence uint64 `json:"first_sequence"`
	LastSequence  uint64 `json:"last_sequence"`
	Groups        uint64 `json:"groups"`
	Bytes         int64  `json:"bytes"`
	Closed        bool   `json:"closed"`
}

func newInspected(in *replica.Inspection) *inspected {
	out := &inspected{
		FirstSequence: in.First, LastSequence: in.Last, LedgerHead: in.LastHead,
		Checkpoint: in.Stable.Seq, CheckpointHead: in.Head, StateDigest: in.Stable.Digest, Signers: []messages.Index{},
		Vertices: in.Vertices, ClientBytes: in.Clients, StateBytes: in.App, IndexBytes: in.Index,
		View: in.Entered, Accepted: in.Accepted, Prepared: in.Prepared, Voted: in.Voted, Observes: in.Observes, Segments: []inspectedSegment{},
	}
	if in.LeftFor > in.Entered {
		out.ChangingTo = in.LeftFor
	}
	for _, b := range in.Stable.Bundles {
		out.Signers = append(out.Signers, b.From)
	}
	for _, s := range in.Segments {
		groups := uint64(0)
		if s.FirstGroup > 0 {
			groups = s.LastGroup - s.FirstGroup + 1
		}
		out.Segments = append(out.Segments, inspectedSegment{s.ID, s.FirstSeq, s.LastSeq, groups, s.Bytes, s.Closed})
	}
	return out
}

func writeInspection(w io.Writer, h *home.Home, in *replica.Inspection) error {
	out := newInspected(in)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "replica\t%d, %s, of chain %s\n", h.Identity.Index, h.Name(), h.Genesis.ChainID)
	switch {
	case out.LastSequence == 0:
		fmt.Fprintf(table, "ledger\tempty\n")
	case out.LastSequence < out.FirstSequence:
		fmt.Fprintf(table, "ledger\tempty, begins behind sequence %d, head there %s\n", out.LastSequence, out.LedgerHead.Hex())
	case out.FirstSequence > 1:
		fmt.Fprintf(table, "ledger\tsequences %d to %d, head %s; what lies below was trimmed, or is in the state only\n",
			out.FirstSequence, out.LastSequence, out.LedgerHead.Hex())
	default:
		fmt.Fprintf(table, "ledger\tsequences %d to %d, head %s\n", out.FirstSequence, out.LastSequence, out.LedgerHead.Hex())
	}
	if out.Checkpoint == 0 {
		fmt.Fprintf(table, "checkpoint\tnone yet\n")
	} else {
		var names []string
		for _, i := range out.Signers {
			names = append(names, h.Genesis.Members[i].Name)
		}
		fmt.Fprintf(table, "checkpoint\tat sequence %d, state %s\n", out.Checkpoint, out.StateDigest.Hex())
		fmt.Fprintf(table, "signed by\t%s\n", strings.Join(names, ", "))
		fmt.Fprintf(table, "state there\t%d vertices executed; application %d bytes, client table %d, index of vertices %d\n",
			out.Vertices, out.StateBytes, out.ClientBytes, out.IndexBytes)
	}
	if out.ChangingTo > 0 {
		fmt.Fprintf(table, "view\t%d, left for %d\n", out.View, out.ChangingTo)
	} else {
		fmt.Fprintf(table, "view\t%d\n", out.View)
	}
	fmt.Fprintf(table, "above it\t%d batches accepted, %d prepared, %d votes granted\n", out.Accepted, out.Prepared, out.Voted)
	if out.Observes {
		fmt.Fprintf(table, "votes\tno: it observes, since its disk or its journal was empty\n")
	}
	fmt.Fprintln(table, "\nsegment\tsequences\tgroups\tbytes\tfull")
	for _, s := range out.Segments {
		fmt.Fprintf(table, "%d\t%d to %d\t%d\t%d\t%s\n", s.ID, s.FirstSequence, s.LastSequence, s.Groups, s.Bytes, yesNo(s.Closed))
	}
	return table.Flush()
}
