//go:build unix

package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// FolderHeld reports whether another process holds the lock of dir. It changes
// nothing and keeps nobody from taking the lock. A process that holds the lock itself
// must not ask: it would lose it.
func FolderHeld(dir string) (bool, error) {
	file, err := os.Open(filepath.Join(dir, lockName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, wrap(err, "look at the lock of %s", dir)
	}
	defer file.Close()
	lock := unix.Flock_t{Type: unix.F_RDLCK, Whence: io.SeekStart}
	if err := unix.FcntlFlock(file.Fd(), unix.F_GETLK, &lock); err != nil {
		return false, wrap(err, "look at the lock of %s", dir)
	}
	return lock.Type != unix.F_UNLCK, nil
}

// shareLock takes the lock of a folder that this process may not write, together with
// others who read. Without the file nobody has ever run there.
func shareLock(path string) (io.Closer, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return io.NopCloser(nil), nil
	}
	if err != nil {
		return nil, err
	}
	lock := unix.Flock_t{Type: unix.F_RDLCK, Whence: io.SeekStart}
	if err := unix.FcntlFlock(file.Fd(), unix.F_SETLK, &lock); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
