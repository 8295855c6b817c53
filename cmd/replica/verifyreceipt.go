package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

func newVerifyReceiptCommand() *cobra.Command {
	var genesisPath string
	cmd := &cobra.Command{
		Use:   "receipt FILE --genesis FILE",
		Short: "Check that a vertex is final, from a receipt and the genesis file alone",
		Long: `Check that a vertex is final, from a receipt and the genesis file alone.

FILE is what GET /v1/receipts/HASH answers; "-" is standard input. No replica is
asked and none is trusted: what is printed is what a quorum of the members in the
genesis file signed, so get that file from somebody you trust.`,
		Example: `  curl -o receipt.json http://127.0.0.1:7001/v1/receipts/HASH
  replica verify receipt receipt.json --genesis genesis.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			genesis, err := readGenesis(genesisPath)
			if err != nil {
				return err
			}
			data, err := readReceipt(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			proof, err := replica.VerifyProof(genesis, data)
			if err != nil {
				return hint(fmt.Errorf("%s proves nothing: %w", args[0], err), "ask a replica again for GET /v1/receipts/HASH")
			}
			return writeProof(cmd.OutOrStdout(), genesis, proof)
		},
	}
	cmd.Flags().StringVar(&genesisPath, "genesis", "", "the chain's genesis file")
	if err := cmd.MarkFlagRequired("genesis"); err != nil {
		panic(err) // the flag was defined in the line above
	}
	return cmd
}

// readReceipt reads one byte more than a receipt can have.
func readReceipt(in io.Reader, path string) ([]byte, error) {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("read the receipt: %w", err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, messages.FinalityProofBytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("read the receipt: %w", err)
	}
	return data, nil
}

// writeProof says what was proved, and what was not.
func writeProof(w io.Writer, g *messages.Genesis, p *messages.FinalityProof) error {
	var signers []string
	for _, b := range p.Certificate {
		signers = append(signers, g.Members[b.From].Name)
	}
	n := g.N()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "vertex\t%s\n", p.Vertex.Hex())
	fmt.Fprintf(table, "final\tat sequence %d, position %d of %d, in view %d\n", p.Seq, p.Path.Index, p.Path.Leaves, p.View)
	fmt.Fprintf(table, "batch\t%s\n", p.Batch.Hex())
	fmt.Fprintf(table, "chain\t%s, genesis %s\n", g.ChainID, p.Chain.Hex())
	fmt.Fprintf(table, "signed by\t%s: %d of %d members, %d are a quorum\n", strings.Join(signers, ", "), len(signers), n, messages.Quorum(n))
	fmt.Fprintf(table, "proved\tunless more than %d members are faulty, no correct replica has another batch at this sequence\n", messages.MaxFaulty(n))
	fmt.Fprintf(table, "not proved\twhether the vertex took effect there: it did not if its nonce had been spent, it had expired, or it failed\n")
	return table.Flush()
}
