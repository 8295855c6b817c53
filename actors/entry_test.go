package actors

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// Vertices whose hashes begin alike, which who makes them can arrange, are
// told apart, whichever leaves first.
func TestEntriesOfOneKey(t *testing.T) {
	orders := [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}
	for _, order := range orders {
		table := newEntryTable(1)
		other := &entry{hash: messages.Digest{7: 1}}
		entries := []*entry{{hash: messages.Digest{31: 1}}, {hash: messages.Digest{31: 2}}, {hash: messages.Digest{8: 1}}}
		table.put(other)
		for _, e := range entries {
			table.put(e)
		}
		left := slices.Clone(entries)
		for _, i := range order {
			table.remove(entries[i])
			left = slices.DeleteFunc(left, func(e *entry) bool { return e == entries[i] })
			for _, e := range entries {
				if got, want := table.get(e.hash) != nil, slices.Contains(left, e); got != want {
					t.Errorf("in order %v, without %d: %v is there: %v", order, i, e.hash.Hex(), got)
				}
			}
			n := 0
			for e := range table.all() {
				if n++; e != other && !slices.Contains(left, e) {
					t.Errorf("in order %v, without %d: %v is listed", order, i, e.hash.Hex())
				}
			}
			if n != len(left)+1 || table.size != n {
				t.Errorf("in order %v, without %d: %d are listed and %d counted, not %d", order, i, n, table.size, len(left)+1)
			}
		}
		if table.get(other.hash) != other || table.get(messages.Digest{31: 9}) != nil {
			t.Error("a key of another hash plays a role")
		}
	}
	table := newEntryTable(1)
	for i := range byte(3) {
		table.put(&entry{hash: messages.Digest{31: i}})
	}
	for e := range table.all() {
		table.remove(e)
	}
	if table.size != 0 || slices.ContainsFunc(table.places, func(p entryPlace) bool { return p.entry != nil }) {
		t.Errorf("%d entries are left after each was removed as it was listed", table.size)
	}
}

// Whatever comes and goes, in places beside each other, across the end of the table and
// while it grows: it finds what a map finds.
func TestEntryTableLikeAMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		table, twin := newEntryTable(1), make(map[messages.Digest]*entry)
		size := 1 + random.IntN(2*entryPlacesMin)
		for range 600 {
			// With this salt the last byte of the first word says where a search begins.
			hash := messages.Digest{7: byte(-4 + random.IntN(8)), 31: byte(random.IntN(40))}
			e := twin[hash]
			if got := table.get(hash); got != e {
				t.Fatalf("%v instead of %v", got, e)
			}
			switch {
			case e != nil:
				table.remove(e)
				delete(twin, hash)
			case len(twin) < size:
				e = &entry{hash: hash}
				table.put(e)
				twin[hash] = e
			}
		}
		for _, e := range twin {
			if table.get(e.hash) != e {
				t.Fatalf("an entry of %d is lost", len(twin))
			}
		}
		if table.size != len(twin) || len(table.places) < 2*table.size {
			t.Fatalf("%d of %d entries in %d places", table.size, len(twin), len(table.places))
		}
	}
}

// A Forward's vertices are the pool's own: they keep no frame in memory, and the room in
// which they were listed is used again.
func TestForwardedVerticesAreCopies(t *testing.T) {
	var f forwarded
	want, frame := [][]byte{}, []byte{}
	for i, size := range []int{1, 100, slabBytes, 1, 2 * slabBytes, 3000, 3000, 1} {
		b, err := (&messages.Vertex{Payload: make([]byte, size), Creator: [32]byte{9}, Nonce: uint64(i)}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		want, frame = append(want, b), append(frame, b...)
	}
	if err := f.parse(frame); err != nil {
		t.Fatal(err)
	}
	got := slices.Clone(f.vertices)
	clear(frame)
	for i := range got {
		if cap(got[i]) != len(got[i]) {
			t.Errorf("vertex %d has room behind it, where the next one lies", i)
		}
		if !slices.Equal(got[i], want[i]) || f.hashes[i] != messages.HashVertex(want[i]) {
			t.Errorf("vertex %d changed with its frame, or has another's hash", i)
		}
	}
	f.empty()
	if len(f.vertices)+len(f.hashes)+len(f.views) > 0 || f.vertices[:1][0] != nil {
		t.Error("what was parsed is kept")
	}
	if err := f.parse(frame); err == nil {
		t.Error("zeros make vertices")
	}
	if !slices.Equal(got[0], want[0]) {
		t.Error("a vertex changed with the next Forward")
	}
}

// What has left the pool is not kept in memory by what came with it and stays.
func TestPoolKeepsNothingOfWhatLeft(t *testing.T) {
	p, _ := testPool(t)
	vertices, hashes := testVertices(t, 0, 2)
	p.AddForwarded(2, &messages.Forward{}, vertices, hashes, nil)
	leaves, stays := p.entries.get(hashes[0]), p.entries.get(hashes[1])
	p.Executed(testBatch(t, vertices[:1], hashes[:1]), Receipt{Seq: 1}, make([]pbft.Outcome, 1), make([]Operation, 1), func(time.Duration, int) {})
	if leaves.bytes != nil || len(stays.bytes) == 0 || p.Len() != 1 {
		t.Errorf("%d bytes are kept of the vertex that left, %d of the one that stays", len(leaves.bytes), len(stays.bytes))
	}
}
