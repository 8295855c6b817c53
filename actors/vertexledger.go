package actors

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/cretoai/consensus/messages"
)

// VertexLedger is the default application: it executes a vertex by appending
// it. A vertex whose parents are not all among the newest vertices appended
// before it, see ParentWindow, fails. The vertices themselves lie in the
// replica's ledger, where Find and Decided read them; the state is their number
// and the hashes of the newest.
//
// The zero value is the empty ledger.
type VertexLedger struct {
	count  uint64 // vertices appended
	failed uint64
	// pages are a ring of hashes: that of vertex k, from 0, is at slot k mod
	// ParentWindow. Its halves are generations: when one is full, the older one is
	// forgotten as a whole, so that nothing is ever removed from a table.
	pages  [parentPages]parentPage
	tables [2]parentTable // of the generations in the two halves
	moved  bool           // count or failed changed since they were taken
}

// ParentWindow bounds how far back a vertex's parents may lie: the last
// ParentWindow/2 vertices appended are all known, and at most ParentWindow. More
// would be a state without bound that every replica has to have.
const (
	ParentWindow = 1 << 20

	generation      = ParentWindow / 2
	parentPageSlots = 1 << 10
	parentPages     = ParentWindow / parentPageSlots
)

// parentPage is a bucket of the state.
type parentPage struct {
	hashes  []messages.Digest // up to parentPageSlots
	digest  messages.Digest
	dirty   bool // written since it was hashed
	changed bool // written since it was taken
}

// Apply implements StateMachine. What a vertex writes is its hash, after all that
// depends on its bytes: one that fails leaves nothing behind. [X5]
func (l *VertexLedger) Apply(_ messages.Seq, ops []Operation) {
	for i := range ops {
		l.moved = true
		if reason, refused := l.refuses(ops[i].Vertex); refused {
			l.failed++
			ops[i].Result = Result{Failed: true, Data: reason}
			continue
		}
		l.append(ops[i].Hash)
	}
}

// refuses says why a vertex cannot be appended. A panic over its bytes is a reason,
// the same on all replicas.
func (l *VertexLedger) refuses(v messages.VertexView) (reason string, refused bool) {
	defer func() {
		if recover() != nil {
			reason, refused = "the operation panicked", true
		}
	}()
	if p, ok := l.unknownParent(v); ok {
		return "unknown parent " + p.Hex(), true
	}
	return "", false
}

func (l *VertexLedger) unknownParent(v messages.VertexView) (messages.Digest, bool) {
	for i := range v.Parents() {
		if p := v.Parent(i); !l.knows(p) {
			return p, true
		}
	}
	return messages.Digest{}, false
}

// knows reports whether a vertex was appended, within the window.
func (l *VertexLedger) knows(hash messages.Digest) bool {
	return l.tables[0].has(l, 0, hash) || l.tables[1].has(l, generation, hash)
}

func (l *VertexLedger) append(hash messages.Digest) {
	slot := int(l.count % ParentWindow)
	page, at := &l.pages[slot/parentPageSlots], slot%parentPageSlots
	if at == len(page.hashes) {
		if at == 0 {
			page.hashes = make([]messages.Digest, 0, parentPageSlots)
		}
		page.hashes = append(page.hashes, hash)
	} else {
		page.hashes[at] = hash
	}
	page.dirty, page.changed = true, true
	l.remember(slot)
	l.count++
}

// remember counts the hash at a slot, which is the next of its generation, as one
// that is known.
func (l *VertexLedger) remember(slot int) {
	table := &l.tables[slot/generation]
	if slot%generation == 0 {
		table.reset()
	}
	table.held++
}

func (l *VertexLedger) at(slot int) *messages.Digest {
	return &l.pages[slot/parentPageSlots].hashes[slot%parentPageSlots]
}

// Count is the number of vertices appended.
func (l *VertexLedger) Count() uint64 { return l.count }

// Failed is the number of vertices that were not, for a parent's sake.
func (l *VertexLedger) Failed() uint64 { return l.failed }

// Digest implements StateMachine: the root over the two numbers and the pages,
// of which only those written since are hashed again.
func (l *VertexLedger) Digest() (root messages.Digest) {
	h := sha256.New()
	h.Write([]byte("cretoai-consensus/v1/vertices\x00"))
	h.Write(l.encodeHead())
	for i := range l.pages {
		p := &l.pages[i]
		if p.dirty {
			p.digest, p.dirty = sha256.Sum256(p.encode()), false
		}
		h.Write(p.digest[:])
	}
	h.Sum(root[:0])
	return root
}

func (l *VertexLedger) encodeHead() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, l.count), l.failed)
}

func (p *parentPage) encode() []byte {
	b := make([]byte, 0, len(p.hashes)*sha256.Size)
	for i := range p.hashes {
		b = append(b, p.hashes[i][:]...)
	}
	return b
}

// Snapshot implements StateMachine.
func (l *VertexLedger) Snapshot(w io.Writer) error { return WriteBuckets(w, l) }

// Restore implements StateMachine.
func (l *VertexLedger) Restore(r io.Reader) error { return ReadBuckets(r, l) }

// Buckets implements Bucketed: the pages, and the two numbers.
func (l *VertexLedger) Buckets() int { return parentPages + 1 }

// Changed implements Bucketed.
func (l *VertexLedger) Changed() []int {
	var list []int
	for i := range l.pages {
		if l.pages[i].changed {
			l.pages[i].changed = false
			list = append(list, i)
		}
	}
	if l.moved {
		l.moved = false
		list = append(list, parentPages)
	}
	return list
}

// Bucket implements Bucketed.
func (l *VertexLedger) Bucket(i int) []byte {
	switch {
	case i < parentPages:
		return l.pages[i].encode()
	case l.count+l.failed == 0:
		return nil
	}
	return l.encodeHead()
}

// RestoreBuckets implements Bucketed.
func (l *VertexLedger) RestoreBuckets(buckets iter.Seq2[int, []byte]) error {
	*l = VertexLedger{}
	for i, data := range buckets {
		switch {
		case i < 0 || i > parentPages:
			return fmt.Errorf("a vertex ledger's state has no bucket %d", i)
		case i == parentPages && len(data) != 8+8:
			return fmt.Errorf("a vertex ledger's numbers have %d bytes", len(data))
		case i == parentPages:
			l.count, l.failed = binary.BigEndian.Uint64(data), binary.BigEndian.Uint64(data[8:])
		case len(data)%sha256.Size != 0 || len(data) > parentPageSlots*sha256.Size:
			return fmt.Errorf("page %d of a vertex ledger's state has %d bytes", i, len(data))
		default:
			for ; len(data) > 0; data = data[sha256.Size:] {
				l.pages[i].hashes = append(l.pages[i].hashes, messages.Digest(data[:sha256.Size]))
			}
			l.pages[i].dirty = true
		}
	}
	return l.rebuild()
}

// rebuild counts the hashes of the last two generations.
func (l *VertexLedger) rebuild() error {
	slots := min(l.count, ParentWindow)
	for i := range l.pages {
		if want := min(max(int(slots)-i*parentPageSlots, 0), parentPageSlots); len(l.pages[i].hashes) != want {
			return errors.New("a vertex ledger's pages are not as full as its number says")
		}
	}
	if l.count == 0 {
		return nil
	}
	first := uint64(0)
	if newest := (l.count - 1) / generation; newest > 0 {
		first = (newest - 1) * generation
	}
	for k := first; k < l.count; k++ {
		l.remember(int(k % ParentWindow))
	}
	return nil
}
