package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// lockName is the file whose lock stands for the folder. It stays behind when
// the lock is released; the operating system releases it when a process dies.
const lockName = "replica.lock"

// LockFolder makes dir, if need be, and takes its exclusive lock until Close is
// called on it. If another replica holds it, in this process or in another, the
// error is ErrLocked.
func LockFolder(dir string) (io.Closer, error) { return LockFolderOn(vfs.Default, dir) }

// LockFolderOn is LockFolder on another file system.
func LockFolderOn(fsys vfs.FS, dir string) (io.Closer, error) {
	if err := makeFolder(fsys, dir); err != nil {
		return nil, err
	}
	path := fsys.PathJoin(dir, lockName)
	lock, err := fsys.Lock(path)
	return lock, lockError(err, dir)
}

// LockToReadOn is LockFolderOn for who only reads a folder that is there. If it may not
// be written, the lock that is there is shared with others who read.
func LockToReadOn(fsys vfs.FS, dir string) (io.Closer, error) {
	path := fsys.PathJoin(dir, lockName)
	lock, err := fsys.Lock(path)
	if errors.Is(err, fs.ErrPermission) && !isHeld(err) || errors.Is(err, syscall.EROFS) {
		if fsys != vfs.Default {
			return io.NopCloser(nil), nil // there is no other process on it
		}
		lock, err = shareLock(path)
	}
	return lock, lockError(err, dir)
}

// lockError says why a folder's lock was not taken.
func lockError(err error, dir string) error {
	if err != nil && isHeld(err) {
		return fmt.Errorf("folder %s is in use: %w", dir, ErrLocked)
	}
	return wrap(err, "lock %s", dir)
}

// isHeld tells a lock that somebody holds from a file that cannot be made or
// locked. The former is EAGAIN or EACCES from fcntl itself, or, if this very
// process holds it, an error of vfs with no errno at all.
func isHeld(err error) bool {
	var path *fs.PathError
	if errors.As(err, &path) {
		return false
	}
	var errno syscall.Errno
	return !errors.As(err, &errno) || errno == syscall.EAGAIN || errno == syscall.EACCES
}
