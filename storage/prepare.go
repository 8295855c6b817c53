package storage

import (
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	// fillBytes is how much of a new segment is written between two flushes. One
	// flush at the end would make the groups written meanwhile wait for all of it.
	fillBytes = 1 << 20
	// zeroBytes is how much is written at once through the page cache. Linux gives a
	// large write large folios of it, and those of a MiB cost three times the
	// processor time of what these do. (ext4, Linux 6.18)
	zeroBytes = 128 << 10
)

// filling is the next segment while its zeros are being written.
type filling struct {
	file  segmentFile
	path  string
	bytes int64 // written, and durable between two steps
	zeros []byte
	took  time.Duration
}

// Behind reports whether PrepareSome has something to do: whether less of the
// next segment is filled than is due. Twice as much as the current one holds is,
// and an eighth from the start. So the zeros are ready when the current segment is
// half full, and the disk, which the groups' flushes share, never gets a whole
// segment at once.
func (j *Journal) Behind() bool {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if len(j.prepared) > 0 || j.failure != nil {
		return false
	}
	due := j.o.SegmentBytes / 8
	if n := len(j.segments); n > 0 {
		due += 2 * j.segments[n-1].info.Bytes
	}
	return j.filled < min(due, j.o.SegmentBytes)
}

// NeedsPrepare reports whether AppendGroup would have to prepare the next
// segment itself when the current one is full.
func (j *Journal) NeedsPrepare() bool {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return len(j.prepared) == 0 && j.failure == nil
}

// Free is how many bytes the journal's file system has left for this process; an
// error if it does not tell.
func (j *Journal) Free() (uint64, error) {
	usage, err := j.o.FS.GetDiskUsage(j.dir)
	return usage.AvailBytes, wrap(err, "ask for the space left in %s", j.dir)
}

// SegmentBytes is the size of new segments.
func (j *Journal) SegmentBytes() int64 { return j.o.SegmentBytes }

// PrepareSome takes a step towards the next segment, if it is Behind: a released
// one is made ready, or a new one is filled with some more zeros, because a file
// that is merely allocated doubles the time of a flush. It is slow, and meant for a
// worker beside the one that appends.
//
// Its failing leaves the journal as it was, so ErrDiskFull here is the early
// warning: the current segment still has room.
func (j *Journal) PrepareSome() error {
	j.prepareMu.Lock()
	defer j.prepareMu.Unlock()
	if err := j.failed(); err != nil {
		return err
	}
	if !j.Behind() {
		return nil
	}
	return j.prepareSome()
}

// PrepareNext makes the next segment ready, if none is.
func (j *Journal) PrepareNext() error {
	j.prepareMu.Lock()
	defer j.prepareMu.Unlock()
	if err := j.failed(); err != nil {
		return err
	}
	return j.prepare()
}

// takePrepared removes the next segment from the prepared ones.
func (j *Journal) takePrepared() (*segment, error) {
	j.prepareMu.Lock()
	defer j.prepareMu.Unlock()
	if err := j.failed(); err != nil {
		return nil, err
	}
	if err := j.prepare(); err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	next := j.prepared[0]
	j.prepared = j.prepared[1:]
	return next, nil
}

// prepare needs prepareMu.
func (j *Journal) prepare() error {
	for j.NeedsPrepare() {
		if err := j.prepareSome(); err != nil {
			return err
		}
	}
	return nil
}

// prepareSome needs prepareMu. Whatever fails, the file is removed: that gives
// back its space.
func (j *Journal) prepareSome() error {
	elapsed := j.o.stopwatch()
	if path, ok := j.takeSpare(); ok {
		return j.name(path, true, elapsed)
	}
	if err := j.fillSome(); err != nil {
		j.abandonFilling()
		return err
	}
	f := j.filling
	f.took += elapsed()
	if f.bytes < j.o.SegmentBytes {
		j.setFilled(f.bytes)
		return nil
	}
	j.filling = nil
	if err := f.file.Close(); err != nil {
		_ = j.o.FS.Remove(f.path)
		return wrap(err, "close %s", f.path)
	}
	return j.name(f.path, false, func() time.Duration { return f.took })
}

// name makes a file of zeros, or a released one, the next segment. It gets a
// segment's name when its header and its zeros are durable, so every file of that
// name has a good header, always.
func (j *Journal) name(path string, recycled bool, elapsed func() time.Duration) error {
	salt := j.o.Rand.Uint64() | 1 // never 0, with which unwritten pages begin
	next := j.newSegment(j.nextID, newSeal(j.nextID, salt), j.o.SegmentBytes)
	if err := j.writeHeader(path, next); err != nil {
		_ = j.o.FS.Remove(path)
		return err
	}
	if err := j.o.FS.Rename(path, next.path); err != nil {
		return j.fail(wrap(err, "rename %s to %s", path, next.path))
	}
	if err := syncFolder(j.o.FS, j.dir); err != nil {
		return j.fail(err)
	}
	j.nextID++
	j.mu.Lock()
	j.prepared = append(j.prepared, next)
	j.filled = 0
	j.mu.Unlock()
	if j.o.Observer.SegmentPrepared != nil {
		j.o.Observer.SegmentPrepared(elapsed(), recycled)
	}
	return nil
}

// takeSpare gives the path of a released segment, unless a new one is half filled.
func (j *Journal) takeSpare() (path string, ok bool) {
	n := len(j.spares)
	if n == 0 || j.filling != nil {
		return "", false
	}
	path, j.spares = j.spares[n-1], j.spares[:n-1]
	return path, true
}

func (j *Journal) newSegment(id uint64, s seal, size int64) *segment {
	return &segment{
		id: id, path: j.o.FS.PathJoin(j.dir, segmentName(id)), seal: s, size: size,
		info: SegmentInfo{ID: id},
	}
}

// fillSome writes some zeros, durably, to the file that is being filled.
func (j *Journal) fillSome() error {
	if j.filling == nil {
		path := j.o.FS.PathJoin(j.dir, fillingName)
		file, err := j.createSegment(path)
		if err != nil {
			return wrap(err, "create %s", path)
		}
		j.filling = &filling{file: file, path: path, zeros: pages(min(j.zerosAtOnce(), j.o.SegmentBytes))}
	}
	f := j.filling
	for end := min(f.bytes+fillBytes, j.o.SegmentBytes); f.bytes < end; {
		zeros := f.zeros[:min(int64(len(f.zeros)), end-f.bytes)]
		if !j.direct {
			clear(zeros) // vfs.File allows Write to scribble on it
		}
		if _, err := f.file.Write(zeros); err != nil {
			return wrap(err, "fill %s", f.path)
		}
		f.bytes += int64(len(zeros))
	}
	if f.bytes < j.o.SegmentBytes {
		return wrap(f.file.SyncData(), "flush %s", f.path)
	}
	return wrap(f.file.Sync(), "flush %s", f.path)
}

func (j *Journal) zerosAtOnce() int64 {
	if j.direct {
		return fillBytes
	}
	return zeroBytes
}

func (j *Journal) setFilled(bytes int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.filled = bytes
}

// abandonFilling removes a segment that is half filled.
func (j *Journal) abandonFilling() {
	if f := j.filling; f != nil {
		_ = f.file.Close()
		_ = j.o.FS.Remove(f.path)
		j.filling = nil
	}
	j.setFilled(0)
}

func (j *Journal) writeHeader(path string, s *segment) (err error) {
	file, err := j.o.FS.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return wrap(err, "open %s", path)
	}
	defer func() {
		if closeErr := file.Close(); err == nil {
			err = wrap(closeErr, "close %s", path)
		}
	}()
	if _, err := file.WriteAt(encodeHeader(s.id, s.seal.salt, s.size, j.id), 0); err != nil {
		return wrap(err, "write the header of %s", path)
	}
	return wrap(file.SyncData(), "flush the header of %s", path)
}

// Release gives up the segments with an id below before: as many of their files as
// new segments were needed since the last time are kept for reuse, and the others
// removed. The last segment that holds a group always stays. A segment that is being
// read stays, and those behind it, until a later call.
func (j *Journal) Release(before uint64) error {
	for keep := -1; ; {
		more, err := j.releaseOne(before, &keep)
		if err != nil || !more {
			return err
		}
	}
}

// releaseOne gives up the oldest segment, if it is to be: one at a time, for a group
// may wait for the next segment meanwhile. keep is how many files are kept, once it is
// known.
func (j *Journal) releaseOne(before uint64, keep *int) (more bool, err error) {
	j.prepareMu.Lock()
	defer j.prepareMu.Unlock()
	if err := j.failed(); err != nil {
		return false, err
	}
	seg := j.takeReleased(before)
	if seg == nil {
		if *keep < 0 {
			return false, nil
		}
		return false, j.dropSpares(*keep)
	}
	if *keep < 0 {
		*keep = j.sparesWanted()
	}
	// Oldest first, and the folder flushed after each: so a crash leaves no gap
	// between the segments that remain, and no old name on a file with a new use.
	recycled, err := j.retire(seg, *keep)
	if err != nil {
		return false, j.fail(err)
	}
	if j.o.Observer.SegmentReleased != nil {
		j.o.Observer.SegmentReleased(seg.id, recycled)
	}
	return true, nil
}

// sparesWanted is how many released segments are kept: as many as were made since
// some were released last. A journal that is trimmed as it grows needs no new file,
// and writes no zeros.
func (j *Journal) sparesWanted() int {
	made := j.nextID - j.released
	j.released = j.nextID
	return int(min(max(made, sparesMin), sparesMax))
}

// dropSpares removes what is kept in excess.
func (j *Journal) dropSpares(keep int) error {
	for len(j.spares) > keep {
		last := len(j.spares) - 1
		if err := j.o.FS.Remove(j.spares[last]); err != nil {
			return j.fail(wrap(err, "remove %s", j.spares[last]))
		}
		j.spares = j.spares[:last]
	}
	return nil
}

// takeReleased removes the oldest segment from the journal, with its pin taken,
// if it may be released.
func (j *Journal) takeReleased(before uint64) *segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.segments) < 2 || j.segments[0].id >= before || !j.segments[0].pin.TryLock() {
		return nil
	}
	seg := j.segments[0]
	j.segments = j.segments[1:]
	return seg
}

func (j *Journal) retire(seg *segment, keep int) (recycled bool, err error) {
	info, err := j.o.FS.Stat(seg.path)
	if err != nil {
		return false, wrap(err, "look at %s", seg.path)
	}
	recycled = info.Size() == j.o.SegmentBytes && len(j.spares) < keep
	if recycled {
		spare := j.o.FS.PathJoin(j.dir, spareName(seg.id))
		if err := j.o.FS.Rename(seg.path, spare); err != nil {
			return false, wrap(err, "rename %s to %s", seg.path, spare)
		}
		j.spares = append(j.spares, spare)
	} else if err := j.o.FS.Remove(seg.path); err != nil {
		return false, wrap(err, "remove %s", seg.path)
	}
	return recycled, syncFolder(j.o.FS, j.dir)
}
