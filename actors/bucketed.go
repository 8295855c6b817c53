package actors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
)

// Bucketed is a StateMachine whose state lies in numbered buckets; replica.Bucketed
// says what is asked of it.
type Bucketed interface {
	StateMachine
	Buckets() int
	Changed() []int
	Bucket(i int) []byte
	RestoreBuckets(iter.Seq2[int, []byte]) error
}

// WriteBuckets writes all buckets as a snapshot: for each that is not empty,
// ascending, its number 4 ‖ bytes 8 ‖ the bytes, big-endian; then 0xffffffff.
func WriteBuckets(w io.Writer, b Bucketed) error {
	for i := range b.Buckets() {
		data := b.Bucket(i)
		if len(data) == 0 {
			continue
		}
		header := binary.BigEndian.AppendUint32(nil, uint32(i))
		header = binary.BigEndian.AppendUint64(header, uint64(len(data)))
		if _, err := w.Write(header); err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	_, err := w.Write(binary.BigEndian.AppendUint32(nil, bucketsEnd))
	return err
}

const (
	bucketsEnd = math.MaxUint32
	// bucketBytesMax bounds what is believed of a bucket's length before its bytes
	// are there.
	bucketBytesMax = 1 << 32
)

// ReadBuckets restores the state from what WriteBuckets wrote.
func ReadBuckets(r io.Reader, into Bucketed) error {
	var failed error
	err := into.RestoreBuckets(func(yield func(int, []byte) bool) {
		failed = readBuckets(r, into.Buckets(), yield)
	})
	return errors.Join(failed, err)
}

func readBuckets(r io.Reader, count int, yield func(int, []byte) bool) error {
	var number [4]byte
	var length [8]byte
	for last := -1; ; {
		if _, err := io.ReadFull(r, number[:]); err != nil {
			return fmt.Errorf("read a snapshot: %w", err)
		}
		i := binary.BigEndian.Uint32(number[:])
		if i == bucketsEnd {
			if n, err := io.ReadFull(r, number[:1]); n != 0 || !errors.Is(err, io.EOF) {
				return errors.New("read a snapshot: something follows its end")
			}
			return nil
		}
		if uint64(i) >= uint64(count) || int(i) <= last {
			return fmt.Errorf("read a snapshot: bucket %d of %d after %d", i, count, last)
		}
		last = int(i)
		if _, err := io.ReadFull(r, length[:]); err != nil {
			return fmt.Errorf("read a snapshot: %w", err)
		}
		n := binary.BigEndian.Uint64(length[:])
		if n == 0 || n > bucketBytesMax {
			return fmt.Errorf("read a snapshot: bucket %d of %d bytes", i, n)
		}
		data, err := io.ReadAll(io.LimitReader(r, int64(n))) // allocates what is there
		if err != nil {
			return fmt.Errorf("read a snapshot: %w", err)
		}
		if uint64(len(data)) != n {
			return fmt.Errorf("read a snapshot: bucket %d is cut off: %w", i, io.ErrUnexpectedEOF)
		}
		if !yield(last, data) {
			return nil // the state refused it, and says why
		}
	}
}
