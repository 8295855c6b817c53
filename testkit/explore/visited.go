package explore

import (
	"encoding/binary"
	"sync"
)

// key names a state by the numbers of its nodes.
type key [16]byte

// visited is the set of keys met, in parts with a lock each. It takes no more
// memory than it is given.
type visited struct {
	parts [1 << partBits]part
}

type part struct {
	mu    sync.Mutex
	table []key // open addressing; the zero key is a free place
	used  int
	max   int // places
}

const (
	partBits  = 6
	placesMin = 1 << 10
	memoryMin = placesMin * (1 << partBits) * uint64(len(key{})) * 2
)

func newVisited(memory uint64) *visited {
	v := new(visited)
	// While a table doubles, the old one is there, too: tables take two thirds.
	most := memory / uint64(len(key{})) / (1 << partBits) * 2 / 3
	places := placesMin
	for uint64(places)*2 <= most {
		places *= 2
	}
	for i := range v.parts {
		v.parts[i].table, v.parts[i].max = make([]key, placesMin), places
	}
	return v
}

// add reports whether a key is new; full, that there is no room for more.
func (v *visited) add(k key) (fresh, full bool) {
	p := &v.parts[k.hash()>>(64-partBits)]
	p.mu.Lock()
	defer p.mu.Unlock()
	i, found := p.find(k)
	if found {
		return false, false
	}
	if p.used >= len(p.table)/4*3 {
		if len(p.table) >= p.max {
			return true, true
		}
		p.grow()
		i, _ = p.find(k)
	}
	p.table[i] = k
	p.used++
	return true, false
}

// hash spreads numbers that are small and alike. (SplitMix64's mixing.)
func (k key) hash() uint64 {
	x := binary.LittleEndian.Uint64(k[:])*0x9e3779b97f4a7c15 ^ binary.LittleEndian.Uint64(k[8:])*0xd1342543de82ef95
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (p *part) find(k key) (at int, found bool) {
	mask := uint64(len(p.table) - 1)
	for i := k.hash() & mask; ; i = (i + 1) & mask {
		switch p.table[i] {
		case k:
			return int(i), true
		case key{}:
			return int(i), false
		}
	}
}

func (p *part) grow() {
	old := p.table
	p.table = make([]key, 2*len(old))
	for _, k := range old {
		if k != (key{}) {
			i, _ := p.find(k)
			p.table[i] = k
		}
	}
}
