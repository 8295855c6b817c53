package explore

import "sync"

// numbered keeps one value of each kind, numbered from 1.
type numbered[V any] struct {
	mu    sync.Mutex
	known map[[32]byte]V
	list  []V // by number, less one
}

// get gives the value of a kind, made with the next number if there is none yet.
func (n *numbered[V]) get(kind [32]byte, make1 func(number uint32) V) V {
	n.mu.Lock()
	defer n.mu.Unlock()
	if v, ok := n.known[kind]; ok {
		return v
	}
	if n.known == nil {
		n.known = make(map[[32]byte]V)
	}
	v := make1(uint32(len(n.known) + 1))
	n.known[kind], n.list = v, append(n.list, v)
	return v
}

// number gives a value by its number.
func (n *numbered[V]) number(i uint32) V {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.list[i-1]
}

// memo remembers what depends on a key alone. Two may find out at the same time;
// they find the same.
type memo[K comparable, V any] struct {
	mu    sync.RWMutex
	known map[K]V
}

func (m *memo[K, V]) get(k K, find func() V) V {
	m.mu.RLock()
	v, ok := m.known[k]
	m.mu.RUnlock()
	if ok {
		return v
	}
	v = find()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = make(map[K]V)
	}
	if before, ok := m.known[k]; ok {
		return before
	}
	m.known[k] = v
	return v
}
