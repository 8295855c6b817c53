package testnet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// NotEmptyError says that there is something already where a network was to be
// made. Nothing was touched.
type NotEmptyError struct{ Dir string }

func (e *NotEmptyError) Error() string {
	return fmt.Sprintf("%s is not an empty folder: choose another one, or remove it with all keys in it", e.Dir)
}

// claim makes dir, or takes it if it is empty. The undo it returns removes
// everything that is in dir since, and with it the folders that were made.
func claim(dir string) (undo func() error, err error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return makeFolder(dir)
	case err != nil:
		if info, statErr := os.Stat(dir); statErr == nil && !info.IsDir() {
			return nil, &NotEmptyError{dir}
		}
		return nil, err
	case len(entries) > 0:
		return nil, &NotEmptyError{dir}
	}
	return func() error { return empty(dir) }, nil
}

// makeFolder makes dir and the folders above it that are missing, and undoes
// just that.
func makeFolder(dir string) (undo func() error, err error) {
	first := filepath.Clean(dir)
	for parent := filepath.Dir(first); parent != first; parent = filepath.Dir(first) {
		if _, err := os.Lstat(parent); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		first = parent
	}
	undo = func() error { return os.RemoveAll(first) }
	if err := os.MkdirAll(dir, 0o755); err != nil { // no secrets here, but in the replicas' folders
		return nil, errors.Join(err, undo())
	}
	return undo, nil
}

// empty removes what is in a folder and keeps the folder.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	errs := []error{err}
	for _, e := range entries {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return errors.Join(errs...)
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
