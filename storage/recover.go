package storage

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// OpenJournal opens the journal in dir, or creates it. It checks every segment's
// header, and the groups of those that were not closed; the groups of closed
// segments are checked when they are read. It drops a torn last group and makes
// all that Replay will show durable.
//
// The caller holds the folder's lock, see LockFolder. It fails with an
// *IdentityError, a *VersionError or a *CorruptionError where those apply.
func OpenJournal(dir string, id Identity, o Options) (*Journal, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open the journal in %s: %w", dir, err)
	}
	if err := makeFolder(o.FS, dir); err != nil {
		return nil, err
	}
	j := &Journal{dir: dir, id: id, o: o, nextID: 1}
	all, err := j.readFolder()
	if err != nil {
		return nil, err
	}
	ends, err := j.scanAll(all)
	if err != nil {
		return nil, err
	}
	if err := j.settle(ends); err != nil {
		return nil, err
	}
	if err := j.resume(); err != nil {
		return nil, err
	}
	return j, nil
}

// readFolder lists the segments, with their headers checked, and the spares. It
// removes what a crash left half prepared.
func (j *Journal) readFolder() ([]*segment, error) {
	names, err := j.o.FS.List(j.dir)
	if err != nil {
		return nil, wrap(err, "list folder %s", j.dir)
	}
	slices.Sort(names)
	var all []*segment
	for _, name := range names {
		path := j.o.FS.PathJoin(j.dir, name)
		if id, ok := parseName(name, segmentSuffix); ok {
			seg, err := j.readSegment(id, path)
			if err != nil {
				return nil, err
			}
			all = append(all, seg)
		} else if _, ok := parseName(name, spareSuffix); ok {
			if err := j.readSpare(path); err != nil {
				return nil, err
			}
		} else if name == fillingName {
			if err := j.o.FS.Remove(path); err != nil {
				return nil, wrap(err, "remove %s", path)
			}
		}
	}
	for i := 1; i < len(all); i++ {
		if want := all[i-1].id + 1; all[i].id != want {
			return nil, &CorruptionError{
				Path: j.dir, Segment: want,
				Reason: fmt.Sprintf("segment %d is missing between %d and %d", want, all[i-1].id, all[i].id),
			}
		}
	}
	return all, nil
}

func (j *Journal) readSegment(id uint64, path string) (*segment, error) {
	header, err := readPage(j.o.FS, path, 0)
	if err != nil {
		return nil, err
	}
	s, size, err := decodeHeader(header, path, id, j.id)
	if err != nil {
		return nil, err
	}
	return j.newSegment(id, s, size), nil
}

// readSpare keeps a spare, or removes it if it cannot be used.
func (j *Journal) readSpare(path string) error {
	info, err := j.o.FS.Stat(path)
	if err != nil {
		return wrap(err, "look at %s", path)
	}
	if info.Size() == j.o.SegmentBytes && len(j.spares) < sparesMax {
		j.spares = append(j.spares, path)
		return nil
	}
	return wrap(j.o.FS.Remove(path), "remove %s", path)
}

// readPage gives the page at offset, or what of it the file has.
func readPage(fsys vfs.FS, path string, offset int64) ([]byte, error) {
	file, err := fsys.Open(path)
	if err != nil {
		return nil, wrap(err, "open %s", path)
	}
	defer file.Close()
	page := make([]byte, pageBytes)
	n, err := file.ReadAt(page, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, wrap(err, "read %s", path)
	}
	return page[:n], nil
}

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
	if behind.group != 0 {
		return damaged(seg.end(), after+1, fmt.Sprintf("group %d at offset %d behind it is whole", behind.group, at))
	}
	return end, nil
}

// settle sorts the segments into those with groups and those prepared, and
// makes durable what was found.
func (j *Journal) settle(ends []segmentEnd) error {
	for i, end := range ends {
		seg := end.seg
		j.nextID = seg.id + 1
		if seg.info.LastGroup == 0 {
			j.prepared = append(j.prepared, seg)
		} else {
			j.segments = append(j.segments, seg)
			j.group = seg.info.LastGroup
			if i+1 < len(ends) && ends[i+1].seg.info.LastGroup != 0 {
				seg.info.Closed = true
				continue
			}
		}
		if seg.info.Closed {
			continue
		}
		if err := j.mend(end); err != nil {
			return err
		}
	}
	if err := j.dropMisfits(); err != nil {
		return err
	}
	return syncFolder(j.o.FS, j.dir)
}

// mend readies a segment for writing: it has its full size, the last group is
// written again and no torn one follows, and all that is flushed.
func (j *Journal) mend(end segmentEnd) (err error) {
	seg := end.seg
	file, err := j.o.FS.OpenReadWrite(seg.path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return wrap(err, "open %s", seg.path)
	}
	defer func() {
		if closeErr := file.Close(); err == nil {
			err = wrap(closeErr, "close %s", seg.path)
		}
	}()
	if end.last != 0 {
		if err := rewrite(file, end.last, seg.end()); err != nil {
			return wrap(err, "write the last group of %s again", seg.path)
		}
	}
	if end.torn {
		if _, err := file.WriteAt(zeroPage[:], seg.end()); err != nil {
			return wrap(err, "drop the torn group of %s", seg.path)
		}
		if j.o.Observer.TailDropped != nil {
			j.o.Observer.TailDropped(seg.id, seg.end())
		}
	}
	if err := extend(file, seg.size); err != nil {
		return wrap(err, "fill %s", seg.path)
	}
	return wrap(file.Sync(), "flush %s", seg.path)
}

// rewrite writes the bytes from start to end again.
func rewrite(file vfs.File, start, end int64) error {
	b := make([]byte, end-start)
	n, err := file.ReadAt(b, start)
	if err != nil && !errors.Is(err, io.EOF) { // a cut file may lack the padding
		return err
	}
	clear(b[n:])
	_, err = file.WriteAt(b, start)
	return err
}

// extend writes zeros behind a file that was cut short.
func extend(file vfs.File, size int64) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	zeros := make([]byte, min(fillBytes, max(0, size-info.Size())))
	for at := info.Size(); at < size; at += int64(len(zeros)) {
		if _, err := file.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at); err != nil {
			return err
		}
	}
	return nil
}

// dropMisfits removes the prepared segments if the configured size has changed,
// so that every group that AppendGroup takes fits the next segment.
func (j *Journal) dropMisfits() error {
	misfit := func(s *segment) bool { return s.size != j.o.SegmentBytes }
	if !slices.ContainsFunc(j.prepared, misfit) {
		return nil
	}
	for len(j.prepared) > 0 {
		last := j.prepared[len(j.prepared)-1]
		if err := j.o.FS.Remove(last.path); err != nil {
			return wrap(err, "remove %s", last.path)
		}
		if err := syncFolder(j.o.FS, j.dir); err != nil {
			return err
		}
		j.prepared = j.prepared[:len(j.prepared)-1]
		j.nextID = last.id
	}
	return nil
}

// resume opens the segment that the next group goes to, or at least prepares
// one: an unwritable folder or a full disk shows now.
func (j *Journal) resume() error {
	if n := len(j.segments); n > 0 && !j.segments[n-1].info.Closed {
		current := j.segments[n-1]
		file, err := j.o.FS.OpenReadWrite(current.path, vfs.WriteCategoryUnspecified)
		if err != nil {
			return wrap(err, "open %s", current.path)
		}
		j.current, j.file = current, file
		return nil
	}
	if len(j.prepared) == 0 {
		return j.prepare()
	}
	return nil
}
