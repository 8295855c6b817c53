package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// OpenJournal opens the journal in dir, or creates it unless it is to be read only. It checks every segment's
// header, and the groups of those that were not closed; the groups of closed
// segments are checked when they are read. It drops a torn last group and makes
// all that Replay will show durable; one that is read only is left as it is.
//
// The caller holds the folder's lock, see LockFolder. It fails with an
// *IdentityError, a *VersionError or a *CorruptionError where those apply.
func OpenJournal(dir string, id Identity, o Options) (*Journal, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open the journal in %s: %w", dir, err)
	}
	if !o.ReadOnly {
		if err := makeFolder(o.FS, dir); err != nil {
			return nil, err
		}
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
	if o.ReadOnly {
		_ = j.fail(ErrReadOnly) // gives back what it was given
		return j, nil
	}
	if j.direct, err = j.probeDirect(); err != nil {
		return nil, err
	}
	j.released = j.nextID
	if err := j.resume(); err != nil {
		return nil, err
	}
	return j, nil
}

// JournalIdentity says whose journal lies in dir, by its first segment; ErrNotFound if
// there is none. A nil fsys is vfs.Default.
func JournalIdentity(dir string, fsys vfs.FS) (Identity, error) {
	if fsys == nil {
		fsys = vfs.Default
	}
	names, err := fsys.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrNotFound
	}
	if err != nil {
		return Identity{}, wrap(err, "list folder %s", dir)
	}
	slices.Sort(names)
	for _, name := range names {
		id, ok := parseName(name, segmentSuffix)
		if !ok {
			continue
		}
		path := fsys.PathJoin(dir, name)
		header, err := readPage(fsys, path, 0)
		if err != nil {
			return Identity{}, err
		}
		var whose Identity
		if len(header) == pageBytes {
			whose = headerIdentity(header)
		}
		_, _, err = decodeHeader(header, path, id, whose) // all else is checked
		return whose, err
	}
	return Identity{}, fmt.Errorf("no segment in %s: %w", dir, ErrNotFound)
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
		} else if j.o.ReadOnly {
			continue
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
	info, err := j.o.FS.Stat(path)
	if err != nil {
		return nil, wrap(err, "look at %s", path)
	}
	if info.Size() != size {
		return nil, &CorruptionError{
			Path: path, Segment: id, Offset: min(info.Size(), size),
			Reason: fmt.Sprintf("the file has %d bytes, not the %d it was filled with before its first use", info.Size(), size),
		}
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

// readPage gives the page at offset, or what the file has of it.
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
