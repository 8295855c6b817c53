package actors

import (
	"container/list"
	"context"
)

// Room in the pool for own vertices is promised before it is used: what was numbered for
// lack of room only would leave a gap in the creator's nonces, and many such gaps one
// that is wider than a window. And it is promised in the order of asking: were all who
// wait woken whenever some vertices leave, those of an overloaded replica would
// have it do nothing else, and the unlucky would wait for ever.

// seeker waits for room.
type seeker struct {
	want, room int
	place      *list.Element // among all
	ready      chan struct{} // closed when there is room, or the pool is closed
}

// Reserve promises room for up to n own vertices, and says for how many. Whoever
// calls gives it back with Add.
func (p *Pool) Reserve(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reserve(n) // while others wait, there is none: see freed
}

func (p *Pool) reserve(n int) int {
	n = max(min(n, p.max-p.origins[p.self]-p.reserved), 0)
	p.reserved += n
	return n
}

// AwaitRoom is Reserve for who waits until there is room for one at least. The error
// says why there will not be any: that of ctx, or ErrStopped or ErrHalted.
func (p *Pool) AwaitRoom(ctx context.Context, n int) (int, error) {
	s := p.seek(n)
	select {
	case <-s.ready:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case s.room > 0:
		return s.room, nil
	case p.closed != nil:
		return 0, p.closed
	}
	p.seekers.Remove(s.place)
	return 0, context.Cause(ctx)
}

// seek queues for room.
func (p *Pool) seek(n int) *seeker {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &seeker{want: n, ready: make(chan struct{})}
	if p.closed != nil {
		close(s.ready)
		return s
	}
	s.place = p.seekers.PushBack(s)
	p.freed()
	return s
}

// freed promises what room there is to those who wait for it.
func (p *Pool) freed() {
	for front := p.seekers.Front(); front != nil; front = p.seekers.Front() {
		s := front.Value.(*seeker)
		if s.room = p.reserve(s.want); s.room == 0 {
			return
		}
		p.seekers.Remove(front)
		close(s.ready)
	}
}

// noRoom tells those who wait that the pool is closed.
func (p *Pool) noRoom() {
	for front := p.seekers.Front(); front != nil; front = p.seekers.Front() {
		p.seekers.Remove(front)
		close(front.Value.(*seeker).ready)
	}
}
