package storage

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// faults is a disk that fails one kind of operation while it is armed, and
// counts what reaches it.
type faults struct {
	vfs.FS
	kind  errorfs.OpKind
	path  string // any if empty
	err   error  // nil while it works
	count map[errorfs.OpKind]int
}

func newFaults(fs vfs.FS) *faults {
	f := &faults{count: map[errorfs.OpKind]int{}}
	f.FS = errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		f.count[op.Kind]++
		if op.Kind == f.kind && (f.path == "" || f.path == op.Path) {
			return f.err
		}
		return nil
	}))
	return f
}

func (f *faults) writes() int {
	return f.count[errorfs.OpFileWrite] + f.count[errorfs.OpFileWriteAt] +
		f.count[errorfs.OpFileSync] + f.count[errorfs.OpFileSyncData]
}

// A disk that works again after an error is not to be believed: the page cache
// may have dropped what the failed flush did not write.
func TestFailedWritesStopTheJournal(t *testing.T) {
	for name, c := range map[string]struct {
		kind  errorfs.OpKind
		path  string
		bytes int // of the group during which it fails
	}{
		"write":                {errorfs.OpFileWriteAt, "", 100},
		"flush":                {errorfs.OpFileSyncData, "", 100},
		"summary on roll-over": {errorfs.OpFileWriteAt, "", 2 * pageBytes},
		"create on roll-over":  {errorfs.OpCreate, "", 2 * pageBytes},
		"fill on roll-over":    {errorfs.OpFileWrite, "", 2 * pageBytes},
		"rename on roll-over":  {errorfs.OpRename, "", 2 * pageBytes},
		"folder on roll-over":  {errorfs.OpFileSync, journalDir, 2 * pageBytes},
	} {
		t.Run(name, func(t *testing.T) {
			disk := vfs.NewMem()
			fs := newFaults(disk)
			l := openLog(t, fs, Options{})
			places := l.append(1, 1, 100)
			fs.kind, fs.path, fs.err = c.kind, c.path, errorfs.ErrInjected
			_, first := l.AppendGroup(group(2, 1, c.bytes))
			if !errors.Is(first, errorfs.ErrInjected) {
				t.Fatalf("got %v", first)
			}
			fs.err = nil
			before := fs.writes()
			for range 2 {
				if _, err := l.AppendGroup(group(3, 1, 10)); err != first {
					t.Errorf("then %v, want the first error again", err)
				}
			}
			if err := l.PrepareNext(); err != first {
				t.Errorf("PrepareNext: %v, want the first error", err)
			}
			if err := l.Release(1); err != first {
				t.Errorf("Release: %v, want the first error", err)
			}
			if fs.writes() != before {
				t.Error("a stopped journal went on writing")
			}
			if data, err := l.Read(places[0], nil); err != nil || len(data) != 100 {
				t.Errorf("a stopped journal cannot be read: %v", err)
			}
			if err := l.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			again := openLog(t, disk, Options{})
			if got := mustReplay(t, again.Journal); !got[0].equal(l.groups[0]) {
				t.Error("the first group was lost")
			}
		})
	}
}

func TestFullDisk(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		fs := newFaults(vfs.NewMem())
		l := openLog(t, fs, Options{})
		l.append(1, 1, 100)

		// Ahead of need it is a warning: the journal works on.
		fs.kind, fs.err = errorfs.OpFileWrite, errno
		if err := l.PrepareNext(); !errors.Is(err, ErrDiskFull) || !errors.Is(err, errno) || !strings.Contains(err.Error(), "free some") {
			t.Errorf("%v while preparing: %v", errno, err)
		}
		if !l.NeedsPrepare() {
			t.Error("a failed PrepareNext counts as prepared")
		}
		if names, err := fs.List(journalDir); err != nil || len(names) != 1 {
			t.Errorf("a failed PrepareNext leaves %v, %v", names, err)
		}
		l.append(2, 1, 100)

		fs.err = nil
		if err := l.PrepareNext(); err != nil {
			t.Errorf("after space was made: %v", err)
		}
		fs.kind, fs.err = errorfs.OpFileWriteAt, errno
		if _, err := l.AppendGroup(group(3, 1, 100)); !errors.Is(err, ErrDiskFull) {
			t.Errorf("%v while writing: %v", errno, err)
		}
	}
}

func TestOpenReportsAFailingDisk(t *testing.T) {
	im, _ := threeSegments(t, 2)
	for kind := errorfs.OpCreate; kind <= errorfs.OpFileFlush; kind++ {
		fs := newFaults(im.disk(t))
		fs.kind, fs.err = kind, errorfs.ErrInjected
		j, err := OpenJournal(journalDir, alice, Options{FS: fs, SegmentBytes: segmentBytesTest})
		if err == nil {
			if j.Close(); fs.count[kind] > 0 {
				t.Errorf("an error of kind %d was swallowed", kind)
			}
			continue
		}
		if !errors.Is(err, errorfs.ErrInjected) {
			t.Errorf("an error of kind %d became %v", kind, err)
		}
	}
}

func TestClosedJournal(t *testing.T) {
	l := openLog(t, vfs.NewMem(), Options{})
	l.append(1, 1, 100)
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.AppendGroup(group(2, 1, 10)); !errors.Is(err, ErrClosed) {
		t.Errorf("append: %v", err)
	}
	if err := l.PrepareNext(); !errors.Is(err, ErrClosed) {
		t.Errorf("prepare: %v", err)
	}
	if l.NeedsPrepare() {
		t.Error("a closed journal asks for a segment")
	}
}

func TestSyncPolicies(t *testing.T) {
	for _, c := range []struct {
		policy  SyncPolicy
		flushes int // for ten groups
		kept    int // of them, when the power is cut before Close
	}{
		{SyncAlways, 10, 10},
		{SyncNever, 0, 0},
	} {
		t.Run(c.policy.String(), func(t *testing.T) {
			disk := vfs.NewCrashableMem()
			fs := newFaults(disk)
			o := Options{Sync: c.policy, SegmentBytes: 16 * pageBytes}
			l := openLog(t, fs, o)
			before := fs.count[errorfs.OpFileSyncData]
			for n := 1; n <= 10; n++ {
				l.append(n, 1, 100)
			}
			if got := fs.count[errorfs.OpFileSyncData] - before; got != c.flushes {
				t.Errorf("%d flushes for ten groups, want %d", got, c.flushes)
			}
			cut := openLog(t, disk.CrashClone(vfs.CrashCloneCfg{}), o)
			if got := mustReplay(t, cut.Journal); len(got) != c.kept {
				t.Errorf("%d groups after a power cut, want %d", len(got), c.kept)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			closed := openLog(t, disk.CrashClone(vfs.CrashCloneCfg{}), o)
			checkGroups(t, mustReplay(t, closed.Journal), l.groups)
		})
	}
}

// Only the last segment is at risk under SyncNever.
func TestSyncNeverFlushesFullSegments(t *testing.T) {
	disk := vfs.NewCrashableMem()
	l := openLog(t, disk, Options{Sync: SyncNever})
	for n := 1; n <= 8; n++ { // three to a segment
		l.append(n, 1, 100)
	}
	cut := openLog(t, disk.CrashClone(vfs.CrashCloneCfg{}), Options{Sync: SyncNever})
	checkGroups(t, mustReplay(t, cut.Journal), l.groups[:6])
}

// With the next segment prepared, a roll-over costs the appender no more than a
// file to open and a summary to write.
func TestPreparedSegmentIsUsed(t *testing.T) {
	fs := newFaults(vfs.NewMem())
	l := openLog(t, fs, Options{})
	if l.NeedsPrepare() {
		t.Fatal("opening did not prepare the first segment")
	}
	l.append(1, 1, 100)
	if !l.NeedsPrepare() {
		t.Fatal("the segment in use counts as the next one")
	}
	for range 2 {
		if err := l.PrepareNext(); err != nil {
			t.Fatal(err)
		}
	}
	if l.NeedsPrepare() {
		t.Fatal("the prepared segment does not count")
	}
	if got := fs.count[errorfs.OpRename]; got != 2 {
		t.Fatalf("%d segments were made, want 2", got)
	}
	before := fs.count[errorfs.OpFileWrite]
	for n := 2; n <= 6; n++ {
		l.append(n, 1, 100)
	}
	if fs.count[errorfs.OpFileWrite] != before {
		t.Error("AppendGroup filled a segment though one was prepared")
	}
	if last := l.groups[5].places[0].Segment; last != 2 {
		t.Errorf("the sixth group is in segment %d, want 2", last)
	}
}
