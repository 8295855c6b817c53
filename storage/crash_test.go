package storage

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// crash is a disk as a power cut at some moment may have left it, with what the
// journal had promised by then.
type crash struct {
	name   string
	disk   *vfs.MemFS
	needed int // the oldest group that was not given up
	acked  int // the last group that AppendGroup had returned
}

// crashes runs work on disk and cuts the power before every write, flush,
// creation, rename and removal, three times each: with nothing that was not
// flushed, with some of it, and with all of it. promised gives the groups needed
// and acknowledged at that moment.
func crashes(disk *vfs.MemFS, promised func() (needed, acked int), work func(fs vfs.FS)) []crash {
	var all []crash
	step := 0
	cut := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() != errorfs.OpIsWrite || op.Kind == errorfs.OpFileClose {
			return nil
		}
		step++
		needed, acked := promised()
		for _, percent := range []int{0, 50, 100} {
			all = append(all, crash{
				name: fmt.Sprintf("step %d (kind %d of %s), %d%% of unflushed data", step, op.Kind, op.Path, percent),
				disk: disk.CrashClone(vfs.CrashCloneCfg{
					UnsyncedDataPercent: percent,
					RNG:                 rand.New(rand.NewPCG(uint64(step), uint64(percent))),
				}),
				needed: needed, acked: acked,
			})
		}
		return nil
	})
	work(errorfs.Wrap(disk, cut))
	return all
}

// The groups of these tests take one to four pages, a segment has six for them.
const crashSegmentBytes = 8 * pageBytes

func crashGroup(n int) []Record { return group(n, 1+n%4, 900*(1+n%5)) }

// check opens the journal after the crash. What was acknowledged is there, what
// was in flight is whole or absent, and the journal goes on from there.
func (c crash) check(t *testing.T) {
	t.Helper()
	o := Options{FS: c.disk, SegmentBytes: crashSegmentBytes}
	open := func() *Journal {
		j, err := OpenJournal(journalDir, alice, o)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		return j
	}
	j := open()
	got, err := replayed(j, 0)
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	last := c.checkGroups(t, got)
	// What Replay has shown outlives a second crash, and numbering goes on.
	c.disk = c.disk.CrashClone(vfs.CrashCloneCfg{})
	j.Close()
	o.FS = c.disk
	j = open()
	defer j.Close()
	for n := last + 1; n <= last+4; n++ {
		if _, err := j.AppendGroup(crashGroup(n)); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
	}
	c.acked = last + 4
	if got, err = replayed(j, 0); err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	c.checkGroups(t, got)
}

func (c crash) checkGroups(t *testing.T, got []written) (last int) {
	t.Helper()
	if len(got) == 0 {
		if c.acked > 0 {
			t.Fatalf("%s: nothing is left of %d groups", c.name, c.acked)
		}
		return 0
	}
	first, last := int(got[0].group), int(got[len(got)-1].group)
	if first > c.needed || last < c.acked || last > c.acked+1 {
		t.Fatalf("%s: groups %d to %d are left, needed were %d to %d", c.name, first, last, c.needed, c.acked)
	}
	for i, g := range got {
		if want := (written{group: uint64(first + i), records: crashGroup(first + i)}); !g.equal(want) {
			t.Fatalf("%s: group %d is not the one that was appended", c.name, want.group)
		}
	}
	return last
}

// crashRun fills several segments, releases some, and lets others be prepared
// ahead of need, until something fails. It reports each promise it was given and
// returns the last.
func crashRun(fs vfs.FS, report ...func(needed, acked int)) (needed, acked int) {
	needed = 1
	j, err := OpenJournal(journalDir, alice, Options{FS: fs, SegmentBytes: crashSegmentBytes})
	if err != nil {
		return needed, acked
	}
	defer j.Close()
	for n := 1; n <= 30; n++ {
		if _, err := j.AppendGroup(crashGroup(n)); err != nil {
			return needed, acked
		}
		acked = n
		if segments := j.Segments(); n%7 == 0 {
			needed = int(segments[max(0, len(segments)-2)].FirstGroup)
		}
		for _, f := range report {
			f(needed, acked)
		}
		if n%4 == 0 && j.PrepareNext() != nil {
			return needed, acked
		}
		if segments := j.Segments(); n%7 == 0 && j.Release(segments[max(0, len(segments)-2)].ID) != nil {
			return needed, acked
		}
	}
	return needed, acked
}

func crashWorkload(t *testing.T) []crash {
	needed, acked := 1, 0
	all := crashes(vfs.NewCrashableMem(), func() (int, int) { return needed, acked }, func(fs vfs.FS) {
		crashRun(fs, func(n, a int) { needed, acked = n, a })
	})
	if acked != 30 {
		t.Fatalf("the run ended with group %d", acked)
	}
	return all
}

func TestCrashAtEveryWrite(t *testing.T) {
	all := crashWorkload(t)
	if len(all) < 300 {
		t.Fatalf("only %d crashes", len(all))
	}
	for _, c := range all {
		c.check(t)
	}
}

// Opening mends the disk, and may be cut short as well.
func TestCrashDuringRecovery(t *testing.T) {
	all := crashWorkload(t)
	recoveries := 0
	for i, c := range all {
		if i%9 != 4 { // a sample of those with torn groups
			continue
		}
		promised := func() (int, int) { return c.needed, c.acked }
		again := crashes(c.disk, promised, func(fs vfs.FS) {
			j, err := OpenJournal(journalDir, alice, Options{FS: fs, SegmentBytes: crashSegmentBytes})
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			j.Close()
		})
		for _, d := range again {
			d.name = c.name + ", then " + d.name
			d.check(t)
			recoveries++
		}
	}
	if recoveries < 300 {
		t.Fatalf("only %d crashes during recovery", recoveries)
	}
}

// A killed process leaves the page cache and unflushed names as they are. What a
// replay then shows must be as good as flushed.
func TestKillAtEveryWrite(t *testing.T) {
	for step := 1; ; step++ {
		disk := vfs.NewCrashableMem()
		left := step
		killed := errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind.ReadOrWrite() != errorfs.OpIsWrite || op.Kind == errorfs.OpFileClose {
				return nil
			}
			if left--; left <= 0 {
				return errorfs.ErrInjected
			}
			return nil
		})
		needed, acked := crashRun(errorfs.Wrap(disk, killed))
		if left > 0 { // the whole run went through
			if step < 100 {
				t.Fatalf("only %d kills", step)
			}
			return
		}
		o := Options{FS: disk, SegmentBytes: crashSegmentBytes}
		j, err := OpenJournal(journalDir, alice, o)
		if err != nil {
			t.Fatalf("killed at write %d: %v", step, err)
		}
		last := acked
		for _, info := range j.Segments() {
			last = int(info.LastGroup)
		}
		for n := last + 1; n <= last+4; n++ {
			if _, err := j.AppendGroup(crashGroup(n)); err != nil {
				t.Fatalf("killed at write %d: %v", step, err)
			}
		}
		c := crash{name: fmt.Sprintf("killed at write %d, then a power cut", step), needed: needed, acked: last + 4}
		c.disk = disk.CrashClone(vfs.CrashCloneCfg{})
		j.Close()
		c.check(t)
	}
}

// A group whose flush failed is in the page cache and reads well, but may not be
// on the disk, and a second flush need not write it: the cache may have marked
// it clean. So opening the journal writes it again.
func TestOpenRewritesTheLastGroup(t *testing.T) {
	disk := vfs.NewCrashableMem()
	var fail errorfs.Toggle
	fail.Injector = errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSyncData {
			return errorfs.ErrInjected
		}
		return nil
	})
	l := openLog(t, errorfs.Wrap(disk, &fail), Options{SegmentBytes: crashSegmentBytes})
	l.append(1, 1, 100)
	fail.On()
	if _, err := l.AppendGroup(group(2, 3, 3000)); err == nil {
		t.Fatal("a failed flush went unnoticed")
	}
	offset := l.current.end()

	rewritten := false
	watched := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		rewritten = rewritten || op.Kind == errorfs.OpFileWriteAt && op.Offset == offset
		return nil
	}))
	again := openLog(t, watched, Options{SegmentBytes: crashSegmentBytes})
	if got := mustReplay(t, again.Journal); len(got) != 2 {
		t.Fatalf("%d groups replayed, want 2: all was written", len(got))
	}
	if !rewritten {
		t.Error("the last group was shown without being written again")
	}
	afterwards := openLog(t, disk.CrashClone(vfs.CrashCloneCfg{}), Options{SegmentBytes: crashSegmentBytes})
	if got := mustReplay(t, afterwards.Journal); len(got) != 2 {
		t.Errorf("%d groups after a power cut, want the 2 that were shown", len(got))
	}
}
