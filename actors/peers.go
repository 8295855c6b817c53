package actors

import (
	"sync"

	"github.com/cretoai/consensus/messages"
)

// peers keeps every member's newest Status for whoever asks about the cluster.
type peers struct {
	mu     sync.Mutex
	latest []*messages.Status
}

func newPeers(n int) *peers { return &peers{latest: make([]*messages.Status, n)} }

func (p *peers) heard(from messages.Index, s *messages.Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latest[from] = s
}

func (p *peers) status(member messages.Index) *messages.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	if int(member) >= len(p.latest) {
		return nil
	}
	return p.latest[member]
}
