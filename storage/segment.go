package storage

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"sync"
)

// JournalFormat is the version of the journal's format that this release writes, and
// the newest it reads.
const JournalFormat = formatVersion

const (
	formatVersion = 1

	headerMagic  = "CRETOJNL"
	summaryMagic = "CRETOEND"

	segmentSuffix = ".seg"
	spareSuffix   = ".spare"
	fillingName   = "filling.tmp" // the segment that is being prepared
)

// SegmentInfo describes one segment of a journal.
type SegmentInfo struct {
	ID uint64
	// FirstGroup and LastGroup are its groups; 0 if it has none.
	FirstGroup, LastGroup uint64
	// FirstSeq and LastSeq are the lowest and the highest Seq of its records,
	// leaving Seq 0 aside; 0 if it has none.
	FirstSeq, LastSeq uint64
	// Bytes is what its groups take, in whole pages.
	Bytes int64
	// Closed says that no group will be added.
	Closed bool
}

// segment is a file of a journal. Its header never changes; info is guarded by
// Journal.mu.
type segment struct {
	id   uint64
	path string
	seal seal
	size int64 // of the file, as its header says
	info SegmentInfo

	// pin is held for reading by whoever reads the file, and taken for good by
	// Release before the file gets another use.
	pin sync.RWMutex
}

// limit is where frames must end: the last page is the summary's.
func (s *segment) limit() int64 { return s.size - pageBytes }

// end is where the next frame goes.
func (s *segment) end() int64 { return pageBytes + s.info.Bytes }

// add notes a group that was found or written at the end.
func (s *segment) add(group uint64, size int64) {
	if s.info.FirstGroup == 0 {
		s.info.FirstGroup = group
	}
	s.info.LastGroup = group
	s.info.Bytes += size
}

// addSeq notes a record's sequence number.
func (s *segment) addSeq(seq uint64) {
	if seq == 0 {
		return
	}
	if s.info.FirstSeq == 0 || seq < s.info.FirstSeq {
		s.info.FirstSeq = seq
	}
	s.info.LastSeq = max(s.info.LastSeq, seq)
}

func segmentName(id uint64) string { return fmt.Sprintf("%020d%s", id, segmentSuffix) }
func spareName(id uint64) string   { return fmt.Sprintf("%020d%s", id, spareSuffix) }

// parseName is the inverse of segmentName and spareName.
func parseName(name, suffix string) (id uint64, ok bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	id, err := strconv.ParseUint(digits, 10, 64)
	return id, err == nil && id > 0
}

// encodeHeader gives a segment's first page. Magic, CRC and version keep their
// places in every version of the format.
func encodeHeader(segment, salt uint64, size int64, id Identity) []byte {
	b := make([]byte, pageBytes)
	copy(b, headerMagic)
	binary.BigEndian.PutUint32(b[12:], formatVersion)
	binary.BigEndian.PutUint64(b[16:], segment)
	binary.BigEndian.PutUint64(b[24:], salt)
	binary.BigEndian.PutUint64(b[32:], uint64(size))
	copy(b[40:], id.Chain[:])
	copy(b[72:], id.Member[:])
	sealHeader(b)
	return b
}

func sealHeader(b []byte) { binary.BigEndian.PutUint32(b[8:], crc32.Checksum(b[12:], castagnoli)) }

// headerIdentity is whose journal a segment says it is of.
func headerIdentity(b []byte) Identity {
	return Identity{Chain: [32]byte(b[40:72]), Member: [32]byte(b[72:104])}
}

// decodeHeader checks a segment's first page against its name and its owner. A
// header is durable before its file gets a segment's name, so a bad one is
// never a power cut's work.
func decodeHeader(b []byte, path string, segment uint64, want Identity) (seal, int64, error) {
	damaged := func(reason string) (seal, int64, error) {
		return seal{}, 0, &CorruptionError{Path: path, Segment: segment, Reason: reason}
	}
	if len(b) < pageBytes {
		return damaged("the file is too short for a segment's header")
	}
	if string(b[:8]) != headerMagic {
		return damaged("the file does not begin like a segment")
	}
	if binary.BigEndian.Uint32(b[8:]) != crc32.Checksum(b[12:pageBytes], castagnoli) {
		return damaged("the segment's header fails its checksum")
	}
	if version := binary.BigEndian.Uint32(b[12:]); version != formatVersion {
		return seal{}, 0, &VersionError{Path: path, Version: version, Newest: formatVersion}
	}
	got := headerIdentity(b)
	if got.Chain != want.Chain {
		return seal{}, 0, &IdentityError{Path: path, Field: "chain", Want: want.Chain, Got: got.Chain}
	}
	if got.Member != want.Member {
		return seal{}, 0, &IdentityError{Path: path, Field: "member", Want: want.Member, Got: got.Member}
	}
	if id := binary.BigEndian.Uint64(b[16:]); id != segment {
		return damaged(fmt.Sprintf("its header is that of segment %d: a file was renamed or copied", id))
	}
	size := binary.BigEndian.Uint64(b[32:])
	if size < segmentBytesMin || size > segmentBytesMax || size%pageBytes != 0 {
		return damaged(fmt.Sprintf("its header claims an impossible size of %d bytes", size))
	}
	return newSeal(segment, binary.BigEndian.Uint64(b[24:])), int64(size), nil
}

// encodeSummary gives the last page of a closed segment.
func encodeSummary(s *segment) []byte {
	b := pages(pageBytes)
	copy(b, summaryMagic)
	for i, v := range []uint64{
		s.info.FirstGroup, s.info.LastGroup, s.info.FirstSeq, s.info.LastSeq, uint64(s.info.Bytes),
	} {
		binary.BigEndian.PutUint64(b[16+8*i:], v)
	}
	binary.BigEndian.PutUint32(b[8:], s.seal.crc(b[12:]))
	return b
}

// decodeSummary fills in s.info and reports whether b is the summary of s. If
// not, the segment is open, or its summary was lost, which costs a scan.
func decodeSummary(b []byte, s *segment) bool {
	if len(b) < pageBytes || string(b[:8]) != summaryMagic || binary.BigEndian.Uint32(b[8:]) != s.seal.crc(b[12:pageBytes]) {
		return false
	}
	field := func(i int) uint64 { return binary.BigEndian.Uint64(b[16+8*i:]) }
	s.info = SegmentInfo{
		ID: s.id, FirstGroup: field(0), LastGroup: field(1), FirstSeq: field(2), LastSeq: field(3),
		Bytes: int64(field(4)), Closed: true,
	}
	return true
}
