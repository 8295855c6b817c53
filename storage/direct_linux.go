package storage

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// directFile is a file whose writes go past the page cache. Offsets, lengths and the
// memory written from are to be multiples of a page.
type directFile struct{ *os.File }

// openDirect opens a file, or makes it anew.
func openDirect(path string, create bool) (segmentFile, error) {
	flags := os.O_RDWR | unix.O_DIRECT
	if create {
		flags |= os.O_CREATE | os.O_TRUNC
	}
	file, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	return directFile{file}, nil
}

// SyncData makes what was written durable: past the page cache it reaches the disk,
// but that has a cache, too. Times of the file are not flushed.
func (f directFile) SyncData() error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
