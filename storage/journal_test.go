package storage

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/actors/runtime"
)

func TestJournalKeepsGroupsOverReopening(t *testing.T) {
	fs := vfs.NewMem()
	l := openLog(t, fs, Options{})
	for n := 1; n <= 20; n++ {
		l.append(n, 1+n%3, 100*n)
	}
	checkGroups(t, mustReplay(t, l.Journal), l.groups)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again := openLog(t, fs, Options{})
	again.groups = l.groups
	again.append(21, 2, 1000)
	checkGroups(t, mustReplay(t, again.Journal), again.groups)
}

func TestJournalOnTheRealDisk(t *testing.T) {
	dir := t.TempDir() + "/home/journal"
	open := func() *Journal {
		j, err := OpenJournal(dir, alice, Options{SegmentBytes: segmentBytesTest})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	j := open()
	var places []Place
	for n := 1; n <= 20; n++ {
		p, err := j.AppendGroup(group(n, 2, 2000))
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, p[1])
		if n%5 == 0 {
			if err := j.Release(uint64(n / 5)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open()
	defer j.Close()
	data, err := j.Read(places[19], nil)
	if want := group(20, 2, 2000)[1].Data; err != nil || !slices.Equal(data, want) {
		t.Errorf("the last record reads as %d bytes, %v", len(data), err)
	}
}

func TestReadFindsEveryRecord(t *testing.T) {
	l := openLog(t, vfs.NewMem(), Options{})
	var buf []byte
	for n := 1; n <= 12; n++ {
		l.append(n, 1+n%3, 1+300*n)
	}
	l.append(13, 1, 0)
	for _, g := range l.groups {
		for i, p := range g.places {
			data, err := l.Read(p, buf)
			if err != nil || !slices.Equal(data, g.records[i].Data) {
				t.Fatalf("record %d of group %d at %+v: %d bytes, %v", i, g.group, p, len(data), err)
			}
			buf = data
		}
	}
	for _, wrong := range []func(*Place){
		func(p *Place) { *p = Place{} },
		func(p *Place) { p.Segment = 99 },
		func(p *Place) { p.Offset++ },
		func(p *Place) { p.Offset = 0 },
		func(p *Place) { p.Length++ },
		func(p *Place) { p.Length-- },
		func(p *Place) { p.Length = 1 << 31 },
	} {
		p := l.groups[4].places[0]
		wrong(&p)
		_, err := l.Read(p, nil)
		if corruption := new(CorruptionError); !errors.As(err, &corruption) {
			t.Errorf("read at %+v: %v", p, err)
		}
	}
}

func TestGroupsThatDoNotFit(t *testing.T) {
	l := openLog(t, vfs.NewMem(), Options{})
	room := segmentBytesTest - 2*pageBytes - frameHeaderBytes - recordHeaderBytes
	if _, err := l.AppendGroup([]Record{{Data: make([]byte, room+1)}}); !errors.Is(err, ErrGroupTooLarge) {
		t.Errorf("a byte too many: %v", err)
	}
	if places, err := l.AppendGroup(nil); err != nil || places != nil {
		t.Errorf("an empty group: %v, %v", places, err)
	}
	// The journal works on, and the largest group fits a segment exactly.
	l.append(1, 1, 100)
	full, err := l.AppendGroup([]Record{{Data: make([]byte, room)}})
	if err != nil {
		t.Fatal(err)
	}
	if full[0].Segment != 2 {
		t.Errorf("a group that needs a whole segment went to %d, not to the next", full[0].Segment)
	}
	if got := mustReplay(t, l.Journal); len(got) != 2 || got[1].group != 2 {
		t.Errorf("%d groups", len(got))
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{
		{SegmentBytes: segmentBytesMin - pageBytes},
		{SegmentBytes: segmentBytesMax + pageBytes},
		{SegmentBytes: segmentBytesMin + 1},
		{SegmentBytes: -pageBytes},
		{Sync: SyncNever + 1},
	} {
		o.FS = vfs.NewMem()
		if j, err := OpenJournal(journalDir, alice, o); err == nil {
			j.Close()
			t.Errorf("accepted %+v", o)
		}
	}
}

// Old segments keep their size. A prepared one of another size gives way, so
// that what AppendGroup takes fits the next segment.
func TestSegmentSizeMayChange(t *testing.T) {
	fs := vfs.NewMem()
	var groups []written
	n := 0
	for _, pages := range []int64{5, 16, 4} {
		l := openLog(t, fs, Options{SegmentBytes: pages * pageBytes})
		l.groups = groups
		for range 5 {
			n++
			l.append(n, 1, int(pages-3)*pageBytes) // in a segment of its own
			if err := l.PrepareNext(); err != nil {
				t.Fatal(err)
			}
		}
		checkGroups(t, mustReplay(t, l.Journal), l.groups)
		groups = l.groups
		l.Close()
	}
	l := openLog(t, fs, Options{SegmentBytes: 4 * pageBytes})
	checkGroups(t, mustReplay(t, l.Journal), groups)
	if got := len(l.Segments()); got != n {
		t.Errorf("%d segments for %d groups", got, n)
	}
}

func TestReplayFromASegment(t *testing.T) {
	l := openLog(t, vfs.NewMem(), Options{})
	for n := 1; n <= 9; n++ { // three to a segment
		l.append(n, 1, 100)
	}
	got, err := replayed(l.Journal, 2)
	if err != nil {
		t.Fatal(err)
	}
	checkGroups(t, got, l.groups[3:])
	if got, err := replayed(l.Journal, 4); err != nil || len(got) != 0 {
		t.Errorf("from the segment that comes next: %d groups, %v", len(got), err)
	}
	_, err = replayed(l.Journal, 5)
	if corruption := new(CorruptionError); !errors.As(err, &corruption) {
		t.Errorf("from a segment that never was: %v", err)
	}
	if err := l.Release(2); err != nil {
		t.Fatal(err)
	}
	if _, err = replayed(l.Journal, 1); !errors.Is(err, ErrReleased) {
		t.Errorf("from a released segment: %v", err)
	}
	if _, err := l.Read(l.groups[0].places[0], nil); !errors.Is(err, ErrReleased) {
		t.Errorf("read from a released segment: %v", err)
	}
	stop := errors.New("enough")
	if err := l.Replay(func(uint64, Place, Record) error { return stop }); err != stop {
		t.Errorf("an error of visit came back as %v", err)
	}
}

func TestSegmentsTellTheirSequences(t *testing.T) {
	fs := vfs.NewMem()
	l := openLog(t, fs, Options{})
	for _, seqs := range [][]uint64{{0}, {9, 0, 4}, {7}, {0}, {0}, {0}, {12}} { // three groups to a segment
		var records []Record
		for _, seq := range seqs {
			records = append(records, Record{Seq: seq})
		}
		if _, err := l.AppendGroup(records); err != nil {
			t.Fatal(err)
		}
	}
	want := [][2]uint64{{4, 9}, {0, 0}, {12, 12}}
	check := func(infos []SegmentInfo) {
		t.Helper()
		for i, info := range infos {
			if got := [2]uint64{info.FirstSeq, info.LastSeq}; got != want[i] {
				t.Errorf("segment %d: %v, want %v", info.ID, got, want[i])
			}
		}
	}
	check(l.Segments())
	check(openLog(t, fs, Options{}).Segments()) // from summaries and a scan
}

// A replay is of what was there when it began, and keeps it there.
func TestReplayWhileAppendingAndReleasing(t *testing.T) {
	l := openLog(t, vfs.NewMem(), Options{})
	for n := 1; n <= 9; n++ {
		l.append(n, 1, 100)
	}
	var seen []uint64
	err := l.Replay(func(group uint64, _ Place, _ Record) error {
		if len(seen) == 0 {
			for n := 10; n <= 19; n++ {
				l.append(n, 1, 100)
			}
			if err := l.Release(99); err != nil {
				return err
			}
		}
		seen = append(seen, group)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(seen, want) {
		t.Errorf("replayed groups %v, want %v", seen, want)
	}
	if err := l.Release(99); err != nil {
		t.Fatal(err)
	}
	if got := l.Segments(); len(got) != 1 || got[0].LastGroup != 19 {
		t.Errorf("after the replay %+v is left, want the last segment only", got)
	}
}

// One appends, others read, prepare, release, list and replay. Run with -race.
func TestConcurrentUse(t *testing.T) {
	l := openLog(t, vfs.NewMem(), Options{})
	const groups = 300
	places := make(chan Place, groups)
	var others sync.WaitGroup
	for range 3 {
		others.Go(func() {
			var buf []byte
			for p := range places {
				data, err := l.Read(p, buf)
				if errors.Is(err, ErrReleased) {
					continue
				}
				if err != nil || !strings.HasPrefix(string(data), "group ") {
					t.Errorf("read %+v: %.20q, %v", p, data, err)
				}
				buf = data
			}
		})
	}
	turns := make(chan int, groups)
	others.Go(func() {
		for turn := range turns {
			var err error
			switch segments := l.Segments(); turn % 4 {
			case 0:
				err = l.PrepareNext()
			case 1:
				err = l.Release(segments[len(segments)-1].ID)
			case 2:
				l.NeedsPrepare()
			case 3:
				_, err = replayed(l.Journal, 0)
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	for n := 1; n <= groups; n++ {
		got, err := l.AppendGroup(group(n, 2, 700))
		if err != nil {
			t.Fatal(err)
		}
		places <- got[1]
		turns <- n
	}
	close(places)
	close(turns)
	others.Wait()
}

func TestObserverIsTold(t *testing.T) {
	var told []string
	tell := func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }
	clock := runtime.NewVirtual(time.Unix(0, 0))
	l := openLog(t, vfs.NewMem(), Options{
		Now: func() time.Time { clock.Advance(time.Second); return clock.Now() },
		Observer: Observer{
			Flushed:         func(d time.Duration, bytes int) { tell("flushed %d in %v", bytes, d) },
			SegmentPrepared: func(d time.Duration, recycled bool) { tell("prepared in %v, recycled %v", d, recycled) },
			SegmentClosed:   func(id uint64, bytes int64) { tell("closed %d with %d", id, bytes) },
			SegmentReleased: func(id uint64, recycled bool) { tell("released %d, recycled %v", id, recycled) },
		},
	})
	for n := 1; n <= 4; n++ {
		l.append(n, 1, 5000*(n%2))
	}
	if err := l.Release(2); err != nil {
		t.Fatal(err)
	}
	if err := l.PrepareNext(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"prepared in 1s, recycled false",
		"flushed 8192 in 1s",
		"flushed 4096 in 1s",
		"closed 1 with 12288",
		"prepared in 1s, recycled false",
		"flushed 8192 in 1s",
		"flushed 4096 in 1s",
		"released 1, recycled true",
		"prepared in 1s, recycled true",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
}
