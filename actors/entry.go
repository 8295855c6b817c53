package actors

import (
	"encoding/binary"
	"iter"

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
	next    *entry  // in the table, with the same key
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

// entryTable finds entries by their hashes. Its keys are the hashes' first words, since
// the table is looked into for every vertex of every batch and small tables stay in the
// caches. Whoever makes vertices can make two with the same word; a list of many would
// take them more than it costs here.
type entryTable struct {
	lists map[uint64]*entry
	size  int
}

func newEntryTable() entryTable { return entryTable{lists: make(map[uint64]*entry)} }

func entryKey(hash messages.Digest) uint64 { return binary.LittleEndian.Uint64(hash[:]) }

// get gives the entry of a hash, nil if there is none.
func (t *entryTable) get(hash messages.Digest) *entry {
	e := t.lists[entryKey(hash)]
	for e != nil && e.hash != hash {
		e = e.next
	}
	return e
}

// put adds an entry whose hash is not there.
func (t *entryTable) put(e *entry) {
	key := entryKey(e.hash)
	e.next = t.lists[key]
	t.lists[key] = e
	t.size++
}

// remove takes out an entry that is there.
func (t *entryTable) remove(e *entry) {
	key := entryKey(e.hash)
	switch before := t.lists[key]; {
	case before == e && e.next == nil:
		delete(t.lists, key)
	case before == e:
		t.lists[key] = e.next
	default:
		for before.next != e {
			before = before.next
		}
		before.next = e.next
	}
	e.next = nil
	t.size--
}

// all gives the entries in no order. The one given may be removed.
func (t *entryTable) all() iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for _, e := range t.lists {
			for e != nil {
				next := e.next
				if !yield(e) {
					return
				}
				e = next
			}
		}
	}
}
