package actors

import (
	"encoding/binary"
	"math/bits"

	"github.com/cretoai/consensus/messages"
)

// parentTable finds the hashes of one generation of a VertexLedger: an open
// addressing table of at most half its slots, by the hash's own first bytes. A
// Go map would cost a vertex three times as much. Hashes are entered when somebody
// asks for one: where vertices have no parents, they cost nothing.
type parentTable struct {
	slots []uint32 // place in the generation, plus one; 0 is free
	used  int      // hashes entered
	held  int      // hashes of the generation
}

const parentSlotsMin = 1 << 8

// enter brings the table up to date with the generation that begins at slot first
// of the ledger's ring.
func (t *parentTable) enter(l *VertexLedger, first int) {
	if 2*t.held > len(t.slots) {
		t.slots = make([]uint32, max(1<<bits.Len(uint(2*t.held-1)), parentSlotsMin))
		t.used = 0
	}
	for ; t.used < t.held; t.used++ {
		t.place(l.at(first+t.used), t.used)
	}
}

// reset forgets all, and keeps the room: the next generation is as large.
func (t *parentTable) reset() {
	if t.used > 0 {
		clear(t.slots)
	}
	t.used, t.held = 0, 0
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
	if t.held == 0 {
		return false
	}
	t.enter(l, first)
	mask := len(t.slots) - 1
	for at := start(&hash) & mask; t.slots[at] != 0; at = (at + 1) & mask {
		if *l.at(first + int(t.slots[at]) - 1) == hash {
			return true
		}
	}
	return false
}

func start(hash *messages.Digest) int { return int(binary.BigEndian.Uint32(hash[:])) }
