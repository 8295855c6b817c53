package actors

import (
	"container/list"
	"errors"
	"sync"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// ErrPoolFull says that max_pending_vertices wait already. Nothing was taken;
// try again when some of them are final.
var ErrPoolFull = errors.New("the pool of pending vertices is full: retry when some are final")

// ErrStopped says that the replica stopped. Vertices it had accepted may be
// finalised by the others, or later: proposing the same vertex again is safe.
var ErrStopped = errors.New("the replica has stopped")

// ErrHalted says that the replica runs, and executes nothing any more: Tree.Halted
// says why. Of vertices it had accepted is true what ErrStopped says.
var ErrHalted = errors.New("the replica has halted")

// ErrSkipped says that a vertex, or another with its nonce, was executed among
// sequences of which this replica fetched the outcome only: another replica has
// the receipt, or had it.
var ErrSkipped = errors.New("this replica skipped the sequence in which the vertex's nonce was spent, by state transfer: ask another replica for the receipt")

// Receipt says where a vertex stands in the ledger.
type Receipt struct {
	Vertex   messages.Digest // the vertex's hash
	Seq      messages.Seq
	View     messages.View   // of the certificate seen here; replicas may differ in it
	Batch    messages.Digest // the digest the certificate signs
	Position uint32          // in the batch
	Outcome  pbft.Outcome    // Fresh, or why executing it was a no-op
	Result   Result          // what the application made of it
}

// Pool keeps the vertices that are not final yet. It belongs to the replica,
// not to an actor, and outlives every restart of one. Callers and actors use
// it under one lock, held for many vertices at a time; nobody sends a message
// per vertex.
type Pool struct {
	clock runtime.Clock
	begun time.Time
	wake  func()
	// renew gives a vertex whose nonce was spent unused another one, or nil if
	// the nonce was the caller's choice.
	renew func(encoded []byte) []byte

	mu         sync.Mutex
	entries    entryTable
	arrivals   uint64
	queue      []*entry // in the order of arrival; those taken or gone are skipped
	queued     int
	bytes      int       // of queued vertices
	leads      bool      // this replica leads the active view
	sent       []*entry  // forwarded ones, in the order of sending; those gone are skipped
	taken      []*entry  // own ones in batches proposed here, in that order, likewise
	out        int       // forwarded ones
	recent     recent    // what was executed last
	forwarding gathering // room for the next Forward
	origins    []int     // vertices by member
	// originBytes are their bytes.
	originBytes []int
	self        messages.Index
	max         int
	reserved    int       // room of the own ones that is kept for some
	seekers     list.List // of *seeker: who waits for room
	closed      error     // why nobody is served any more
}

func newPool(n int, self messages.Index, limit int, salt uint64, clock runtime.Clock, wake func()) *Pool {
	return &Pool{
		clock: clock, begun: clock.Now(), wake: wake, self: self, max: limit,
		entries: newEntryTable(salt), origins: make([]int, n), originBytes: make([]int, n),
	}
}

// now is the moment it is.
func (p *Pool) now() moment { return p.at(p.clock.Now()) }

// at is the moment of a time, noMoment if that was before the pool was.
func (p *Pool) at(t time.Time) moment { return max(moment(t.Sub(p.begun))+1, noMoment) }

// quota is how many vertices of one other member are kept here, and how many
// of the own ones this replica keeps with the leader: a full pool or a
// flooding member must not keep others out.
func (p *Pool) quota() int { return max(p.max/len(p.origins), 1) }

// Add takes as many of the encoded vertices as room was reserved for, from the
// first on, and reports how many; what is here already needs none. Their receipts go to w
// from index at on. seals are nil on a chain without creators' signatures; who calls
// has verified them.
func (p *Pool) Add(room int, vertices [][]byte, hashes []messages.Digest, seals []messages.Seal, w *Waiter, at int) (int, error) {
	now := p.now()
	slab := make([]entry, room)
	p.mu.Lock()
	p.reserved -= room
	if p.closed != nil {
		p.mu.Unlock()
		return 0, p.closed
	}
	n := 0
	for i, b := range vertices {
		e := p.entries.get(hashes[i])
		if e == nil {
			if len(slab) == 0 {
				break
			}
			e, slab = &slab[0], slab[1:]
			*e = entry{bytes: b, hash: hashes[i], seal: sealOf(seals, i), origin: p.self, accepted: now}
			p.enqueue(e)
		} else if e.origin != p.self {
			p.adopt(e, now)
		}
		e.await(place{w, at + i})
		w.Receipts[at+i].Vertex = e.hash
		n++
	}
	if len(slab) > 0 {
		p.freed()
	}
	p.mu.Unlock()
	if n > 0 {
		p.wake()
	}
	return n, nil
}

// RenewNonces has own vertices whose nonce was spent unused proposed again as
// renew gives them back; nil stands for those it leaves alone.
func (p *Pool) RenewNonces(renew func(encoded []byte) []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.renew = renew
}

func sealOf(seals []messages.Seal, i int) (s messages.Seal) {
	if seals != nil {
		s = seals[i]
	}
	return s
}

func (p *Pool) enqueue(e *entry) {
	if e.weight = len(e.bytes); e.seal.Group != nil {
		e.weight += e.seal.Group.Share()
	}
	p.arrivals++
	e.number = p.arrivals
	p.entries.put(e)
	p.origins[e.origin]++
	p.originBytes[e.origin] += e.weight
	p.push(e)
}

func (p *Pool) push(e *entry) {
	e.state = entryQueued
	p.queue = append(p.queue, e)
	p.queued++
	p.bytes += e.weight
}

// Ready reports how many vertices, and bytes of them, wait to be taken.
func (p *Pool) Ready() (vertices, bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queued, p.bytes
}

// backlog is what waits to be taken at a moment, and how many vertices had ever come.
type backlog struct {
	vertices int
	arrived  uint64
}

func (p *Pool) backlog() backlog {
	p.mu.Lock()
	defer p.mu.Unlock()
	return backlog{p.queued, p.arrivals}
}

// Cut takes the oldest vertices for a batch, within its bounds: those of the
// section that authorises them included.
func (p *Pool) Cut(verticesMax, bytesMax int) (vertices [][]byte, hashes []messages.Digest, seals []messages.Seal) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	g := newGathering(min(p.queued, verticesMax), bytesMax)
	p.scan(func(e *entry) bool {
		if len(g.vertices) == verticesMax || !g.add(e) {
			return false
		}
		p.take(e, now)
		return true
	})
	return g.vertices, g.hashes, g.seals
}

// take notes that a vertex is in a batch that is proposed here. The leader
// answers for its own as for any other: it may be the only one to know them.
func (p *Pool) take(e *entry, now moment) {
	if e.state = entryTaken; e.origin != p.self {
		return
	}
	if e.first == noMoment {
		e.first = now
	}
	p.taken = append(p.taken, e)
}

// scan offers the queued entries, oldest first, until take declines one. An
// entry whose state take changed leaves the queue.
func (p *Pool) scan(take func(*entry) bool) {
	var kept []*entry
	i := 0
	for ; i < len(p.queue); i++ {
		e := p.queue[i]
		if e.state != entryQueued {
			continue
		}
		if !take(e) {
			break
		}
		if e.state == entryQueued {
			kept = append(kept, e)
		} else {
			p.queued--
			p.bytes -= e.weight
		}
	}
	// What was offered and stays goes to the front of the rest, which may be long.
	begin := i - len(kept)
	copy(p.queue[begin:i], kept)
	clear(p.queue[:begin])
	p.queue = p.queue[begin:]
}

// Return puts the vertices of a batch back that was not proposed after all.
func (p *Pool) Return(batch *messages.Batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range batch.Len() {
		if e := p.entries.get(batch.VertexHash(i)); e != nil && e.state == entryTaken {
			p.push(e)
		}
	}
}

// Executed removes the vertices of an executed batch and hands their receipts
// to whoever waits. finality is told, for groups of own vertices accepted
// together, how long they took and how many they were. ops are the batch's fresh
// vertices, in order. It gives the backlog before anybody who waited can have come
// back.
func (p *Pool) Executed(batch *messages.Batch, receipt Receipt, outcomes []pbft.Outcome, ops []Operation, finality func(time.Duration, int)) backlog {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	before := backlog{p.queued, p.arrivals}
	p.recent.add(receipt.Seq, batch)
	removed := false
	var since moment
	together := 0
	for i := range outcomes {
		receipt.Result = Result{}
		if outcomes[i] == pbft.Fresh {
			receipt.Result, ops = ops[0].Result, ops[1:]
		}
		hash := batch.VertexHash(i)
		e := p.entries.get(hash)
		if e == nil {
			continue
		}
		encoded := e.bytes
		p.remove(e)
		removed = true
		if outcomes[i] == pbft.NonceSpent && p.tryAgain(e, encoded) {
			continue
		}
		receipt.Vertex, receipt.Position, receipt.Outcome = hash, uint32(i), outcomes[i]
		for at := range e.awaiting() {
			at.w.settle(at.i, receipt)
		}
		if e.origin == p.self {
			if together > 0 && e.accepted != since {
				finality(time.Duration(now-since), together)
				together = 0
			}
			since = e.accepted
			together++
		}
	}
	if together > 0 {
		finality(time.Duration(now-since), together)
	}
	if removed {
		p.freed()
	}
	return before
}

// tryAgain proposes an own vertex once more when its nonce was spent before it
// came to be executed: it was lost on its way to the leader and others overtook
// it by a whole window. Had it been executed, it would have left the pool then,
// so nothing is executed twice.
func (p *Pool) tryAgain(e *entry, was []byte) bool {
	if e.origin != p.self || p.renew == nil {
		return false
	}
	encoded := p.renew(was)
	if encoded == nil {
		return false
	}
	again := &entry{bytes: encoded, hash: messages.HashVertex(encoded), origin: p.self, accepted: e.accepted, waiter: e.waiter, waiters: e.waiters}
	for at := range again.awaiting() {
		at.w.rename(at.i, again.hash)
	}
	p.enqueue(again)
	return true
}

// Skipped drops the vertices whose nonce was spent in sequences up to seq that this
// replica did not execute itself, and tells who waits for them.
func (p *Pool) Skipped(seq messages.Seq, spent func(creator [32]byte, nonce uint64) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recent = recent{last: seq}
	removed := false
	for e := range p.entries.all() { // the order plays no role
		v, _, err := messages.ParseVertex(e.bytes)
		if err != nil || !spent(v.Creator(), v.Nonce()) {
			continue
		}
		p.remove(e)
		removed = true
		e.endWaiting(ErrSkipped)
	}
	if removed {
		p.freed()
	}
}

func (p *Pool) remove(e *entry) {
	p.entries.remove(e)
	p.origins[e.origin]--
	p.originBytes[e.origin] -= e.weight
	switch e.state {
	case entryQueued:
		p.queued--
		p.bytes -= e.weight
	case entryForwarded:
		p.out--
	}
	// Entries are made some at a time: those beside this one must not keep what it held.
	e.state, e.bytes, e.seal = entryGone, nil, messages.Seal{}
}

// Len is the number of vertices that are not final.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.entries.size
}

// close tells all who wait, and from now on all who propose, why nothing more comes of
// it here: ErrStopped, or ErrHalted. What was told first stays.
func (p *Pool) close(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed != nil {
		return
	}
	p.closed = why
	p.noRoom()
	for e := range p.entries.all() {
		e.endWaiting(why)
	}
}
