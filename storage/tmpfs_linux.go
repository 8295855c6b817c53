package storage

import (
	"errors"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// IsTmpfs reports whether path, or if it does not exist yet the folder it would
// be made in, is on a file system that lives in memory, where a flush is worth
// nothing. It knows only Linux's and reports false elsewhere.
func IsTmpfs(path string) (bool, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return false, wrap(err, "find the file system of a relative path")
	}
	for {
		var stat unix.Statfs_t
		err := unix.Statfs(path, &stat)
		if err == nil {
			kind := int64(stat.Type)
			return kind == unix.TMPFS_MAGIC || kind == unix.RAMFS_MAGIC, nil
		}
		parent := filepath.Dir(path)
		if !errors.Is(err, unix.ENOENT) || parent == path {
			return false, wrap(err, "find the file system of %s", path)
		}
		path = parent
	}
}
