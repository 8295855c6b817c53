package storage

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(lockChildEnv); dir != "" {
		os.Exit(lockChild(dir))
	}
	goleak.VerifyTestMain(m)
}

const journalDir = "/home/journal"

// segmentBytesTest gives segments of three pages for groups: roll-over is the
// rule, not the exception.
const segmentBytesTest = 5 * pageBytes

var alice = Identity{Chain: [32]byte{1}, Member: [32]byte{2}}

// written is a group as a test appended it.
type written struct {
	group   uint64
	records []Record
	places  []Place
}

// log is a journal with what was appended to it.
type log struct {
	t *testing.T
	*Journal
	groups []written
}

func openLog(t *testing.T, fs vfs.FS, o Options) *log {
	t.Helper()
	o.FS = fs
	if o.SegmentBytes == 0 {
		o.SegmentBytes = segmentBytesTest
	}
	j, err := OpenJournal(journalDir, alice, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return &log{t: t, Journal: j}
}

// group makes the n-th group of a test: its records, and so its bytes, follow
// from n.
func group(n, records, bytes int) []Record {
	var g []Record
	for i := range records {
		data := []byte(fmt.Sprintf("group %d record %d ", n, i))
		for len(data) < bytes {
			data = append(data, byte(n*31+i*7+len(data)))
		}
		g = append(g, Record{Kind: uint8(i), Seq: uint64(n), Data: data})
	}
	return g
}

// append appends and remembers the n-th group.
func (l *log) append(n, records, bytes int) []Place {
	l.t.Helper()
	g := group(n, records, bytes)
	places, err := l.AppendGroup(g)
	if err != nil {
		l.t.Fatal(err)
	}
	l.groups = append(l.groups, written{group: uint64(n), records: g, places: places})
	return places
}

// replayed collects what a journal holds from segment on.
func replayed(j *Journal, segment uint64) ([]written, error) {
	var all []written
	err := j.ReplayFrom(segment, func(group uint64, p Place, r Record) error {
		if n := len(all); n == 0 || all[n-1].group != group {
			all = append(all, written{group: group})
		}
		last := &all[len(all)-1]
		r.Data = bytes.Clone(r.Data)
		last.records = append(last.records, r)
		last.places = append(last.places, p)
		return nil
	})
	return all, err
}

func mustReplay(t *testing.T, j *Journal) []written {
	t.Helper()
	all, err := replayed(j, 0)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// equal compares two groups. It does not compare places that want does not have.
func (w written) equal(want written) bool {
	if w.group != want.group || len(w.records) != len(want.records) {
		return false
	}
	for i, r := range want.records {
		got := w.records[i]
		if got.Kind != r.Kind || got.Seq != r.Seq || !bytes.Equal(got.Data, r.Data) {
			return false
		}
		if want.places != nil && w.places[i] != want.places[i] {
			return false
		}
	}
	return true
}

func checkGroups(t *testing.T, got, want []written) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d groups replayed, want %d", len(got), len(want))
	}
	for i := range want {
		if !got[i].equal(want[i]) {
			t.Fatalf("group %d replayed as %d, or with other records or places", want[i].group, got[i].group)
		}
	}
}
