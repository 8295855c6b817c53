package keyfile

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cretoai/consensus/crypto"
)

// TestOnlyTheOwnerMayRead: every bit that others have is refused, with the
// command that takes it away.
func TestOnlyTheOwnerMayRead(t *testing.T) {
	consensus, channel := generated(t)
	for _, path := range []string{consensus, channel} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode(); mode != 0o600 {
			t.Errorf("%s is made with mode %v, not 0600", filepath.Base(path), mode)
		}
	}
	for _, mode := range []fs.FileMode{0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o644, 0o666, 0o777} {
		for path, load := range map[string]func() error{
			consensus: func() error { _, err := LoadConsensus(consensus, "test"); return err },
			channel:   func() error { _, err := LoadChannel(channel, "test"); return err },
		} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			checkRefusal(t, fmt.Sprintf("mode %v", mode), path, load(), "run: chmod 600 "+path)
			if _, err := Describe(path); err == nil {
				t.Errorf("mode %v: described", mode)
			}
		}
	}
	for _, mode := range []fs.FileMode{0o600, 0o400} {
		if err := os.Chmod(consensus, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadConsensus(consensus, "test"); err != nil {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
}

// TestLinksAreFollowed, as secrets are often mounted; what counts is the mode
// of the file itself.
func TestLinksAreFollowed(t *testing.T) {
	path, _ := generated(t)
	link := path + ".link"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadConsensus(link, "test"); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := LoadConsensus(link, "test")
	checkRefusal(t, "a link to a file others may read", link, err, "chmod 600")
}

func TestNeverOverwrites(t *testing.T) {
	path, _ := generated(t)
	before := must(os.ReadFile(path))
	dangling := filepath.Join(t.TempDir(), "dangling.key")
	if err := os.Symlink(filepath.Join(t.TempDir(), "nothing"), dangling); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, taken := range []string{path, dangling, folder} {
		key, err := GenerateConsensus(taken, crypto.DefaultScheme, "test")
		if !errors.Is(err, fs.ErrExist) || key != nil || !strings.Contains(err.Error(), "never overwritten") {
			t.Errorf("%s is taken: got %v", filepath.Base(taken), err)
		}
		if channel, err := GenerateChannel(taken, "test"); !errors.Is(err, fs.ErrExist) || channel != nil {
			t.Errorf("%s is taken: got %v", filepath.Base(taken), err)
		}
	}
	if string(must(os.ReadFile(path))) != string(before) {
		t.Error("refused, and overwrote the key")
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 3 { // the two that were generated, and that one is unused
		t.Errorf("a copy of a seed is left behind: %v", left)
	}
}

// TestOneOfManyWins: of several that make the same file at once, one does, and
// its key is the one in the file.
func TestOneOfManyWins(t *testing.T) {
	path := filepath.Join(t.TempDir(), "channel.key")
	var wg sync.WaitGroup
	made := make(chan ed25519.PrivateKey, 8)
	for range cap(made) {
		wg.Go(func() {
			key, err := GenerateChannel(path, "test")
			if err == nil {
				made <- key
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(made) != 1 {
		t.Fatalf("%d of 8 made the same file", len(made))
	}
	if key := must(LoadChannel(path, "test")); !key.Equal(<-made) {
		t.Error("the file holds another key than was given out")
	}
}

func TestWriteReportsWhatFailed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "such", "folder", "x.key")
	if _, err := GenerateChannel(path, "test"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want that the folder of %s does not exist", err, path)
	}
}

func TestReadsRegularFilesOnly(t *testing.T) {
	folder := t.TempDir()
	_, err := LoadConsensus(folder, "test")
	checkRefusal(t, "a folder", folder, err, "no regular file")
	_, err = LoadConsensus(os.DevNull, "test")
	checkRefusal(t, "a device", os.DevNull, err, "no regular file")
}
