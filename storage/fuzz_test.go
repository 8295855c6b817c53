package storage

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// reseal makes the frame at the front of b pass for one of s as far as salt and
// CRC go, so that fuzzing gets behind them.
func reseal(s seal, b []byte) {
	if len(b) < frameHeaderBytes {
		return
	}
	binary.BigEndian.PutUint64(b, s.salt)
	end := frameHeaderBytes + int64(binary.BigEndian.Uint32(b[16:]))
	if end <= int64(len(b)) {
		binary.BigEndian.PutUint32(b[28:], frameCRC(s, b[:end]))
	}
}

// FuzzDecodeFrame: a frame that decodes says what an encoded one says.
func FuzzDecodeFrame(f *testing.F) {
	s := newSeal(1, 3)
	f.Add(appendFrame(nil, s, 7, group(7, 3, 50)), false)
	f.Add(appendFrame(nil, s, 1, nil), true)
	f.Add(slices.Repeat([]byte{0xff}, 100), true)
	f.Fuzz(func(t *testing.T, b []byte, sealed bool) {
		b = slices.Clone(b)
		if sealed {
			reseal(s, b)
		}
		frame, ok := decodeFrame(s, b)
		if !ok {
			return
		}
		var records []Record
		for at, r := range frame.records() {
			if !slices.Equal(frame.body[at:at+len(r.Data)], r.Data) {
				t.Fatal("a record is not where it is said to be")
			}
			records = append(records, r)
		}
		encoded := appendFrame(nil, s, frame.group, records)
		if int64(len(encoded)) != frame.size() {
			t.Fatalf("a frame of %d bytes is encoded in %d", frame.size(), len(encoded))
		}
		again, ok := decodeFrame(s, encoded)
		if !ok || again.group != frame.group || again.count != frame.count {
			t.Fatal("what was decoded, then encoded, does not decode to the same")
		}
		for at, r := range again.records() {
			want := records[0]
			if records = records[1:]; r.Kind != want.Kind || r.Seq != want.Seq || !slices.Equal(r.Data, want.Data) {
				t.Fatalf("the record at %d came back different", at)
			}
		}
	})
}

// FuzzOpenJournal: whatever stands in a segment, the journal is refused as
// corrupt, or it opens and holds groups in order, takes one more and has it
// when it is opened again. Each set bit of sealed makes a page begin with a
// frame that is right as to salt and CRC.
func FuzzOpenJournal(f *testing.F) {
	s := newSeal(1, 3)
	header := encodeHeader(1, s.salt, segmentBytesTest, alice)
	area := func(frames ...[]byte) []byte { return slices.Concat(frames...) }
	one, two := appendFrame(nil, s, 1, group(1, 2, 90)), appendFrame(nil, s, 2, group(2, 1, 10))
	f.Add(area(one, two), uint8(0))
	f.Add(area(one, zeroPage[:], two), uint8(0))
	f.Add(area(two, one), uint8(0))
	f.Add(slices.Repeat([]byte{0xff}, 3*pageBytes), uint8(7))
	f.Fuzz(func(t *testing.T, area []byte, sealed uint8) {
		file := make([]byte, segmentBytesTest)
		copy(file[pageBytes:], area)
		copy(file, header)
		for page := 1; page < segmentBytesTest/pageBytes; page++ {
			if sealed&(1<<(page-1)) != 0 {
				reseal(s, file[page*pageBytes:segmentBytesTest-pageBytes])
			}
		}
		fs := (image{segmentName(1): file}).disk(t)
		open := func() (*Journal, []written, error) { return openWritten(fs) }
		j, groups, err := open()
		if corruption := new(CorruptionError); err != nil {
			if !errors.As(err, &corruption) {
				t.Fatal(err)
			}
			return
		}
		next := uint64(1)
		for _, info := range j.Segments() {
			next = info.LastGroup + 1
		}
		if _, err := j.AppendGroup(group(99, 1, 100)); err != nil {
			t.Fatal(err)
		}
		j.Close()
		j, after, err := open()
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		if n := len(after); n != len(groups)+1 || after[n-1].group != next {
			t.Fatalf("%d groups, then %d, and the new one is not number %d", len(groups), n, next)
		}
		checkGroups(t, after[:len(groups)], groups)
	})
}

func openWritten(fs vfs.FS) (*Journal, []written, error) {
	j, err := OpenJournal(journalDir, alice, Options{FS: fs, SegmentBytes: segmentBytesTest})
	if err != nil {
		return nil, nil, err
	}
	groups, err := replayed(j, 0)
	if err != nil {
		j.Close()
		return nil, nil, err
	}
	return j, groups, nil
}
