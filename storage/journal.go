package storage

import (
	"fmt"
	"slices"
	"sync"
)

// The encoding buffer that is kept from group to group.
const (
	bufferBytesMin = 64 << 10
	bufferBytesMax = 4 << 20
)

// Journal is an append-only sequence of groups of records; see the package
// documentation. Any of its methods may be called concurrently with any other.
type Journal struct {
	dir    string
	id     Identity
	o      Options
	direct bool // groups are written past the page cache

	// appendMu is held by who writes groups. It guards the four fields below.
	appendMu sync.Mutex
	current  *segment    // where the next group goes; nil before the first and after a full one
	file     segmentFile // of current
	group    uint64      // the last one written
	buf      []byte      // of whole pages, beginning on one

	// prepareMu is held by who prepares or releases segments. It is taken after
	// appendMu and guards the four fields below.
	prepareMu sync.Mutex
	nextID    uint64
	released  uint64   // nextID when segments were released last
	spares    []string // paths of released segments of the right size
	filling   *filling // the next segment, half filled; or nil

	// mu is held shortly, never during I/O, and taken last.
	mu       sync.RWMutex
	segments []*segment // those with groups; ids rise by one
	prepared []*segment // those without; their ids follow
	filled   int64      // bytes of the next segment, while it is being filled
	failure  error      // the first failed write or flush, or ErrClosed
}

// AppendGroup writes the records as one group, which will be whole or absent
// after a crash, and returns where the Data of each lies. When it returns, the
// group is durable (SyncAlways). An empty group writes nothing.
//
// After a failed write or flush nobody knows what is on the disk, and a second
// flush may claim success for data the first has lost. So the first such error
// is returned by this call and by every later one, and only opening the journal
// anew tells what it holds. ErrGroupTooLarge is not such an error.
func (j *Journal) AppendGroup(records []Record) ([]Place, error) {
	j.appendMu.Lock()
	defer j.appendMu.Unlock()
	if err := j.failed(); err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, nil
	}
	size := paddedBytes(frameBytes(records))
	if room := j.o.SegmentBytes - 2*pageBytes; size > room {
		return nil, fmt.Errorf("group of %d records takes %d bytes, a segment holds %d: %w", len(records), size, room, ErrGroupTooLarge)
	}
	if j.current == nil || j.current.end()+size > j.current.limit() {
		if err := j.roll(); err != nil {
			return nil, j.fail(err)
		}
	}
	if err := j.write(records); err != nil {
		return nil, j.fail(err)
	}
	return j.publish(records, size), nil
}

// write puts the next group at the end of the current segment.
func (j *Journal) write(records []Record) error {
	elapsed := j.o.stopwatch()
	if size := paddedBytes(frameBytes(records)); int64(cap(j.buf)) < size {
		j.buf = pages(max(size, 2*int64(cap(j.buf)), bufferBytesMin))
	}
	j.buf = appendFrame(j.buf[:0], j.current.seal, j.group+1, records)
	size := len(j.buf)
	if _, err := j.file.WriteAt(j.buf, j.current.end()); err != nil {
		return wrap(err, "write group %d to %s", j.group+1, j.current.path)
	}
	if j.o.Sync == SyncAlways {
		if err := j.file.SyncData(); err != nil {
			return wrap(err, "flush group %d to %s", j.group+1, j.current.path)
		}
	}
	if cap(j.buf) > bufferBytesMax {
		j.buf = nil
	}
	if j.o.Observer.Flushed != nil {
		j.o.Observer.Flushed(elapsed(), size)
	}
	return nil
}

// publish makes the group just written known to readers.
func (j *Journal) publish(records []Record, size int64) []Place {
	j.mu.Lock()
	defer j.mu.Unlock()
	places := make([]Place, len(records))
	offset := j.current.end() + frameHeaderBytes
	for i := range records {
		offset += recordHeaderBytes
		length := len(records[i].Data)
		places[i] = Place{Segment: j.current.id, Offset: uint32(offset), Length: uint32(length)}
		offset += int64(length)
		j.current.addSeq(records[i].Seq)
	}
	j.group++
	j.current.add(j.group, size)
	if len(j.segments) == 0 || j.segments[len(j.segments)-1] != j.current {
		j.segments = append(j.segments, j.current)
	}
	return places
}

// roll closes the current segment and goes on to the next, which it prepares
// itself if nobody did.
func (j *Journal) roll() error {
	if err := j.closeCurrent(); err != nil {
		return err
	}
	next, err := j.takePrepared()
	if err != nil {
		return err
	}
	file, err := j.openSegment(next.path)
	if err != nil {
		return wrap(err, "open segment %s", next.path)
	}
	j.current, j.file = next, file
	return nil
}

// closeCurrent writes the summary of the current segment. It is not flushed: if
// it is lost, opening the journal scans the segment instead.
func (j *Journal) closeCurrent() error {
	if j.current == nil {
		return nil
	}
	if _, err := j.file.WriteAt(encodeSummary(j.current), j.current.limit()); err != nil {
		return wrap(err, "write the summary of %s", j.current.path)
	}
	if j.o.Sync == SyncNever {
		if err := j.file.SyncData(); err != nil {
			return wrap(err, "flush %s", j.current.path)
		}
	}
	if err := j.file.Close(); err != nil {
		return wrap(err, "close %s", j.current.path)
	}
	j.mu.Lock()
	j.current.info.Closed = true
	id, bytes := j.current.id, j.current.info.Bytes
	j.mu.Unlock()
	j.current, j.file = nil, nil
	if j.o.Observer.SegmentClosed != nil {
		j.o.Observer.SegmentClosed(id, bytes)
	}
	return nil
}

// Read returns the Data at p, in buf if that is large enough for it and 20
// bytes more. It fails with a CorruptionError if the bytes are not those that
// were recorded, and with ErrReleased if they were given up.
//
// It opens the file anew each time, so that a ledger of any number of segments
// holds no file descriptors; that costs some microseconds.
func (j *Journal) Read(p Place, buf []byte) ([]byte, error) {
	seg, err := j.pin(p)
	if err != nil {
		return nil, err
	}
	defer seg.pin.RUnlock()
	file, err := j.o.FS.Open(seg.path)
	if err != nil {
		return nil, wrap(err, "open segment %s", seg.path)
	}
	defer file.Close()
	n := recordHeaderBytes + int(p.Length)
	buf = slices.Grow(buf[:0], n)[:n]
	start := int64(p.Offset) - recordHeaderBytes
	if _, err := file.ReadAt(buf, start); err != nil {
		return nil, wrap(err, "read %d bytes at offset %d of %s", n, start, seg.path)
	}
	data, ok := decodeRecord(seg.seal, buf)
	if !ok {
		return nil, &CorruptionError{Path: seg.path, Segment: seg.id, Offset: start, Reason: "the record fails its checksum"}
	}
	return data, nil
}

// pin keeps the segment of p from being released, until its pin is unlocked.
func (j *Journal) pin(p Place) (*segment, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	outside := func() error {
		return &CorruptionError{
			Path: j.dir, Segment: p.Segment, Offset: int64(p.Offset),
			Reason: fmt.Sprintf("no group holds the %d bytes asked for", p.Length),
		}
	}
	if len(j.segments) == 0 || p.Segment == 0 {
		return nil, outside()
	}
	first := j.segments[0].id
	if p.Segment < first {
		return nil, fmt.Errorf("read from segment %d, the first is %d: %w", p.Segment, first, ErrReleased)
	}
	if p.Segment-first >= uint64(len(j.segments)) {
		return nil, outside()
	}
	seg := j.segments[p.Segment-first]
	if int64(p.Offset) < pageBytes+frameHeaderBytes+recordHeaderBytes || int64(p.Offset)+int64(p.Length) > seg.end() {
		return nil, outside()
	}
	seg.pin.RLock()
	return seg, nil
}

// Segments describes the segments that hold groups, oldest first.
func (j *Journal) Segments() []SegmentInfo {
	j.mu.RLock()
	defer j.mu.RUnlock()
	infos := make([]SegmentInfo, len(j.segments))
	for i, s := range j.segments {
		infos[i] = s.info
	}
	return infos
}

// Close flushes what SyncNever left and closes the journal. Later calls of
// AppendGroup return ErrClosed, or the failure that came first.
func (j *Journal) Close() error {
	j.appendMu.Lock()
	defer j.appendMu.Unlock()
	j.prepareMu.Lock() // waits for PrepareSome and Release
	defer j.prepareMu.Unlock()
	failed := j.failed() != nil
	_ = j.fail(ErrClosed) // gives back what it was given
	j.abandonFilling()
	if j.file == nil {
		return nil
	}
	file := j.file
	j.current, j.file = nil, nil
	var err error
	if j.o.Sync == SyncNever && !failed {
		err = wrap(file.SyncData(), "flush the journal in %s", j.dir)
	}
	if closeErr := file.Close(); err == nil {
		err = wrap(closeErr, "close the journal in %s", j.dir)
	}
	return err
}

// failed returns the error that stopped the journal, or nil.
func (j *Journal) failed() error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.failure
}

// fail stops the journal, unless it is stopped, and returns err.
func (j *Journal) fail(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failure == nil {
		j.failure = err
	}
	return err
}
