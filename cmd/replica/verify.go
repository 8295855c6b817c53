package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/messages"
)

func newVerifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Judge what a replica handed out, with the genesis file alone",
		Args:  knownVerb,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newVerifyEvidenceCommand(), newVerifyReceiptCommand())
	return cmd
}

func readGenesis(path string) (*messages.Genesis, error) {
	data, err := readBounded(path, messages.GenesisBytesMax)
	if err != nil {
		return nil, err
	}
	genesis, err := messages.ParseGenesis(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return genesis, nil
}

// readBounded reads a file that holds at most so many bytes.
func readBounded(path string, bytesMax int64) (data []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if data, err = io.ReadAll(io.LimitReader(f, bytesMax+1)); err != nil {
		return nil, err
	}
	if int64(len(data)) > bytesMax {
		return nil, fmt.Errorf("%s has more than %d bytes", path, bytesMax)
	}
	return data, nil
}
