package storage

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Replay calls visit for every record from the first segment on, in the order in
// which they were recorded, up to the last group that was appended when Replay
// was called. Data is valid during the visit only. An error of visit ends the
// replay and is returned as it is; a damaged group is a *CorruptionError.
func (j *Journal) Replay(visit func(group uint64, p Place, r Record) error) error {
	return j.ReplayFrom(0, visit)
}

// ReplayFrom is Replay from the segment of that id on, or from the first if that
// is 0. It fails with ErrReleased if the segment is gone, and with a
// *CorruptionError if the journal ends before it. Segments it has yet to read
// cannot be released.
func (j *Journal) ReplayFrom(segment uint64, visit func(group uint64, p Place, r Record) error) error {
	pinned, err := j.pinFrom(segment)
	if err != nil {
		return err
	}
	for i := range pinned {
		if err == nil {
			err = j.replaySegment(pinned[i].seg, pinned[i].info, visit)
		}
		pinned[i].seg.pin.RUnlock()
	}
	return err
}

// pinnedSegment is a segment with what it held when it was pinned.
type pinnedSegment struct {
	seg  *segment
	info SegmentInfo
}

func (j *Journal) pinFrom(segment uint64) ([]pinnedSegment, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if len(j.segments) > 0 && segment != 0 && segment < j.segments[0].id {
		return nil, fmt.Errorf("replay from segment %d, the first is %d: %w", segment, j.segments[0].id, ErrReleased)
	}
	last := uint64(0)
	if n := len(j.segments); n > 0 {
		last = j.segments[n-1].id
	}
	if segment > last+1 {
		return nil, &CorruptionError{Path: j.dir, Segment: segment, Reason: fmt.Sprintf("the journal ends in segment %d", last)}
	}
	var pinned []pinnedSegment
	for _, seg := range j.segments {
		if seg.id >= segment {
			seg.pin.RLock()
			pinned = append(pinned, pinnedSegment{seg: seg, info: seg.info})
		}
	}
	return pinned, nil
}

func (j *Journal) replaySegment(seg *segment, info SegmentInfo, visit func(uint64, Place, Record) error) error {
	file, err := j.o.FS.Open(seg.path, vfs.SequentialReadsOption)
	if err != nil {
		return wrap(err, "open %s", seg.path)
	}
	defer file.Close()
	scan := scanner{seg: seg, file: file}
	group := info.FirstGroup
	for offset := int64(pageBytes); offset < pageBytes+info.Bytes; group++ {
		f, _, whole, err := scan.frame(offset)
		if err != nil {
			return err
		}
		if !whole || f.group != group {
			return &CorruptionError{Path: seg.path, Segment: seg.id, Offset: offset, Group: group, Reason: "the group fails its checksum, and later ones exist"}
		}
		body := uint32(offset) + frameHeaderBytes
		for at, r := range f.records() {
			p := Place{Segment: seg.id, Offset: body + uint32(at), Length: uint32(len(r.Data))}
			if err := visit(group, p, r); err != nil {
				return err
			}
		}
		offset += f.size()
	}
	return nil
}
