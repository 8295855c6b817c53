package storage

import (
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestSegmentsAreFilledAsTheyAreUsed: a whole segment of zeros at once takes the
// disk away from the groups' flushes.
func TestSegmentsAreFilledAsTheyAreUsed(t *testing.T) {
	const size = 16 * fillBytes
	fs := vfs.NewMem()
	l := openLog(t, fs, Options{SegmentBytes: size})
	steps := func() (n int) {
		for l.Behind() {
			n++
			if err := l.PrepareSome(); err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	if n := steps(); n != 0 || l.NeedsPrepare() {
		t.Fatalf("%d steps, ready %v: a journal is opened with a segment to write to", n, !l.NeedsPrepare())
	}
	l.append(1, 1, 3*fillBytes-pageBytes/2) // three MiB, for a record has a header
	if n := steps(); n != 8 || !l.NeedsPrepare() {
		t.Fatalf("%d steps after three MiB, ready %v; want 2, and twice what was written", n, !l.NeedsPrepare())
	}
	l.append(2, 1, 5*fillBytes-pageBytes/2)
	if n := steps(); n != 8 || l.NeedsPrepare() {
		t.Fatalf("%d steps after eight MiB, ready %v; want the other 8", n, !l.NeedsPrepare())
	}
	checkGroups(t, mustReplay(t, l.Journal), l.groups)
}

func TestAHalfFilledSegmentIsFinishedOrGivenBack(t *testing.T) {
	const size = 8 * fillBytes
	fs := vfs.NewMem()
	half := func(l *log) {
		t.Helper()
		if err := l.PrepareSome(); err != nil || !l.NeedsPrepare() {
			t.Fatalf("ready %v, %v", !l.NeedsPrepare(), err)
		}
	}
	l := openLog(t, fs, Options{SegmentBytes: size})
	l.append(1, 1, size-4*pageBytes)
	half(l)
	l.append(2, 1, size-4*pageBytes) // needs it now
	half(l)
	l.Close()
	names, err := fs.List(journalDir)
	if err != nil || slices.Contains(names, fillingName) {
		t.Errorf("a closed journal leaves %v, %v", names, err)
	}
	l2 := openLog(t, fs, Options{SegmentBytes: size})
	checkGroups(t, mustReplay(t, l2.Journal), l.groups)
}
