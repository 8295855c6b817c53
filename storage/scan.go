package storage

import (
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// segmentEnd is where the scan of a segment ended.
type segmentEnd struct {
	seg  *segment
	last int64 // offset of the last group; 0 if it is not known or there is none
	torn bool  // the header of a damaged group follows
}

// scanAll finds each segment's groups and checks that they follow each other.
func (j *Journal) scanAll(all []*segment) ([]segmentEnd, error) {
	var ends []segmentEnd
	group := uint64(0) // the last one seen
	for _, seg := range all {
		end, err := j.scan(seg, group, seg.id == 1)
		if err != nil {
			return nil, err
		}
		if n := len(ends); n > 0 && ends[n-1].seg.info.LastGroup == 0 && seg.info.LastGroup != 0 {
			empty := ends[n-1].seg
			return nil, &CorruptionError{
				Path: empty.path, Segment: empty.id, Offset: pageBytes, Group: group + 1,
				Reason: fmt.Sprintf("it has no whole group, but segment %d has", seg.id),
			}
		}
		group = max(group, seg.info.LastGroup)
		ends = append(ends, end)
	}
	if len(all) > 0 && all[0].id > 1 && group == 0 {
		return nil, &CorruptionError{
			Path: all[0].path, Segment: all[0].id, Offset: pageBytes,
			Reason: "no group is left, but segments before it were released",
		}
	}
	return ends, nil
}

// scan finds the groups of seg, whose first must follow the group after, unless
// that is 0 and the segment is not the very first.
func (j *Journal) scan(seg *segment, after uint64, first bool) (segmentEnd, error) {
	end := segmentEnd{seg: seg}
	damaged := func(offset int64, group uint64, reason string) (segmentEnd, error) {
		return end, &CorruptionError{Path: seg.path, Segment: seg.id, Offset: offset, Group: group, Reason: reason}
	}
	follows := func(group uint64) bool { return group == after+1 || after == 0 && !first }

	summary, err := readPage(j.o.FS, seg.path, seg.limit())
	if err != nil {
		return end, err
	}
	if decodeSummary(summary, seg) {
		if !follows(seg.info.FirstGroup) {
			return damaged(pageBytes, after+1, fmt.Sprintf("the segment's first group is %d", seg.info.FirstGroup))
		}
		return end, nil
	}

	file, err := j.o.FS.Open(seg.path, vfs.SequentialReadsOption)
	if err != nil {
		return end, wrap(err, "open %s", seg.path)
	}
	defer file.Close()
	scan := scanner{seg: seg, file: file}
	for seg.end() < seg.limit() {
		f, found, whole, err := scan.frame(seg.end())
		if err != nil {
			return end, err
		}
		if !whole {
			end.torn = found
			break
		}
		if !follows(f.group) {
			return damaged(seg.end(), after+1, fmt.Sprintf("group %d stands in its place", f.group))
		}
		for _, r := range f.records() {
			seg.addSeq(r.Seq)
		}
		after, end.last = f.group, seg.end()
		seg.add(f.group, f.size())
	}
	behind, at, err := scan.wholeFrameFrom(seg.end() + pageBytes)
	if err != nil {
		return end, err
	}
	if at != 0 {
		return damaged(seg.end(), after+1, fmt.Sprintf("group %d at offset %d behind it is whole", behind.group, at))
	}
	return end, nil
}

// scanner reads a segment's frames through a window, so that small frames do
// not cost a read each.
type scanner struct {
	seg    *segment
	file   vfs.File
	window []byte
	start  int64 // of the window in the file
}

const windowBytes = 256 << 10

// bytes gives n bytes from offset on, fewer at the end of the file. They are
// valid until the next call.
func (s *scanner) bytes(offset int64, n int) ([]byte, error) {
	n = int(min(int64(n), max(0, s.seg.size-offset)))
	if offset < s.start || offset+int64(n) > s.start+int64(len(s.window)) {
		size := int(min(int64(max(n, windowBytes)), s.seg.size-offset))
		if cap(s.window) < size {
			s.window = make([]byte, size)
		}
		read, err := s.file.ReadAt(s.window[:size], offset)
		if err != nil && !errors.Is(err, io.EOF) {
			s.window = s.window[:0]
			return nil, wrap(err, "read %s", s.seg.path)
		}
		s.window, s.start = s.window[:read], offset
	}
	b := s.window[offset-s.start:]
	return b[:min(n, len(b))], nil
}

// frame reads the frame at offset. Found says that a header of this segment's
// use is there, whole that the frame behind it is undamaged.
func (s *scanner) frame(offset int64) (f frame, found, whole bool, err error) {
	b, err := s.bytes(offset, int(min(frameHeaderBytes, s.seg.limit()-offset)))
	if err != nil {
		return frame{}, false, false, err
	}
	f, found = decodeFrameHeader(s.seg.seal, b)
	if !found || offset+f.size() > s.seg.limit() {
		return f, found, false, nil
	}
	b, err = s.bytes(offset, frameHeaderBytes+int(f.length))
	if err != nil {
		return frame{}, false, false, err
	}
	if decoded, ok := decodeFrame(s.seg.seal, b); ok {
		return decoded, true, true, nil
	}
	return f, true, false, nil
}

// wholeFrameFrom looks for an undamaged frame at any page from offset on, and
// says where it is; 0 if there is none.
func (s *scanner) wholeFrameFrom(offset int64) (f frame, at int64, err error) {
	for at = offset; at < s.seg.limit(); at += pageBytes {
		f, _, whole, err := s.frame(at)
		if err != nil {
			return frame{}, 0, err
		}
		if whole {
			return f, at, nil
		}
	}
	return frame{}, 0, nil
}
