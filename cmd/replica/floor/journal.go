package floor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"unsafe"
)

const (
	pageBytes   = 4096
	fillBytes   = 1 << 20
	headerBytes = 32 // number 8 ‖ length 8 ‖ crc 4 ‖ zeros, as large as the journal's of a replica
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// journal is a file of zeros that groups are written to in whole pages, over and
// over from its beginning.
type journal struct {
	file   *os.File
	size   int64
	sync   bool
	number uint64
	at     int64
	buf    []byte
}

// openJournal makes one. What is flushed goes past the page cache if the file system
// lets it, as a replica's does, whatever an earlier floor left there.
func openJournal(path string, size int64, sync bool) (*journal, error) {
	file, err := createJournal(path, sync)
	if err != nil {
		return nil, fmt.Errorf("make a journal: %w", err)
	}
	zeros := pages(fillBytes)
	for range size / fillBytes {
		if _, err := file.Write(zeros); err != nil {
			return nil, errors.Join(fmt.Errorf("fill a journal: %w", err), file.Close())
		}
	}
	if err := file.Sync(); err != nil {
		return nil, errors.Join(fmt.Errorf("flush a journal: %w", err), file.Close())
	}
	return &journal{file: file, size: size, sync: sync}, nil
}

func createJournal(path string, sync bool) (*os.File, error) {
	if sync {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC|directFlag, 0o600)
		if err == nil {
			if _, err = file.WriteAt(pages(pageBytes), 0); err == nil {
				return file, nil
			}
			_ = file.Close()
		}
	}
	return os.Create(path)
}

var zeroPage [pageBytes]byte

// pages makes n bytes of zeros that begin on a page.
func pages(n int) []byte {
	b := make([]byte, n+pageBytes-1)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) % pageBytes
	return b[skip:][:n:n]
}

// write makes a group durable and says how many bytes that took.
func (j *journal) write(records [][]byte) (int, error) {
	j.number++
	size := headerBytes
	for _, r := range records {
		size += len(r)
	}
	size = (size + pageBytes - 1) &^ (pageBytes - 1)
	if cap(j.buf) < size {
		j.buf = pages(size)
	}
	b := j.buf[:headerBytes]
	clear(b)
	for _, r := range records {
		b = append(b, r...)
	}
	binary.BigEndian.PutUint64(b, j.number)
	binary.BigEndian.PutUint64(b[8:], uint64(len(b)))
	binary.BigEndian.PutUint32(b[16:], crc32.Checksum(b[headerBytes:], castagnoli))
	b = append(b, zeroPage[:size-len(b)]...)
	if j.at+int64(len(b)) > j.size {
		j.at = 0
	}
	if _, err := j.file.WriteAt(b, j.at); err != nil {
		return 0, fmt.Errorf("write the journal: %w", err)
	}
	j.at += int64(len(b))
	if j.sync {
		if err := flushData(j.file); err != nil {
			return 0, fmt.Errorf("flush the journal: %w", err)
		}
	}
	return len(b), nil
}

func (j *journal) close() error { return j.file.Close() }
