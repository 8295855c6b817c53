package actors

import (
	"encoding/binary"

	"github.com/cretoai/consensus/messages"
)

// parentTable finds the hashes of one generation of a VertexLedger: an open
// addressing table of at most half its slots, by the hash's own first bytes. A
// Go map would cost a vertex three times as much.
type parentTable struct {
	slots []uint32 // place in the generation, plus one; 0 is free
	used  int
}

const parentSlotsMin = 1 << 8

// add enters the next hash of the generation that begins at slot first of the
// ledger's ring.
func (t *parentTable) add(l *VertexLedger, first int) {
	if 2*(t.used+1) > len(t.slots) {
		t.slots = make([]uint32, max(2*len(t.slots), parentSlotsMin))
		for i := range t.used {
			t.place(l.at(first+i), i)
		}
	}
	t.place(l.at(first+t.used), t.used)
	t.used++
}

// reset forgets all, and keeps the room: the next generation is as large.
func (t *parentTable) reset() {
	clear(t.slots)
	t.used = 0
}

func (t *parentTable) place(hash *messages.Digest, i int) {
	mask := len(t.slots) - 1
	at := start(hash) & mask
	for t.slots[at] != 0 {
		at = (at + 1) & mask
	}
	t.slots[at] = uint32(i) + 1
}

func (t *parentTable) has(l *VertexLedger, first int, hash messages.Digest) bool {
	if t.used == 0 {
		return false
	}
	mask := len(t.slots) - 1
	for at := start(&hash) & mask; t.slots[at] != 0; at = (at + 1) & mask {
		if *l.at(first + int(t.slots[at]) - 1) == hash {
			return true
		}
	}
	return false
}

func start(hash *messages.Digest) int { return int(binary.BigEndian.Uint32(hash[:])) }
