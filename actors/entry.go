package actors

import (
	"encoding/binary"
	"iter"
	"math/bits"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// entry is one pending vertex.
type entry struct {
	bytes    []byte
	hash     messages.Digest
	seal     messages.Seal
	number   uint64 // in the order of arrival
	accepted moment
	first    moment // when it was first forwarded in this view
	sent     moment // and last
	shared   moment // when everybody was told last
	weight   int    // bytes, those of its seal included as far as they are its own
	origin   messages.Index
	state    entryState
	relayed  bool // another member's, to be passed on and timed here

	waiter  place   // who waits for the receipt; mostly it is one
	waiters []place // and the others
}

type entryState uint8

const (
	entryQueued entryState = iota
	entryForwarded
	entryTaken
	entryGone
)

// moment is a time on a pool's clock, in nanoseconds from a moment before the pool;
// noMoment is before all of them. An entry has four, and a time.Time is three words,
// one of which the garbage collector follows.
type moment int64

const noMoment moment = 0

// await has a caller told of what becomes of the vertex.
func (e *entry) await(at place) {
	if e.waiter.w == nil {
		e.waiter = at
		return
	}
	e.waiters = append(e.waiters, at)
}

// awaiting gives who waits for the vertex.
func (e *entry) awaiting() iter.Seq[place] {
	return func(yield func(place) bool) {
		if e.waiter.w == nil || !yield(e.waiter) {
			return
		}
		for _, at := range e.waiters {
			if !yield(at) {
				return
			}
		}
	}
}

// endWaiting ends the waiting of all who wait for a vertex.
func (e *entry) endWaiting(why error) {
	for at := range e.awaiting() {
		at.w.end(why)
	}
	e.waiter, e.waiters = place{}, nil
}

// entryTable finds entries by their hashes. It is looked into for every vertex of every
// batch, mostly in vain, since a vertex is pending with its leader and where it was
// proposed: so the hashes' first words lie beside each other, in a table that is half
// full at most, and a search goes on to the next place until one is free. Whoever makes
// vertices has some say in their hashes; where they go depends on a number that nobody
// is told.
type entryTable struct {
	places []entryPlace // a power of two of them
	shift  int          // a word has as many bits more than the power
	salt   uint64       // odd
	size   int
}

type entryPlace struct {
	key   uint64
	entry *entry // nil: free
}

const entryPlacesMin = 64

func newEntryTable(salt uint64) entryTable {
	t := entryTable{salt: salt | 1}
	t.grow(entryPlacesMin)
	return t
}

func entryKey(hash messages.Digest) uint64 { return binary.LittleEndian.Uint64(hash[:]) }

// home is the place at which the search for a key begins.
func (t *entryTable) home(key uint64) int { return int(key * t.salt >> t.shift) }

func (t *entryTable) next(i int) int { return (i + 1) & (len(t.places) - 1) }

// get gives the entry of a hash, nil if there is none.
func (t *entryTable) get(hash messages.Digest) *entry {
	key := entryKey(hash)
	for i := t.home(key); ; i = t.next(i) {
		p := &t.places[i]
		if p.entry == nil || p.key == key && p.entry.hash == hash {
			return p.entry
		}
	}
}

// put adds an entry whose hash is not there.
func (t *entryTable) put(e *entry) {
	if t.size++; 2*t.size > len(t.places) {
		t.grow(2 * len(t.places))
	}
	t.place(entryPlace{entryKey(e.hash), e})
}

func (t *entryTable) place(p entryPlace) {
	i := t.home(p.key)
	for t.places[i].entry != nil {
		i = t.next(i)
	}
	t.places[i] = p
}

// remove takes out an entry that is there. What lies behind it and would not be found
// across the gap moves into it.
func (t *entryTable) remove(e *entry) {
	gap := t.home(entryKey(e.hash))
	for t.places[gap].entry != e {
		gap = t.next(gap)
	}
	from := func(i, j int) int { return (j - i) & (len(t.places) - 1) }
	for i := t.next(gap); t.places[i].entry != nil; i = t.next(i) {
		if from(t.home(t.places[i].key), i) >= from(gap, i) {
			t.places[gap] = t.places[i]
			gap = i
		}
	}
	t.places[gap] = entryPlace{}
	t.size--
}

func (t *entryTable) grow(places int) {
	before := t.places
	t.places, t.shift = make([]entryPlace, places), 64-bits.TrailingZeros(uint(places))
	for _, p := range before {
		if p.entry != nil {
			t.place(p)
		}
	}
}

// all gives the entries there are, in no order. They may be removed meanwhile.
func (t *entryTable) all() iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for _, p := range slices.Clone(t.places) {
			if p.entry != nil && !yield(p.entry) {
				return
			}
		}
	}
}
