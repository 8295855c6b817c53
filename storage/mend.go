package storage

import (
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"
)

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
		if seg.info.Closed || j.o.ReadOnly {
			continue
		}
		if err := j.mend(end); err != nil {
			return err
		}
	}
	if j.o.ReadOnly {
		return nil
	}
	if err := j.dropMisfits(); err != nil {
		return err
	}
	return syncFolder(j.o.FS, j.dir)
}

// mend readies a segment for writing: the last group is written again, no torn
// one follows it, and both are flushed.
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
	return wrap(file.SyncData(), "flush %s", seg.path)
}

// rewrite writes the bytes from start to end again.
func rewrite(file vfs.File, start, end int64) error {
	b := make([]byte, end-start)
	if _, err := file.ReadAt(b, start); err != nil {
		return err
	}
	_, err := file.WriteAt(b, start)
	return err
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
		file, err := j.openSegment(current.path)
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
