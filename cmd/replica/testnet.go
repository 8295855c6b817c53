package main

import (
	"fmt"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/replica/testnet"
)

func newTestnetCommand() *cobra.Command {
	o := testnet.DefaultOptions()
	cmd := &cobra.Command{
		Use:   "testnet --out DIR",
		Short: "Make keys, genesis and configurations of a cluster on this machine",
		Long: `Make keys, genesis and configurations of a cluster on this machine.

Replica i listens on port P+10·i for its peers and on P+10·i+1 for its HTTP API,
both on 127.0.0.1. A folder that is not empty is never touched.`,
		Example: `  replica testnet --replicas 4 --out net
  replica start --home net/replica-0`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			network, err := testnet.Generate(o)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "chain %s, genesis %s, in %s\n\n", network.Genesis.ChainID, network.Genesis.Hash().Hex(), network.Dir)
			table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "replica\thome\tpeers\tapi")
			for i, r := range network.Replicas {
				fmt.Fprintf(table, "%d\t%s\t%s\thttp://%s\n", i, r.Home, r.Listen, r.API)
			}
			if err := table.Flush(); err != nil {
				return err
			}
			if o.RequireVertexSignatures {
				fmt.Fprintf(out, "\nvertices are signed: propose with --key %s, or with a key of \"keys generate --creator\"\n", filepath.Join(o.Dir, testnet.CreatorKeyFile))
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "\nstart each with: replica start --home HOME\n")
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Dir, "out", "", "folder to make")
	f.IntVar(&o.Replicas, "replicas", o.Replicas, "number of members")
	f.IntVar(&o.BasePort, "base-port", o.BasePort, "replica 0's port for its peers")
	f.StringVar(&o.ChainID, "chain-id", o.ChainID, "name of the chain")
	f.StringVar(&o.Scheme, "scheme", o.Scheme, "signature algorithm: ml-dsa-87, ml-dsa-65 or ml-dsa-44")
	f.BoolVar(&o.RequireVertexSignatures, "require-vertex-signatures", false, "take only vertices that their creators signed, and make a creator's key")
	f.BoolVar(&o.OptimisticMode, "optimistic-mode", false, optimisticUsage)
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err) // the flag was defined above
	}
	return cmd
}
