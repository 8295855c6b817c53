package storage

import (
	"errors"
	"io/fs"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// makeFolder creates dir with its missing parents, and makes their entries
// durable: a folder whose entry is lost takes its flushed files with it. Each
// entry is flushed before the next folder is made in it, so that after a kill
// only the entry of the lowest existing one is in doubt.
func makeFolder(fsys vfs.FS, dir string) error {
	parent := fsys.PathDir(dir)
	_, err := fsys.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := makeFolder(fsys, parent); err != nil {
			return err
		}
		if err := fsys.MkdirAll(dir, 0o755); err != nil {
			return wrap(err, "create folder %s", dir)
		}
		return syncFolder(fsys, parent)
	}
	if err != nil {
		return wrap(err, "look at folder %s", dir)
	}
	if err := syncFolder(fsys, parent); !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil // a parent that is not ours to read is not one we made entries in
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
