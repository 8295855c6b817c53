package storage

import (
	"encoding/binary"
	"hash/crc32"
	"iter"
)

const (
	// pageBytes is the unit in which disks and page caches write. Frames begin
	// on pages, so that no write touches a page of an earlier group.
	pageBytes = 4096

	frameHeaderBytes  = 32
	recordHeaderBytes = 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Record is one entry of a journal.
type Record struct {
	// Kind is the caller's; the journal only keeps it.
	Kind uint8
	// Seq is the sequence number the record is about; 0 if it is about none.
	Seq uint64
	// Data is not retained by AppendGroup. In Replay it is valid during the
	// call only.
	Data []byte
}

// Place says where a record's Data lies in a journal. The zero Place is none:
// segments are numbered from 1.
type Place struct {
	Segment        uint64
	Offset, Length uint32
}

// IsZero reports whether p is no place.
func (p Place) IsZero() bool { return p == Place{} }

// seal is what makes frames and records belong to one use of one segment.
type seal struct {
	salt uint64
	seed uint32 // initial CRC, of the segment's id and salt
}

func newSeal(segment, salt uint64) seal {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], segment)
	binary.BigEndian.PutUint64(b[8:], salt)
	return seal{salt: salt, seed: crc32.Checksum(b[:], castagnoli)}
}

func (s seal) crc(parts ...[]byte) uint32 {
	crc := s.seed
	for _, part := range parts {
		crc = crc32.Update(crc, castagnoli, part)
	}
	return crc
}

// frameBytes is the size of the frame for records, without the padding.
func frameBytes(records []Record) int64 {
	n := int64(frameHeaderBytes)
	for i := range records {
		n += recordHeaderBytes + int64(len(records[i].Data))
	}
	return n
}

// paddedBytes rounds up to whole pages.
func paddedBytes(n int64) int64 { return (n + pageBytes - 1) &^ (pageBytes - 1) }

// appendFrame appends the frame of records, padded to whole pages, to b.
func appendFrame(b []byte, s seal, group uint64, records []Record) []byte {
	start := len(b)
	length := frameBytes(records) - frameHeaderBytes
	b = binary.BigEndian.AppendUint64(b, s.salt)
	b = binary.BigEndian.AppendUint64(b, group)
	b = binary.BigEndian.AppendUint32(b, uint32(length))
	b = binary.BigEndian.AppendUint32(b, uint32(len(records)))
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	for i := range records {
		b = appendRecord(b, s, &records[i])
	}
	frame := b[start:]
	binary.BigEndian.PutUint32(frame[28:], frameCRC(s, frame))
	padding := paddedBytes(int64(len(frame))) - int64(len(frame))
	return append(b, zeroPage[:padding]...)
}

var zeroPage [pageBytes]byte

func appendRecord(b []byte, s seal, r *Record) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.Data)))
	b = binary.BigEndian.AppendUint64(b, r.Seq)
	b = append(b, r.Kind, 0, 0, 0)
	b = append(b, r.Data...)
	binary.BigEndian.PutUint32(b[start:], s.crc(b[start+4:]))
	return b
}

func frameCRC(s seal, frame []byte) uint32 {
	return s.crc(frame[:28], frame[frameHeaderBytes:])
}

// frame is a group as read from a segment.
type frame struct {
	group  uint64
	count  uint32
	length uint32 // of the records
	body   []byte // the records, once verified
}

// size is what the frame takes, padding included.
func (f frame) size() int64 { return paddedBytes(frameHeaderBytes + int64(f.length)) }

// decodeFrameHeader reports false if b does not begin with a frame of this
// seal. It checks nothing else.
func decodeFrameHeader(s seal, b []byte) (frame, bool) {
	if len(b) < frameHeaderBytes || binary.BigEndian.Uint64(b) != s.salt {
		return frame{}, false
	}
	return frame{
		group:  binary.BigEndian.Uint64(b[8:]),
		length: binary.BigEndian.Uint32(b[16:]),
		count:  binary.BigEndian.Uint32(b[20:]),
	}, true
}

// decodeFrame reports false unless b begins with a whole frame of this seal.
func decodeFrame(s seal, b []byte) (frame, bool) {
	f, ok := decodeFrameHeader(s, b)
	if !ok || int64(len(b)) < frameHeaderBytes+int64(f.length) {
		return frame{}, false
	}
	b = b[:frameHeaderBytes+int(f.length)]
	if binary.BigEndian.Uint32(b[28:]) != frameCRC(s, b) {
		return frame{}, false
	}
	f.body = b[frameHeaderBytes:]
	var count uint32
	var used int
	for at, r := range f.records() {
		count++
		used = at + len(r.Data)
	}
	if count != f.count || used != len(f.body) {
		return frame{}, false
	}
	return f, true
}

// records yields each record with the offset of its Data in the body. It stops
// where the body does not go on with a record.
func (f frame) records() iter.Seq2[int, Record] {
	return func(yield func(int, Record) bool) {
		for at := 0; len(f.body)-at >= recordHeaderBytes; {
			h := f.body[at:]
			length := int64(binary.BigEndian.Uint32(h[4:]))
			at += recordHeaderBytes
			if length > int64(len(f.body)-at) {
				return
			}
			end := at + int(length)
			r := Record{
				Kind: h[16],
				Seq:  binary.BigEndian.Uint64(h[8:]),
				Data: f.body[at:end:end],
			}
			if !yield(at, r) {
				return
			}
			at = end
		}
	}
}

// decodeRecord gives the data of b, one record with its header, or false if its
// length or its CRC is wrong.
func decodeRecord(s seal, b []byte) ([]byte, bool) {
	if len(b) < recordHeaderBytes ||
		int64(binary.BigEndian.Uint32(b[4:])) != int64(len(b)-recordHeaderBytes) ||
		binary.BigEndian.Uint32(b) != s.crc(b[4:]) {
		return nil, false
	}
	return b[recordHeaderBytes:], true
}
