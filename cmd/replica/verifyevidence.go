package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

func newVerifyEvidenceCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "evidence FILE --genesis FILE",
		Short: "Judge whether a file of evidence proves that a member lied",
		Long: `Judge whether a file of evidence proves that a member lied.

A replica writes such files to the folder evidence/ in its storage folder. The
file holds two digests that the member signed for one place, or a new-view that
does not follow from its view-changes, with all signatures; nothing but the genesis file is needed to check them. The exit code is 0 only if
the member is proved to have lied.`,
		Example: "  replica verify evidence member-3-prepare-view-0-seq-7.evidence --genesis net/genesis.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return verifyEvidence(cmd.OutOrStdout(), args[0], path)
		},
	}
	cmd.Flags().StringVar(&path, "genesis", "", "the chain's genesis file")
	if err := cmd.MarkFlagRequired("genesis"); err != nil {
		panic(err) // the flag was defined in the line above
	}
	return cmd
}

func verifyEvidence(out io.Writer, file, genesisFile string) error {
	genesis, err := readGenesis(genesisFile)
	if err != nil {
		return err
	}
	data, err := readBounded(file, messages.InvalidNewViewBytesMax)
	if err != nil {
		return err
	}
	v, err := replica.JudgeEvidence(genesis, data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	fmt.Fprintf(out, "proved: member %d (%s) of chain %s lied\n", v.Member, genesis.Members[v.Member].Name, genesis.ChainID)
	if e := v.Evidence; e != nil {
		fmt.Fprintf(out, "key %s signed two %vs at view %d, sequence %d:\n", genesis.MemberID(e.Member).Hex(), e.Kind, e.View, e.Seq)
		for _, d := range e.Digests {
			fmt.Fprintf(out, "  %s\n", d.Hex())
		}
	} else {
		fmt.Fprintf(out, "key %s signed a new-view for view %d that does not follow from its view-changes: %s\n  %s\n",
			genesis.MemberID(v.Member).Hex(), v.View, v.Reason, v.NewView.NewView.Body.Digest().Hex())
	}
	_, err = fmt.Fprintf(out, "genesis %s\n", genesis.Hash().Hex())
	return err
}
