package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	lockChildEnv  = "STORAGE_TEST_LOCK_CHILD"
	lockChildHeld = 3
)

// lockChild is what the test binary does in place of tests when it is started as
// the second process on a folder.
func lockChild(dir string) int {
	lock, err := LockFolder(dir)
	if err != nil {
		fmt.Println(err)
		if errors.Is(err, ErrLocked) {
			return lockChildHeld
		}
		return 1
	}
	lock.Close()
	return 0
}

func TestLockFolderExcludesAnotherProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home", "replica-0")
	child := func() (int, string) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), lockChildEnv+"="+dir)
		out, err := cmd.Output()
		if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), string(out)
	}
	lock, err := LockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if code, text := child(); code != lockChildHeld || !strings.Contains(text, dir) {
		t.Errorf("second process: exit code %d, %q", code, text)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if code, text := child(); code != 0 {
		t.Errorf("after release: exit code %d, %q", code, text)
	}
}

func TestLockFolderExcludesThisProcess(t *testing.T) {
	for name, c := range map[string]struct {
		fs  vfs.FS
		dir string
	}{
		"disk":   {vfs.Default, t.TempDir()},
		"memory": {vfs.NewCrashableMem(), "/home"},
	} {
		t.Run(name, func(t *testing.T) {
			lock, err := LockFolderOn(c.fs, c.dir)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := LockFolderOn(c.fs, c.dir); !errors.Is(err, ErrLocked) {
				t.Errorf("second lock: %v", err)
			}
			if err := lock.Close(); err != nil {
				t.Fatal(err)
			}
			again, err := LockFolderOn(c.fs, c.dir)
			if err != nil {
				t.Fatal(err)
			}
			again.Close()
		})
	}
}

// A file that cannot be made is not a lock that somebody holds: the advice would
// be wrong.
func TestLockFolderTellsOtherFailures(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, lockName), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := LockFolder(dir)
	if path := new(fs.PathError); !errors.As(err, &path) || errors.Is(err, ErrLocked) {
		t.Errorf("got %v", err)
	}
}

func TestIsTmpfs(t *testing.T) {
	if _, err := os.Stat("/dev/shm"); err != nil {
		t.Skip("no /dev/shm here")
	}
	// A path that does not exist yet is judged by the folder above it.
	for _, path := range []string{"/dev/shm", "/dev/shm/not/there/yet"} {
		if is, err := IsTmpfs(path); err != nil || !is {
			t.Errorf("%s: %v, %v", path, is, err)
		}
	}
	if is, err := IsTmpfs("/proc"); err != nil || is {
		t.Errorf("/proc: %v, %v", is, err)
	}
}
