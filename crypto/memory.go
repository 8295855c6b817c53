package crypto

import (
	"crypto/sha256"
	"sync"

	"github.com/cretoai/consensus/messages"
)

// memory remembers which signatures were verified, so that a bundle that comes
// again costs a hash: sent again, or in one certificate after another, which is
// how a late replica gets most of what it fetches. Only what holds is
// remembered. Each member has a bounded part of its own: one that floods pushes
// out its own bundles and nobody else's.
type memory struct {
	bound int

	mu      sync.Mutex
	members []remembered
	hits    uint64
}

// remembered are ids as they came; once full, a ring whose oldest is at next.
type remembered struct {
	ids   map[[32]byte]struct{}
	order [][32]byte
	next  int
}

// Remember gives a keyring that does not verify the same signature twice, as far
// as it remembers: the last so many bundles of each member.
func (k *Keyring) Remember(bundles int) *Keyring {
	if bundles < 1 {
		panic("a memory of nothing")
	}
	other := *k
	other.memory = newMemory(bundles, k.N())
	return &other
}

func newMemory(bound, members int) *memory {
	return &memory{bound: bound, members: make([]remembered, members)}
}

// Remembered is how many verifications were saved so far.
func (k *Keyring) Remembered() uint64 {
	if k.memory == nil {
		return 0
	}
	k.memory.mu.Lock()
	defer k.memory.mu.Unlock()
	return k.memory.hits
}

// id is a hash of everything a verification depends on: purpose, key by its hash, what
// is signed, whose first bytes tell its length, and signature. Nothing can be read in
// two ways.
func (m *memory) id(p Purpose, key, signed, signature []byte) (id [32]byte) {
	h := sha256.New()
	h.Write([]byte(p))
	h.Write([]byte{0})
	h.Write(key)
	h.Write(signed)
	h.Write(signature)
	h.Sum(id[:0])
	return id
}

func (m *memory) has(from messages.Index, id [32]byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.members[from].ids[id]
	if ok {
		m.hits++
	}
	return ok
}

func (m *memory) keep(from messages.Index, id [32]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := &m.members[from]
	if _, ok := r.ids[id]; ok {
		return // verified by two at the same time
	}
	if r.ids == nil {
		r.ids = make(map[[32]byte]struct{})
	}
	if len(r.order) < m.bound {
		r.order = append(r.order, id)
	} else {
		delete(r.ids, r.order[r.next])
		r.order[r.next] = id
		r.next = (r.next + 1) % m.bound
	}
	r.ids[id] = struct{}{}
}
