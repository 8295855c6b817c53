package storage

import (
	"errors"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// contents lists all files of a disk with what is in them.
func contents(t *testing.T, fs vfs.FS, dir string, into map[string]string) map[string]string {
	t.Helper()
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		path := fs.PathJoin(dir, name)
		info, err := fs.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			contents(t, fs, path, into)
			continue
		}
		file, err := fs.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, info.Size())
		if _, err := file.ReadAt(data, 0); err != nil && info.Size() > 0 {
			t.Fatal(err)
		}
		file.Close()
		into[path] = string(data)
	}
	return into
}

// checkUntouched wants a disk as it was.
func checkUntouched(t *testing.T, fs vfs.FS, before map[string]string) {
	t.Helper()
	after := contents(t, fs, "/", make(map[string]string))
	for path, data := range before {
		if got, there := after[path]; !there || got != data {
			t.Errorf("%s was changed or removed", path)
		}
	}
	for path := range after {
		if _, there := before[path]; !there {
			t.Errorf("%s was made", path)
		}
	}
}

// A journal that is opened for reading shows what is there, a torn group at its end
// aside, and leaves every file as it is: also those a writer would mend or remove.
func TestAJournalIsReadWithoutBeingChanged(t *testing.T) {
	fs := vfs.NewMem()
	l := openLog(t, fs, Options{})
	for n := 1; n <= 8; n++ {
		l.append(n, 2, 1000)
	}
	last := l.Segments()[len(l.Segments())-1]
	path := l.segments[len(l.segments)-1].path
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte("torn"), pageBytes+last.Bytes-pageBytes+frameHeaderBytes+recordHeaderBytes); err != nil {
		t.Fatal(err)
	}
	file.Close()
	for _, name := range []string{fillingName, spareName(1)} {
		left, err := fs.Create(fs.PathJoin(journalDir, name), vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		left.Close()
	}
	before := contents(t, fs, "/", make(map[string]string))

	j, err := OpenJournal(journalDir, alice, Options{FS: fs, SegmentBytes: 2 * segmentBytesTest, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	checkGroups(t, mustReplay(t, j), l.groups[:7])
	if _, err := j.AppendGroup(group(9, 1, 10)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a group was taken: %v", err)
	}
	if err := j.PrepareSome(); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a segment was prepared: %v", err)
	}
	if err := j.Release(2); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a segment was released: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	checkUntouched(t, fs, before)
	if _, err := OpenJournal("/nowhere", alice, Options{FS: fs, ReadOnly: true}); err == nil {
		t.Error("a journal that is not there was opened")
	}
}

// The same of the state, with changes that lie in a log only.
func TestAStateIsReadWithoutBeingChanged(t *testing.T) {
	fs := vfs.NewMem()
	writeLoggedState(t, fs, "/home/state", "key", "value")
	before := contents(t, fs, "/", make(map[string]string))
	s, err := OpenStateReadOnly("/home/state", fs)
	if err != nil {
		t.Fatal(err)
	}
	if value, err := s.Get([]byte("key")); err != nil || !slices.Equal(value, []byte("value")) {
		t.Errorf("read %q, %v", value, err)
	}
	batch := s.NewBatch()
	batch.Set([]byte("key"), []byte("other"))
	if err := batch.Commit(true); err == nil {
		t.Error("a change was taken")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	checkUntouched(t, fs, before)
	if _, err := OpenStateReadOnly("/nowhere", fs); err == nil {
		t.Error("a state that is not there was opened")
	}
}

// A journal says whose it is to whoever holds no key.
func TestAJournalSaysWhoseItIs(t *testing.T) {
	fs := vfs.NewMem()
	if _, err := JournalIdentity(journalDir, fs); !errors.Is(err, ErrNotFound) {
		t.Errorf("a folder that is not there: %v", err)
	}
	l := openLog(t, fs, Options{})
	l.append(1, 1, 10)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if id, err := JournalIdentity(journalDir, fs); err != nil || id != alice {
		t.Errorf("got %v, %v", id, err)
	}
	file, err := fs.OpenReadWrite(l.segments[0].path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte{9}, 72); err != nil {
		t.Fatal(err)
	}
	file.Close()
	if id, err := JournalIdentity(journalDir, fs); !errors.As(err, new(*CorruptionError)) {
		t.Errorf("a header that was changed: %v, %v", id, err)
	}
}
