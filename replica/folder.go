package replica

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/storage"
)

// folder is a replica's home, locked and open.
type folder struct {
	lock    io.Closer
	journal *storage.Journal
	state   *storage.State
}

func openFolder(fs vfs.FS, home string, id storage.Identity, o storage.Options) (f *folder, err error) {
	if err := fs.MkdirAll(home, 0o700); err != nil {
		return nil, fmt.Errorf("make the home folder %s: %w", home, err)
	}
	f = &folder{}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
			f = nil
		}
	}()
	if f.lock, err = storage.LockFolderOn(fs, home); err != nil {
		return f, err
	}
	o.FS = fs
	if f.journal, err = storage.OpenJournal(filepath.Join(home, "journal"), id, o); err != nil {
		return f, fmt.Errorf("open the journal: %w", err)
	}
	if f.state, err = storage.OpenState(filepath.Join(home, "state"), fs); err != nil {
		return f, fmt.Errorf("open the state store: %w", err)
	}
	return f, nil
}

// openToRead opens the folder of a replica that is not running, without changing what
// is in it.
func openToRead(fs vfs.FS, home string, id storage.Identity, lock func() (io.Closer, error)) (f *folder, err error) {
	f = &folder{}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
			f = nil
		}
	}()
	if f.lock, err = lock(); err != nil {
		return f, err
	}
	if f.journal, err = storage.OpenJournal(filepath.Join(home, "journal"), id, storage.Options{FS: fs, ReadOnly: true}); err != nil {
		return f, fmt.Errorf("open the journal: %w", err)
	}
	if f.state, err = storage.OpenStateReadOnly(filepath.Join(home, "state"), fs); err != nil {
		return f, fmt.Errorf("open the state store: %w", err)
	}
	return f, nil
}

// Close closes what is open, the lock last.
func (f *folder) Close() error {
	var errs []error
	if f.state != nil {
		errs = append(errs, f.state.Close())
	}
	if f.journal != nil {
		errs = append(errs, f.journal.Close())
	}
	if f.lock != nil {
		errs = append(errs, f.lock.Close())
	}
	return errors.Join(errs...)
}
