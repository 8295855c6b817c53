package storage

import (
	"errors"
	"io/fs"
	"syscall"
	"unsafe"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// segmentFile is a segment, open for writing whole pages.
type segmentFile interface {
	Write(b []byte) (int, error)
	WriteAt(b []byte, offset int64) (int, error)
	SyncData() error
	Sync() error
	Close() error
}

// openSegment opens a segment for its groups.
func (j *Journal) openSegment(path string) (segmentFile, error) {
	if j.direct {
		return openDirect(path, false)
	}
	return j.o.FS.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
}

// createSegment makes a file for zeros.
func (j *Journal) createSegment(path string) (segmentFile, error) {
	if j.direct {
		return openDirect(path, true)
	}
	return j.o.FS.Create(path, vfs.WriteCategoryUnspecified)
}

// Direct reports whether the journal writes past the page cache. What it writes is
// read again after a crash or by who lags far behind, so keeping it in memory
// serves nobody, and making room there for hundreds of megabytes a second costs more
// than the writing: a seventh of all processor time under load, in a virtual machine
// whose memory is not all backed by its host. Where the file system does not offer it, where
// groups are not flushed, and in file systems other than the operating system's, it
// writes by way of the cache.
func (j *Journal) Direct() bool { return j.direct }

// probeDirect finds out whether files can be written past the page cache here, by
// writing one: some file systems refuse such a file, others the first write to it.
func (j *Journal) probeDirect() (bool, error) {
	if j.o.FS != vfs.Default || j.o.Sync != SyncAlways {
		return false, nil
	}
	path := j.o.FS.PathJoin(j.dir, fillingName) // removed by the next start, if this one is killed
	refused := tryDirect(path)
	if err := j.o.FS.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, wrap(err, "remove %s", path)
	}
	return refused == nil, nil
}

// tryDirect writes a page to a new file past the page cache. A full disk is no
// refusal.
func tryDirect(path string) error {
	file, err := openDirect(path, true)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(pages(pageBytes), 0)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = nil
	}
	return errors.Join(err, file.Close())
}

// pages makes n bytes of zeros, a whole number of pages, that begin on a page: what
// is written past the page cache goes to the disk from where it lies.
func pages(n int64) []byte {
	b := make([]byte, n+pageBytes-1)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) % pageBytes
	return b[skip : skip+uintptr(n) : skip+uintptr(n)]
}
