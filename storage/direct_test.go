package storage

import (
	"errors"
	"os"
	"slices"
	"testing"
	"unsafe"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// cached is the operating system's files by way of the page cache.
type cached struct{ vfs.FS }

// A folder may be written past the page cache by one run and through it by the next,
// and is read through it always: what is appended is what is read, at once and after
// every opening, in segments that are used again, too.
func TestDirectAndCachedWritesMix(t *testing.T) {
	dir := t.TempDir() + "/journal"
	sizes := []int{1, 100, pageBytes - frameHeaderBytes - recordHeaderBytes, 5000, 200_000, bufferBytesMin + 1, 1}
	var groups []written
	for run := range 6 {
		var fs vfs.FS = vfs.Default
		if run%2 == 1 {
			fs = cached{fs}
		}
		j, err := OpenJournal(dir, alice, Options{FS: fs, SegmentBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if run == 0 && !j.Direct() {
			t.Skip("the file system of the temporary folder has no writing past the page cache")
		}
		if want := run%2 == 0; j.Direct() != want {
			t.Fatalf("run %d writes past the page cache: %t", run, !want)
		}
		if len(groups) > 0 {
			checkGroups(t, mustReplay(t, j), groups)
		}
		for _, size := range sizes {
			n := 1
			if len(groups) > 0 {
				n = int(groups[len(groups)-1].group) + 1
			}
			g := written{group: uint64(n), records: group(n, 1, size)}
			if g.places, err = j.AppendGroup(g.records); err != nil {
				t.Fatalf("run %d, group %d of %d bytes: %v", run, n, size, err)
			}
			groups = append(groups, g)
			data, err := j.Read(g.places[0], nil)
			if err != nil || !slices.Equal(data, g.records[0].Data) {
				t.Fatalf("run %d, group %d reads as %d bytes, %v", run, n, len(data), err)
			}
		}
		last := j.Segments()[len(j.Segments())-1].ID
		if err := j.Release(last); err != nil {
			t.Fatal(err)
		}
		groups = slices.DeleteFunc(groups, func(g written) bool { return g.places[0].Segment < last })
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A flush that does nothing would go unnoticed until the power fails: it is the file's,
// so of one that is closed it fails.
func TestDirectFilesAreFlushed(t *testing.T) {
	file, err := openDirect(t.TempDir()+"/file", true)
	if err != nil {
		t.Skip("the file system of the temporary folder has no writing past the page cache")
	}
	if _, err := file.WriteAt(pages(pageBytes), 0); err != nil {
		t.Fatal(err)
	}
	if err := file.SyncData(); err != nil {
		t.Error(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.SyncData(); err == nil {
		t.Error("a closed file was flushed")
	}
}

func TestWhereNothingIsWrittenPastThePageCache(t *testing.T) {
	for name, o := range map[string]Options{
		"another file system":       {FS: cached{vfs.Default}},
		"groups are not flushed":    {FS: vfs.Default, Sync: SyncNever},
		"a file that is not opened": {FS: vfs.Default, ReadOnly: true},
	} {
		dir := t.TempDir() + "/journal"
		if o.ReadOnly {
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		j, err := OpenJournal(dir, alice, o)
		if err != nil {
			t.Fatal(err)
		}
		if j.Direct() {
			t.Error(name)
		}
		if err := j.Close(); err != nil && !errors.Is(err, ErrReadOnly) {
			t.Fatal(err)
		}
	}
	// Where the file cannot even be made, who makes the first segment will say so.
	j := &Journal{dir: t.TempDir() + "/missing", o: Options{FS: vfs.Default}}
	if direct, err := j.probeDirect(); direct || err != nil {
		t.Errorf("a folder that is missing: %t, %v", direct, err)
	}
}

func TestPagesBeginOnAPage(t *testing.T) {
	for n := int64(1); n <= 40; n++ {
		b := pages(n * pageBytes)
		if uintptr(unsafe.Pointer(unsafe.SliceData(b)))%pageBytes != 0 || int64(len(b)) != n*pageBytes || len(b) != cap(b) {
			t.Fatalf("%d pages: %d of %d bytes at %p", n, len(b), cap(b), b)
		}
	}
}
