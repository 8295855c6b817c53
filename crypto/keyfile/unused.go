package keyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// unusedSuffix names the file beside a new consensus key that says that the key
// has never signed a vote. A replica that finds nothing on its disk cannot know
// whether it voted and forgot, and would have to wait long before it votes.
const unusedSuffix = ".unused"

// unusedText is for whoever finds the file.
const unusedText = `The key beside this file has never signed a vote. The first start of its replica
removes this file; never make it again, whatever was lost: the replica would vote a
second time on what it has forgotten.
`

// IsUnused reports whether the consensus key at path has never signed.
func IsUnused(path string) (bool, error) {
	switch _, err := os.Lstat(path + unusedSuffix); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look whether a key is unused: %w", err)
	}
	return true, nil
}

// MarkUsed makes IsUnused false for ever, durably.
func MarkUsed(path string) error {
	switch err := os.Remove(path + unusedSuffix); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("mark a key as used: %w", err)
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return fmt.Errorf("mark a key as used: %w", err)
	}
	return nil
}

// markUnused is called when a key was made.
func markUnused(path string) error {
	if err := writeNew(path+unusedSuffix, []byte(unusedText)); err != nil {
		return fmt.Errorf("mark a key as unused: %w", err)
	}
	return nil
}
