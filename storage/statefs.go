package storage

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// stateFS has the state fail with the first write that fails. Pebble v2.1.7 panics, on a
// goroutine of its own, when it cannot end a file of values (sstable/blob: FileWriter.Close
// aborts what Finish has closed). So such a file swallows the error, and from then on no
// other file takes anything: a table that refers to those values never gets into the
// manifest, and what was durable before stays what it was.
type stateFS struct {
	vfs.FS
	state *State
}

const valuesSuffix = ".blob"

// Create implements vfs.FS. Pebble tries a flush that failed again at once, and for ever:
// it begins with a file, and gets its next refusal when the state is closed. Else it
// takes a processor from those who are to close it.
func (fs stateFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := fs.state.failed(); err != nil {
		fs.state.rest()
		return nil, err
	}
	f, err := fs.FS.Create(name, category)
	if err != nil {
		return nil, err
	}
	return &stateFile{File: f, state: fs.state, values: strings.HasSuffix(name, valuesSuffix)}, nil
}

// rest waits until the state is closed, once it is open: none of those who open or close
// it, or commit, creates a file by itself.
func (s *State) rest() {
	if s.opened.Load() {
		<-s.closing
	}
}

// Rename implements vfs.FS.
func (fs stateFS) Rename(from, to string) error {
	if err := fs.state.failed(); err != nil {
		return err
	}
	return fs.FS.Rename(from, to)
}

// Unwrap implements vfs.FS.
func (fs stateFS) Unwrap() vfs.FS { return fs.FS }

// stateFile is a file that the state writes.
type stateFile struct {
	vfs.File
	state  *State
	values bool // it has values alone
}

// write does something to the file, unless the state has failed.
func (f *stateFile) write(do func() error) error {
	err := f.state.failed()
	if err == nil {
		if err = do(); err == nil {
			return nil
		}
	}
	if !f.values {
		return err
	}
	f.state.fail(err)
	return nil
}

// Write implements vfs.File.
func (f *stateFile) Write(p []byte) (int, error) {
	n := len(p)
	err := f.write(func() (err error) { n, err = f.File.Write(p); return err })
	if err == nil {
		n = len(p) // what is swallowed counts as written
	}
	return n, err
}

// Sync implements vfs.File.
func (f *stateFile) Sync() error { return f.write(f.File.Sync) }

// SyncData implements vfs.File.
func (f *stateFile) SyncData() error { return f.write(f.File.SyncData) }

// SyncTo implements vfs.File.
func (f *stateFile) SyncTo(length int64) (full bool, err error) {
	err = f.write(func() error { full, err = f.File.SyncTo(length); return err })
	return full, err
}
