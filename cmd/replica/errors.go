package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/cmd/replica/local"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/testnet"
	"github.com/cretoai/consensus/storage"
)

// usageError is a command line that was wrong.
type usageError struct {
	cause   error
	command string
}

func (e *usageError) Error() string { return e.cause.Error() }
func (e *usageError) Unwrap() error { return e.cause }

func usage(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return &usageError{err, cmd.CommandPath()}
}

// hinted is an error with what to do about it.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }

func hint(err error, format string, args ...any) error {
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// complain prints an error, a line for each it is joined of, and a hint if there
// is one.
func complain(w io.Writer, err error) {
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			fmt.Fprintln(w, "replica: error:", line)
		}
	}
	if hint := hintOf(err); hint != "" {
		fmt.Fprintln(w, "replica: hint:", hint)
	}
}

// hintOf says what can be done about an error, unless its text does already.
func hintOf(err error) string {
	var (
		own       *hinted
		usage     *usageError
		notEmpty  *testnet.NotEmptyError
		notMember *replica.NotMemberError
		inMemory  *local.InMemoryError
	)
	switch {
	case errors.As(err, &own):
		return own.hint
	case errors.As(err, &usage):
		return fmt.Sprintf("run %q for the flags and an example", usage.command+" --help")
	case errors.As(err, &notEmpty):
		return "nothing was changed there"
	case errors.As(err, &notMember):
		return "every home folder has a key of its own: see crypto.key_path and node.genesis_path in node.toml"
	case errors.As(err, &inMemory):
		return "name a folder on a disk with --dir, or allow it with --allow-tmpfs"
	case errors.Is(err, storage.ErrLocked):
		return "a replica's folder belongs to one process at a time"
	case strings.Contains(err.Error(), syscall.EADDRINUSE.Error()): // the actor library passes on the text only
		return "another process listens there: stop it, or change network.listen or api.listen in node.toml"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: start the replica with \"replica start --home DIR\", or give its address with --api"
	case errors.Is(err, fs.ErrPermission):
		return "run as the user who owns the folder, or give that user access to it"
	case errors.Is(err, context.Canceled):
		return "the command was interrupted"
	}
	return ""
}
