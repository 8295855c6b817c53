package storage

import (
	"errors"
	"io/fs"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// makeFolder creates dir with its missing parents, and makes their entries
// durable: a folder whose entry is lost takes its flushed files with it.
func makeFolder(fsys vfs.FS, dir string) error {
	var missing []string
	for at := dir; ; at = fsys.PathDir(at) {
		if _, err := fsys.Stat(at); err == nil {
			break
		} else if !errors.Is(err, fs.ErrNotExist) {
			return wrap(err, "look at folder %s", at)
		}
		if parent := fsys.PathDir(at); parent == at {
			break
		}
		missing = append(missing, at)
	}
	if err := fsys.MkdirAll(dir, 0o755); err != nil {
		return wrap(err, "create folder %s", dir)
	}
	for _, made := range missing {
		if err := syncFolder(fsys, fsys.PathDir(made)); err != nil {
			return err
		}
	}
	return nil
}

// syncFolder makes the names in dir durable.
func syncFolder(fsys vfs.FS, dir string) error {
	folder, err := fsys.OpenDir(dir)
	if err != nil {
		return wrap(err, "open folder %s", dir)
	}
	if err := folder.Sync(); err != nil {
		folder.Close()
		return wrap(err, "flush folder %s", dir)
	}
	return wrap(folder.Close(), "close folder %s", dir)
}
