package storage

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A recycled segment is full of frames, at the offsets where the new ones end.
func TestRecycledSegmentsHideOldFrames(t *testing.T) {
	fs := vfs.NewMem()
	recycled := 0
	l := openLog(t, fs, Options{Observer: Observer{
		SegmentReleased: func(_ uint64, kept bool) {
			if kept {
				recycled++
			}
		},
	}})
	for n := 1; n <= 120; n++ {
		l.append(n, 1+n%2, 1500*(1+n%4))
		segments := l.Segments()
		if err := l.Release(segments[max(0, len(segments)-2)].ID); err != nil {
			t.Fatal(err)
		}
		// As after a kill: nothing was closed.
		again := openLog(t, takeImage(t, fs).disk(t), Options{})
		first := again.Segments()[0].FirstGroup
		checkGroups(t, mustReplay(t, again.Journal), l.groups[first-1:])
		again.Close()
	}
	if recycled < 30 {
		t.Errorf("only %d segments were recycled", recycled)
	}
}

// Released segments are kept as far as new ones are needed, and no further.
func TestReleasedSegmentsAreKeptForThoseToCome(t *testing.T) {
	fs := vfs.NewMem()
	made := 0 // segments, of zeros
	l := openLog(t, fs, Options{Observer: Observer{
		SegmentPrepared: func(_ time.Duration, recycled bool) {
			if !recycled {
				made++
			}
		},
	}})
	group := 0
	grow := func(segments int) { // there are three groups in one
		for range 3 * segments {
			group++
			l.append(group, 1, 100)
		}
	}
	count := func(wantSegments, wantSpares int) {
		t.Helper()
		segments, spares := 0, 0
		for name := range takeImage(t, fs) {
			switch {
			case strings.HasSuffix(name, segmentSuffix):
				segments++
			case strings.HasSuffix(name, spareSuffix):
				spares++
			}
		}
		if segments != wantSegments || spares != wantSpares {
			t.Errorf("%d segments and %d spares are left, want %d and %d", segments, spares, wantSegments, wantSpares)
		}
	}
	check := func(before uint64, wantSegments, wantSpares int) {
		t.Helper()
		if err := l.Release(before); err != nil {
			t.Fatal(err)
		}
		count(wantSegments, wantSpares)
	}
	grow(10)
	check(9, 2, 8) // of ten that were needed eight are left over
	before := made
	grow(8)
	if made != before {
		t.Errorf("%d segments were filled with zeros, with as many in store", made-before)
	}
	check(11, 8, 2) // those released, and none more was in store
	grow(1)
	check(17, 3, sparesMin) // fewer are needed now
	if err := l.Release(99); err != nil {
		t.Fatal(err)
	}
	if got := l.Segments(); len(got) != 1 || got[0].LastGroup != uint64(group) {
		t.Errorf("%+v is left, want the segment with the last group", got)
	}
	grow(2 * sparesMax)
	check(99, 1, sparesMax)
	l.Close()
	// Spares of another size are of no use.
	openLog(t, fs, Options{SegmentBytes: 16 * pageBytes})
	count(1, 0)
}

// A crash while a segment is being filled leaves a file of up to a segment's size
// that nobody would miss.
func TestHalfPreparedSegmentIsRemoved(t *testing.T) {
	im, groups := threeSegments(t, 2)
	im[fillingName] = make([]byte, 3*pageBytes)
	fs := im.disk(t)
	l := openLog(t, fs, Options{})
	checkGroups(t, mustReplay(t, l.Journal), groups)
	if _, left := takeImage(t, fs)[fillingName]; left {
		t.Error("the half prepared segment is still there")
	}
}

// Payloads come from strangers. One that is full of frames, right in everything
// but the salt, is recorded, released and recycled; what follows the new end is
// then such a frame, of the right segment and with the next number.
func TestPayloadShapedLikeFrames(t *testing.T) {
	const size = 16 * pageBytes
	seed := [32]byte{7}
	salts := rand.NewChaCha8(seed)
	drawn := func() uint64 { return salts.Uint64() | 1 }
	first, _, third := drawn(), drawn(), drawn()

	for name, c := range map[string]struct {
		salt  uint64
		works bool // the journal, as if nothing had happened
	}{
		"salt of an earlier use": {first, true},
		"no salt":                {0, true},
		"the salt itself":        {third, false}, // shows that the frames are well aimed
	} {
		t.Run(name, func(t *testing.T) {
			fs := vfs.NewMem()
			l := openLog(t, fs, Options{SegmentBytes: size, Rand: rand.NewChaCha8(seed)})
			forged := appendFrame(nil, newSeal(3, c.salt), 4, group(4, 1, 100))
			var payload []byte
			payload = append(payload, make([]byte, pageBytes-frameHeaderBytes-recordHeaderBytes)...)
			for range 12 {
				payload = append(payload, forged...)
			}
			for range 2 { // segments 1 and 2
				if _, err := l.AppendGroup([]Record{{Seq: 1, Data: payload}}); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.Release(2); err != nil {
				t.Fatal(err)
			}
			places, err := l.AppendGroup([]Record{{Seq: 1, Data: make([]byte, 10*pageBytes)}})
			if err != nil || places[0].Segment != 3 {
				t.Fatalf("the third group is at %+v, %v", places, err)
			}
			got, err := takeImage(t, fs).open(t, Options{SegmentBytes: size})
			if c.works != (err == nil && len(got) == 2) {
				t.Errorf("%d groups, %v", len(got), err)
			}
		})
	}
}
