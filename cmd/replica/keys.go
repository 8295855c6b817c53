package main

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/keyfile"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica/testnet"
)

func newKeysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Make and show a member's keys",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeysGenerateCommand(), newKeysShowCommand())
	return cmd
}

// keysOptions are the flags of keys generate.
type keysOptions struct {
	dir, chainID, name, scheme string
	creator                    bool
}

func newKeysGenerateCommand() *cobra.Command {
	var o keysOptions
	cmd := &cobra.Command{
		Use:   "generate --out DIR --chain-id ID (--name NAME | --creator)",
		Short: "Make a member's two keys and print its entry for the genesis file",
		Long: `Make a member's two keys and print its entry for the genesis file.

The entry is public; the two files are not, and are never overwritten. Each
member of a chain runs this on its own machine and passes the entry on.

With --creator the key of a client is made instead, for a chain whose genesis
says require_vertex_signatures, and the name printed that its vertices bear.`,
		Example: `  replica keys generate --out keys --chain-id main --name alice > alice.json
  replica keys generate --out keys --chain-id main --creator`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.creator {
				return generateCreator(cmd, o)
			}
			member, err := generateKeys(o)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "made %s and %s in %s\n", testnet.ConsensusKeyFile, testnet.ChannelKeyFile, o.dir)
			e := json.NewEncoder(cmd.OutOrStdout())
			e.SetIndent("", "  ")
			return e.Encode(member)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "out", "", "folder for the two files; made if missing")
	f.StringVar(&o.chainID, "chain-id", "", "chain the keys are for")
	f.StringVar(&o.name, "name", "", "name of the member in the genesis file")
	f.StringVar(&o.scheme, "scheme", crypto.DefaultScheme, "signature algorithm: ml-dsa-87, ml-dsa-65 or ml-dsa-44")
	f.BoolVar(&o.creator, "creator", false, "make a client's key that signs vertices")
	for _, name := range []string{"out", "chain-id"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flags were defined above
		}
	}
	cmd.MarkFlagsOneRequired("name", "creator")
	cmd.MarkFlagsMutuallyExclusive("name", "creator")
	return cmd
}

// generateCreator makes a client's key and prints what its vertices are to name.
func generateCreator(cmd *cobra.Command, o keysOptions) error {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return fmt.Errorf("make the key's folder: %w", err)
	}
	path := filepath.Join(o.dir, testnet.CreatorKeyFile)
	key, err := keyfile.GenerateCreator(path, o.scheme, o.chainID)
	if errors.Is(err, fs.ErrExist) {
		return hint(err, "choose another folder with --out")
	} else if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "made %s\n", path)
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "creator %x\n", messages.NewCreatorID(o.scheme, key.Public().Bytes()))
	return err
}

// generateKeys makes both keys or, as far as it can, none.
func generateKeys(o keysOptions) (*messages.Member, error) {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the keys' folder: %w", err)
	}
	consensusPath, channelPath := filepath.Join(o.dir, testnet.ConsensusKeyFile), filepath.Join(o.dir, testnet.ChannelKeyFile)
	for _, path := range []string{consensusPath, channelPath} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return nil, hint(fmt.Errorf("%s is there already: keys are never overwritten", path), "choose another folder with --out")
		}
	}
	key, err := keyfile.GenerateConsensus(consensusPath, o.scheme, o.chainID)
	if err != nil {
		return nil, err
	}
	channel, err := keyfile.GenerateChannel(channelPath, o.chainID)
	if err != nil {
		return nil, errors.Join(err, os.Remove(consensusPath), keyfile.MarkUsed(consensusPath))
	}
	m := &messages.Member{Name: o.name, PublicKey: key.Public().Bytes(), ChannelKey: channel.Public().(ed25519.PublicKey)}
	m.ChannelSignature, err = key.Sign(crypto.PurposeGenesis, messages.ChannelBinding(o.chainID, m.Name, m.PublicKey, m.ChannelKey))
	if err != nil {
		return nil, errors.Join(err, os.Remove(consensusPath), keyfile.MarkUsed(consensusPath), os.Remove(channelPath))
	}
	return m, nil
}

// shownKey is what is said of a key file.
type shownKey struct {
	File        string            `json:"file"`
	Purpose     string            `json:"purpose"`
	Scheme      string            `json:"scheme"`
	ChainID     string            `json:"chain_id"`
	Fingerprint messages.MemberID `json:"fingerprint"`
}

func newKeysShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show FILE...",
		Short:   "Show what key files are for, without their secrets",
		Example: "  replica keys show net/replica-0/*.key",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, paths []string) error {
			var keys []shownKey
			for _, path := range paths {
				d, err := keyfile.Describe(path)
				if err != nil {
					return err
				}
				keys = append(keys, shownKey{path, d.Purpose, d.Scheme, d.ChainID, d.Fingerprint})
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(keys)
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "purpose\tscheme\tchain\tfingerprint\tfile")
			for _, k := range keys {
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", k.Purpose, k.Scheme, k.ChainID, k.Fingerprint.Hex(), k.File)
			}
			return table.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}
