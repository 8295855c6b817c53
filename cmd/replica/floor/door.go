package floor

import (
	"context"
	"encoding/binary"
	"sync"

	"github.com/cretoai/consensus/messages"
)

// door is where a member takes vertices in and gives receipts out.
type door struct {
	self uint64

	mu      sync.Mutex
	groups  uint64
	waiting map[uint64]*waiter
}

// waiter is a group of vertices on its way.
type waiter struct {
	missing   int
	sequences []uint64
	done      chan struct{}
}

// A vertex's creator says whose it is: the member and its group; its nonce is the
// place in the group.
const (
	creatorMemberAt = 0
	creatorGroupAt  = 8
	creatorMarkAt   = 31 // not zero, for a creator of zeros is none
)

// admit makes a group's vertices and somebody who waits for them: the same bytes
// as a replica's door makes.
func (d *door) admit(payloads [][]byte) ([][]byte, *waiter, error) {
	w := &waiter{missing: len(payloads), sequences: make([]uint64, len(payloads)), done: make(chan struct{})}
	d.mu.Lock()
	d.groups++
	group := d.groups
	d.waiting[group] = w
	d.mu.Unlock()
	v := messages.Vertex{Expires: 1 << 19}
	binary.BigEndian.PutUint64(v.Creator[creatorMemberAt:], d.self)
	binary.BigEndian.PutUint64(v.Creator[creatorGroupAt:], group)
	v.Creator[creatorMarkAt] = 1
	encoded := make([][]byte, len(payloads))
	for i, p := range payloads {
		v.Payload, v.Nonce = p, uint64(i)
		var err error
		if encoded[i], err = v.Encode(); err != nil {
			return nil, nil, err
		}
	}
	return encoded, w, nil
}

// executed gives the door's own vertices of a batch their receipts.
func (d *door) executed(seq messages.Seq, b *batch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var (
		group uint64
		w     *waiter
	)
	for i := range len(b.offsets) - 1 {
		head := b.bytes[b.offsets[i]:]
		creator := head[8:40]
		if binary.BigEndian.Uint64(creator[creatorMemberAt:]) != d.self {
			continue
		}
		if g := binary.BigEndian.Uint64(creator[creatorGroupAt:]); w == nil || g != group {
			group, w = g, d.waiting[g]
		}
		w.sequences[binary.BigEndian.Uint64(head[40:])] = uint64(seq)
		if w.missing--; w.missing == 0 {
			delete(d.waiting, group)
			close(w.done)
		}
	}
}

// Submit implements workload.Target.
func (f *Floor) Submit(ctx context.Context, at int, payloads [][]byte) ([]uint64, error) {
	m := f.members[at]
	encoded, w, err := m.door.admit(payloads)
	if err != nil {
		return nil, err
	}
	if m.self == leader {
		m.propose(hashed(encoded))
	} else {
		m.forward(encoded)
	}
	select {
	case <-w.done:
		return w.sequences, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-f.ended.Done():
		return nil, context.Cause(f.ended)
	}
}

// hashed hashes vertices for the leader's pool.
func hashed(encoded [][]byte) []vertex {
	list := make([]vertex, len(encoded))
	for i, b := range encoded {
		list[i] = vertex{b, messages.HashVertex(b)}
	}
	return list
}
