package keyfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/cretoai/consensus/crypto"
)

func TestD4_AKeyIsUnusedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "consensus.key")
	if _, err := GenerateConsensus(path, crypto.DefaultScheme, "test"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // asking changes nothing
		if unused, err := IsUnused(path); err != nil || !unused {
			t.Fatalf("a new key: unused %v, %v", unused, err)
		}
	}
	for range 2 { // a second start finds nothing to do
		if err := MarkUsed(path); err != nil {
			t.Fatal(err)
		}
		if unused, err := IsUnused(path); err != nil || unused {
			t.Fatalf("a used key: unused %v, %v", unused, err)
		}
	}
	if _, err := LoadConsensus(path, "test"); err != nil {
		t.Error(err)
	}
}

// A word left by a key that is gone must not vouch for the next one.
func TestD4_AnotherKeysWordIsNotTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "consensus.key")
	if err := os.WriteFile(path+unusedSuffix, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := GenerateConsensus(path, crypto.DefaultScheme, "test"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want that the file is there", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("refused, and left a key: %v", err)
	}
}
