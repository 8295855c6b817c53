package actors

import (
	"sync"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/messages"
)

// peers keeps every member's newest Status for whoever asks about the cluster,
// since when each is silent, and what there is to say about whether it votes.
type peers struct {
	self  messages.Index
	clock runtime.Clock

	mu     sync.Mutex
	latest []*messages.Status
	views  []messages.View // the highest each ever told, in any of its lives
	since  []time.Time
	moved  []time.Time // when it last told of a sequence more, see abstention.go
	asked  []time.Time // when it last asked whether it has ever voted
}

func newPeers(n int, self messages.Index, clock runtime.Clock) *peers {
	p := &peers{
		self: self, clock: clock, latest: make([]*messages.Status, n), views: make([]messages.View, n),
		since: make([]time.Time, n), moved: make([]time.Time, n), asked: make([]time.Time, n),
	}
	for i := range p.since {
		p.since[i] = clock.Now()
	}
	return p
}

func (p *peers) heard(from messages.Index, s *messages.Status) {
	now := p.clock.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if before := p.latest[from]; before == nil || s.Executed > before.Executed {
		p.moved[from] = now
	}
	p.latest[from], p.since[from] = s, now
	p.views[from] = max(p.views[from], s.View)
}

// silent gives the other members not heard of for so long, each once in that
// time. If this replica was late itself, all are excused up to now.
func (p *peers) silent(now time.Time, long time.Duration, late bool) []messages.Index {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []messages.Index
	for i, since := range p.since {
		member := messages.Index(i)
		if member == p.self || !late && now.Sub(since) < long {
			continue
		}
		p.since[i] = now
		if !late {
			list = append(list, member)
		}
	}
	return list
}

// view is the highest view a member ever told to be in.
func (p *peers) view(member messages.Index) messages.View {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.views[member]
}

func (p *peers) status(member messages.Index) *messages.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	if int(member) >= len(p.latest) {
		return nil
	}
	return p.latest[member]
}
