package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

func newGenesisCommand() *cobra.Command {
	g := messages.Genesis{Params: messages.DefaultParams()}
	cmd := &cobra.Command{
		Use:   "genesis --chain-id ID ENTRY...",
		Short: "Make a chain's genesis file out of its members' entries",
		Long: `Make a chain's genesis file out of its members' entries.

An entry is what "keys generate" printed on a member's own machine. The order of
the files is that of the members: member i leads view i first, and every node.toml
lists the peers in this order. Each entry's signature is checked.

The file is the same at every member, for the chain's life. Its hash, which is
printed, is the chain's identity: compare it before the first start.`,
		Example: `  replica genesis --chain-id main alice.json bob.json carol.json dave.json > genesis.json
  replica genesis --chain-id main --batch-bytes 262144 *.json > genesis.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, paths []string) error {
			g.Params.Window = 2 * g.Params.CheckpointInterval
			for _, path := range paths {
				member, err := readEntry(path)
				if err != nil {
					return err
				}
				g.Members = append(g.Members, member)
			}
			if err := g.Validate(); err != nil {
				return err
			}
			if _, err := crypto.NewKeyring(&g); err != nil {
				return hint(err, "an entry is for one chain and one algorithm: the member makes it with keys generate --chain-id %s --scheme %s", g.ChainID, g.Scheme)
			}
			if _, err := cmd.OutOrStdout().Write(g.Encode()); err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "chain %s of %d members, genesis %s\n", g.ChainID, g.N(), g.Hash().Hex())
			return nil
		},
	}
	f, p := cmd.Flags(), &g.Params
	f.StringVar(&g.ChainID, "chain-id", "", "name of the chain")
	f.StringVar(&g.Scheme, "scheme", crypto.DefaultScheme, "signature algorithm: ml-dsa-87, ml-dsa-65 or ml-dsa-44")
	f.BoolVar(&p.RequireVertexSignatures, "require-vertex-signatures", false, "take only vertices that their creators signed")
	f.BoolVar(&p.OptimisticMode, "optimistic-mode", false, optimisticUsage)
	f.Uint32Var(&p.BatchVertices, "batch-vertices", p.BatchVertices, "vertices of a batch at most")
	f.Uint32Var(&p.BatchBytes, "batch-bytes", p.BatchBytes, "bytes of a batch at most")
	f.Uint64Var((*uint64)(&p.CheckpointInterval), "checkpoint-interval", uint64(p.CheckpointInterval), "sequences between two checkpoints; the window is twice as many")
	f.Uint64Var((*uint64)(&p.SnapshotInterval), "snapshot-interval", uint64(p.SnapshotInterval), "sequences between two snapshots, a multiple of the checkpoints' interval")
	f.Uint32Var(&p.NonceWindow, "nonce-window", p.NonceWindow, "nonces of a creator that are remembered, a multiple of 64")
	if err := cmd.MarkFlagRequired("chain-id"); err != nil {
		panic(err) // the flag was defined above
	}
	return cmd
}

// readEntry reads what "keys generate" printed.
func readEntry(path string) (m messages.Member, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return m, err
	}
	if m, err = messages.ParseMember(data); err != nil {
		return m, hint(fmt.Errorf("%s is no member's entry: %w", path, err), "give the files that \"replica keys generate --name NAME\" printed, one for each member")
	}
	return m, nil
}

// optimisticUsage tells what --optimistic-mode is, wherever a chain is made.
const optimisticUsage = "let a batch be final once all members accepted it, a round earlier than a quorum could commit it"
