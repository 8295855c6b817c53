package storage

import (
	"errors"
	"fmt"
	"io"
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
	lockModeEnv   = "STORAGE_TEST_LOCK_MODE"
	lockChildHeld = 3
)

// lockChild is what the test binary does in place of tests when it is started as
// the second process on a folder.
func lockChild(dir string) int {
	take := LockFolder
	switch os.Getenv(lockModeEnv) {
	case "look":
		take = func(dir string) (io.Closer, error) {
			held, err := FolderHeld(dir)
			if held {
				err = ErrLocked
			}
			return io.NopCloser(nil), err
		}
	case "share":
		take = func(dir string) (io.Closer, error) {
			lock, err := shareLock(filepath.Join(dir, lockName))
			return lock, lockError(err, dir)
		}
	}
	lock, err := take(dir)
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

// Who only looks keeps nobody out, and sees who is in; in a folder that may not be
// written the lock is shared.
func TestWhoReadsSeesTheLock(t *testing.T) {
	dir := t.TempDir()
	child := func(mode string) int {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), lockChildEnv+"="+dir, lockModeEnv+"="+mode)
		out, err := cmd.CombinedOutput()
		if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
			t.Fatalf("%v: %s", err, out)
		}
		return cmd.ProcessState.ExitCode()
	}
	if held, err := FolderHeld(dir); held || err != nil {
		t.Errorf("a folder without a lock: %v, %v", held, err)
	}
	lock, err := LockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"look", "share"} {
		if code := child(mode); code != lockChildHeld {
			t.Errorf("%s: a lock that is held was not seen: exit code %d", mode, code)
		}
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"look", "share"} {
		if code := child(mode); code != 0 {
			t.Errorf("%s: after release: exit code %d", mode, code)
		}
	}
	shared, err := shareLock(filepath.Join(dir, lockName))
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	if code := child("share"); code != 0 {
		t.Errorf("two who read: exit code %d", code)
	}
	if code := child(""); code != lockChildHeld {
		t.Errorf("a replica starts while somebody reads: exit code %d", code)
	}
}
