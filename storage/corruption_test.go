package storage

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// image is the content of a journal's folder, by file name.
type image map[string][]byte

func takeImage(t *testing.T, fs vfs.FS) image {
	t.Helper()
	names, err := fs.List(journalDir)
	if err != nil {
		t.Fatal(err)
	}
	im := image{}
	for _, name := range names {
		file, err := fs.Open(fs.PathJoin(journalDir, name))
		if err != nil {
			t.Fatal(err)
		}
		if im[name], err = io.ReadAll(file); err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	return im
}

// disk gives a disk with the image on it.
func (im image) disk(t *testing.T) *vfs.MemFS {
	t.Helper()
	fs := vfs.NewMem()
	if err := fs.MkdirAll(journalDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range im {
		file, err := fs.Create(fs.PathJoin(journalDir, name), vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write(slices.Clone(data)); err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	return fs
}

// open opens the image and replays it.
func (im image) open(t *testing.T, o Options) ([]written, error) {
	t.Helper()
	o.FS = im.disk(t)
	o.SegmentBytes = cmp.Or(o.SegmentBytes, segmentBytesTest)
	j, err := OpenJournal(journalDir, alice, o)
	if err != nil {
		return nil, err
	}
	defer j.Close()
	return replayed(j, 0)
}

// threeSegments is a journal of two closed segments, with three groups of one
// page each, and an open one with two groups. Seven records make the last take
// two pages.
func threeSegments(t *testing.T, lastRecords int) (image, []written) {
	t.Helper()
	fs := vfs.NewMem()
	l := openLog(t, fs, Options{})
	for n := 1; n <= 7; n++ {
		l.append(n, 2, 1000)
	}
	l.append(8, lastRecords, 1000)
	if segments := l.Segments(); len(segments) != 3 {
		t.Fatalf("%d segments, the test needs 3", len(segments))
	}
	return takeImage(t, fs), l.groups
}

// extent is where a group's bytes lie, without the padding.
type extent struct {
	name       string
	start, end int
}

func extents(groups []written) []extent {
	var all []extent
	for _, g := range groups {
		first, last := g.places[0], g.places[len(g.places)-1]
		all = append(all, extent{
			name:  segmentName(first.Segment),
			start: int(first.Offset) - recordHeaderBytes - frameHeaderBytes,
			end:   int(last.Offset + last.Length),
		})
	}
	return all
}

// Whatever byte goes bad: a header or a group that is not the last is
// corruption, the last group is dropped, and nothing else matters.
func TestFlipEveryByte(t *testing.T) {
	im, groups := threeSegments(t, 2)
	spans := extents(groups)
	for name, data := range im {
		for at := range data {
			if at%pageBytes > 128 && at%41 != 0 { // every byte of the heads, a sample of the rest
				continue
			}
			data[at] ^= 1 << (at % 8)
			got, err := im.open(t, Options{})
			data[at] ^= 1 << (at % 8)

			hit := slices.IndexFunc(spans, func(s extent) bool { return s.name == name && s.start <= at && at < s.end })
			if at < pageBytes || hit >= 0 && hit < len(spans)-1 {
				if corruption := new(CorruptionError); !errors.As(err, &corruption) {
					t.Fatalf("%s, byte %d of group %d: %v", name, at, hit+1, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s, byte %d: %v", name, at, err)
			}
			want := groups
			if hit == len(spans)-1 {
				want = groups[:hit]
			}
			checkGroups(t, got, want)
		}
	}
}

// A power cut may lose any pages of the last group; behind it lie zeros, or what
// a recycled file held.
func TestTornLastGroup(t *testing.T) {
	im, groups := threeSegments(t, 7) // two pages
	span := extents(groups)[7]
	if span.end-span.start <= pageBytes || span.start%pageBytes != 0 {
		t.Fatal("the last group does not take two pages")
	}
	old := rand.NewChaCha8([32]byte{})
	for _, recycled := range []bool{false, true} {
		for lost := 1; lost < 4; lost++ { // a bit for each page
			t.Run(fmt.Sprintf("recycled=%v/lost=%02b", recycled, lost), func(t *testing.T) {
				torn := image{}
				for name, data := range im {
					torn[name] = slices.Clone(data)
				}
				for page := range 2 {
					if lost&(1<<page) == 0 {
						continue
					}
					at := span.start + page*pageBytes
					clear(torn[span.name][at : at+pageBytes])
					if recycled {
						_, _ = old.Read(torn[span.name][at : at+pageBytes])
					}
				}
				checkTorn(t, torn, groups[:7], lost&1 == 0)
			})
		}
	}
}

// checkTorn opens a journal whose last group is torn, and goes on with shorter
// and longer ones over what is left of it.
func checkTorn(t *testing.T, torn image, whole []written, headerLeft bool) {
	fs := torn.disk(t)
	dropped := false
	o := Options{Observer: Observer{TailDropped: func(uint64, int64) { dropped = true }}}
	l := openLog(t, fs, o)
	if dropped != headerLeft {
		t.Errorf("the observer was told of a torn group: %v, want %v", dropped, headerLeft)
	}
	l.groups = slices.Clone(whole)
	checkGroups(t, mustReplay(t, l.Journal), l.groups)
	for n := 8; n <= 12; n++ {
		l.append(n, 1+7*(n%2), 900)
		// Each time as after a power cut that loses nothing.
		again := openLog(t, takeImage(t, fs).disk(t), Options{})
		checkGroups(t, mustReplay(t, again.Journal), l.groups)
	}
}

// A group that was dropped once has let the replica vote otherwise. Should its
// pages read well the next time, it must not come back.
func TestTornGroupStaysDropped(t *testing.T) {
	im, groups := threeSegments(t, 7)
	span := extents(groups)[7]
	page := slices.Clone(im[span.name][span.start+pageBytes : span.start+2*pageBytes])
	clear(im[span.name][span.start+pageBytes : span.start+2*pageBytes])
	fs := im.disk(t)
	openLog(t, fs, Options{}).Close()

	file, err := fs.OpenReadWrite(fs.PathJoin(journalDir, span.name), vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(page, int64(span.start+pageBytes)); err != nil {
		t.Fatal(err)
	}
	checkGroups(t, mustReplay(t, openLog(t, fs, Options{}).Journal), groups[:7])
}

// A segment has its full length before it has its name, so a short file has lost
// an unknown number of groups.
func TestTruncatedSegmentIsCorruption(t *testing.T) {
	im, groups := threeSegments(t, 7)
	span := extents(groups)[7]
	whole := im[span.name]
	for cut := range len(whole) {
		if cut%97 != 0 && cut != span.start && cut != span.end && cut%pageBytes != 0 && cut < len(whole)-2 {
			continue
		}
		im[span.name] = whole[:cut]
		_, err := im.open(t, Options{})
		if corruption := new(CorruptionError); !errors.As(err, &corruption) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
}

func TestDamagedFolder(t *testing.T) {
	first, second, third := segmentName(1), segmentName(2), segmentName(3)
	for name, c := range map[string]struct {
		damage func(image)
		reason string
	}{
		"missing segment": {func(im image) { delete(im, second) }, "segment 2 is missing"},
		"renamed segment": {func(im image) { im[second], im[third] = im[third], im[second] }, "renamed or copied"},
		"copied segment":  {func(im image) { im[segmentName(4)] = im[third] }, "renamed or copied"},
		"missing first group": {func(im image) {
			im[first] = slices.Clone(im[first])
			clear(im[first][pageBytes:])
		}, "no whole group"},
		"missing last group of a closed segment": {func(im image) {
			im[second] = slices.Clone(im[second])
			clear(im[second][3*pageBytes:])
		}, "group 7 stands in its place"},
		"missing predecessors": {func(im image) {
			delete(im, first)
			delete(im, second)
			im[third] = slices.Clone(im[third])
			clear(im[third][pageBytes:])
		}, "segments before it were released"},
		"misdirected write": {func(im image) {
			im[first] = slices.Clone(im[first])
			copy(im[first][2*pageBytes:3*pageBytes], im[first][pageBytes:])
		}, "the group fails"},
		"not a segment": {func(im image) { im[second] = make([]byte, segmentBytesTest) }, "does not begin like a segment"},
		"empty file":    {func(im image) { im[second] = nil }, "too short"},
	} {
		t.Run(name, func(t *testing.T) {
			im, _ := threeSegments(t, 2)
			c.damage(im)
			_, err := im.open(t, Options{})
			if corruption := new(CorruptionError); !errors.As(err, &corruption) || !strings.Contains(corruption.Reason, c.reason) {
				t.Errorf("got %v, want a corruption: %s", err, c.reason)
			}
		})
	}
}

// Read finds what has rotted since the journal was opened.
func TestReadDetectsBitRot(t *testing.T) {
	fs := vfs.NewMem()
	l := openLog(t, fs, Options{})
	place := l.append(1, 2, 100)[1]
	data, err := fs.UnsafeGetFileDataBuffer(fs.PathJoin(journalDir, segmentName(1)))
	if err != nil {
		t.Fatal(err)
	}
	for at := place.Offset - recordHeaderBytes; at < place.Offset+place.Length; at++ {
		data[at] ^= 0x10
		_, err := l.Read(place, nil)
		data[at] ^= 0x10
		if corruption := new(CorruptionError); !errors.As(err, &corruption) {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
}

// A segment without its summary is scanned, and nothing is missed.
func TestLostSummaryCostsOnlyAScan(t *testing.T) {
	im, groups := threeSegments(t, 2)
	for _, name := range []string{segmentName(1), segmentName(2)} {
		if !strings.HasPrefix(string(im[name][segmentBytesTest-pageBytes:]), summaryMagic) {
			t.Fatalf("%s has no summary", name)
		}
		clear(im[name][segmentBytesTest-pageBytes:])
	}
	fs := im.disk(t)
	l := openLog(t, fs, Options{})
	checkGroups(t, mustReplay(t, l.Journal), groups)
	for i, s := range l.Segments() {
		want := SegmentInfo{
			ID: uint64(i + 1), FirstGroup: uint64(3*i + 1), LastGroup: min(8, uint64(3*i+3)),
			FirstSeq: uint64(3*i + 1), LastSeq: min(8, uint64(3*i+3)), Closed: i < 2,
		}
		want.Bytes = int64(want.LastGroup-want.FirstGroup+1) * pageBytes
		if s != want {
			t.Errorf("segment %d: %+v, want %+v", i+1, s, want)
		}
	}
}

func TestForeignJournalsAreRefused(t *testing.T) {
	im, _ := threeSegments(t, 2)
	bob := alice
	bob.Member[31] ^= 1
	elsewhere := alice
	elsewhere.Chain[0] ^= 1
	for field, id := range map[string]Identity{"member": bob, "chain": elsewhere} {
		_, err := OpenJournal(journalDir, id, Options{FS: im.disk(t), SegmentBytes: segmentBytesTest})
		if identity := new(IdentityError); !errors.As(err, &identity) || identity.Field != field {
			t.Errorf("another %s: %v", field, err)
		}
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	im, _ := threeSegments(t, 2)
	header := im[segmentName(3)][:pageBytes]
	header[15] = formatVersion + 1
	sealHeader(header)
	_, err := im.open(t, Options{})
	if version := new(VersionError); !errors.As(err, &version) || version.Version != formatVersion+1 {
		t.Errorf("got %v", err)
	}
}

// The errors tell the reader what to do.
func TestErrorsAreReadable(t *testing.T) {
	for _, c := range []struct {
		err  error
		want []string
	}{
		{&CorruptionError{Path: "/d/1.seg", Segment: 1, Offset: 8192, Group: 7, Reason: "r"}, []string{"/d/1.seg", "8192", "group 7", "keep the folder", "rejoin"}},
		{&IdentityError{Path: "/d/1.seg", Field: "chain"}, []string{"/d/1.seg", "another chain", "own folder"}},
		{&VersionError{Path: "/d/1.seg", Version: 9, Newest: 1}, []string{"/d/1.seg", "9", "newer release"}},
	} {
		for _, want := range c.want {
			if !strings.Contains(c.err.Error(), want) {
				t.Errorf("%q lacks %q", c.err, want)
			}
		}
	}
}
