package floor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
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

func openJournal(path string, size int64, sync bool) (*journal, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("make a journal: %w", err)
	}
	zeros := make([]byte, fillBytes)
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

// write makes a group durable and says how many bytes that took.
func (j *journal) write(records [][]byte) (int, error) {
	j.number++
	b := j.buf[:0]
	b = append(b, make([]byte, headerBytes)...)
	for _, r := range records {
		b = append(b, r...)
	}
	binary.BigEndian.PutUint64(b, j.number)
	binary.BigEndian.PutUint64(b[8:], uint64(len(b)))
	binary.BigEndian.PutUint32(b[16:], crc32.Checksum(b[headerBytes:], castagnoli))
	if over := len(b) % pageBytes; over > 0 {
		b = append(b, make([]byte, pageBytes-over)...)
	}
	j.buf = b
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
