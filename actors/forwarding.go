package actors

import (
	"cmp"
	"slices"
	"time"

	"github.com/cretoai/consensus/messages"
)

// How vertices reach the leader, and when it answers for one. An own vertex is
// sent to the leader, after half of the view's timeout to everybody, and after
// the whole of it the leader is suspected. Who gets to know a vertex by such a
// broadcast passes it on as well, within its own quota, and suspects the leader
// after another half: a leader that censors a caller convinces everybody.

// originBytesMax bounds what is kept of another member's vertices.
const originBytesMax = 16 << 20

// forwardedSlab is how many entries of another member's vertices are made at once. One
// that stays keeps those beside it in memory, so it bounds what a member can
// have kept by vertices that never become final.
const forwardedSlab = 16

// AddForwarded takes vertices another member forwarded, up to twice its quota,
// for it may have executed what this replica has yet to; it reports how many
// were new, and how many found no room. What is dropped is forwarded again. A replica that does not
// lead passes them on to the leader.
//
// Copies are left out: of what waits here, and of what this replica executed
// and the member, when it sent this, had not. It will, and needs no second
// copy. A member that proposes again what it has executed gets its no-op. [B2]
func (p *Pool) AddForwarded(from messages.Index, m *messages.Forward, vertices [][]byte, hashes []messages.Digest, seals []messages.Seal) (added, dropped int) {
	now := p.now()
	var slab []entry
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, b := range vertices {
		if p.closed != nil || p.origins[from] >= 2*p.quota() || p.originBytes[from]+len(b) > originBytesMax {
			return added, len(vertices) - i
		}
		if p.entries.get(hashes[i]) == nil && !(m.Again && p.recent.executedAfter(m.Executed, hashes[i])) {
			if len(slab) == 0 {
				slab = make([]entry, min(len(vertices)-i, forwardedSlab))
			}
			slab[0] = entry{bytes: b, hash: hashes[i], seal: sealOf(seals, i), origin: from, relayed: !p.leads, accepted: now}
			p.enqueue(&slab[0])
			slab = slab[1:]
			added++
		}
	}
	return added, 0
}

// Forward takes the oldest vertices that go to the leader: as many bytes as
// asked for, and no more than the quota with the leader in all. Those sent
// before the given time and still pending are sent again: they were lost.
func (p *Pool) Forward(bytesMax int, again time.Time) messages.Forward {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	lost := p.at(again)
	for len(p.sent) > 0 && (p.sent[0].state != entryForwarded || p.sent[0].sent < lost) {
		if e := p.sent[0]; e.state == entryForwarded {
			p.out--
			p.push(e)
		}
		p.sent = p.sent[1:]
	}
	// Under one lock with the vertices: none of them was executed up to here.
	m := messages.Forward{Executed: p.recent.last}
	quota, g := p.quota(), &p.forwarding
	g.begin(bytesMax)
	p.scan(func(e *entry) bool {
		if p.out >= quota {
			return false
		}
		if !p.forwards(e) {
			return true
		}
		if !g.add(e) {
			return false
		}
		m.Again = m.Again || e.relayed || e.sent != noMoment
		if e.state, e.sent = entryForwarded, now; e.first == noMoment {
			e.first = now
		}
		p.sent = append(p.sent, e)
		p.out++
		return true
	})
	g.into(&m)
	return m
}

// forwards reports whether this replica passes a vertex on while another leads.
func (p *Pool) forwards(e *entry) bool { return e.origin == p.self || e.relayed }

// Share takes the oldest own vertices that the leader has had since the given time:
// as many bytes as asked for, or one that is larger, and those shared before the
// other time again, for that may have been lost. Everybody is to know them.
func (p *Pool) Share(bytesMax int, since, again time.Time) messages.Forward {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	m, g := messages.Forward{Executed: p.recent.last, Again: true}, newGathering(0, bytesMax)
	late, lost := p.at(since), p.at(again)
	for _, e := range p.sent {
		if e.state != entryForwarded || e.relayed || e.first > late || e.shared > lost {
			continue
		}
		if len(g.vertices) == 0 {
			g.bytesMax = max(bytesMax, g.size(e))
		}
		if !g.add(e) {
			break
		}
		e.shared = now
	}
	g.into(&m)
	return m
}

// Appeal takes own vertices that have waited since the given time while this
// replica is between views: as many bytes as asked for, and no more than a quota.
// A replica that left its view alone, since the others have changed their minds,
// has no leader to pass them to, perhaps for long. The others have one, and suspect
// it if it does not order them.
func (p *Pool) Appeal(bytesMax int, since time.Time) messages.Forward {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	m, g := messages.Forward{Executed: p.recent.last, Again: true}, newGathering(0, bytesMax)
	taken, late := 0, p.at(since)
	for _, e := range p.byArrival() {
		if e.origin != p.self || e.accepted > late || e.sent > late {
			continue
		}
		if taken++; taken > p.quota() || !g.add(e) {
			break
		}
		e.sent = now
	}
	g.into(&m)
	return m
}

// Enter begins a view: what went to the leader before, or was proposed by this
// replica, is not on its way any more, and every timer starts anew. What the
// view's NewView lists is on its way already. Another member's vertices stay
// only where this replica leads, or passes them on. [protocol §8]
func (p *Pool) Enter(leads bool, listed []*messages.Batch) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leads = leads
	underway := make(map[*entry]bool)
	for _, b := range listed {
		for i := range b.Len() {
			if e := p.entries.get(b.VertexHash(i)); e != nil {
				underway[e] = true
			}
		}
	}
	p.queue, p.queued, p.bytes = nil, 0, 0
	p.sent, p.out, p.taken = nil, 0, nil
	for _, e := range p.byArrival() {
		e.state, e.shared, e.first = entryTaken, noMoment, noMoment
		switch {
		case !leads && !p.forwards(e):
			p.remove(e)
		case underway[e] && leads:
			p.take(e, now)
		case underway[e]:
			e.state, e.first, e.sent = entryForwarded, now, now
			p.sent = append(p.sent, e)
			p.out++
		default:
			p.push(e)
		}
	}
}

// Leave says that this replica leads no more, or not yet.
func (p *Pool) Leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leads = false
}

func (p *Pool) byArrival() []*entry {
	return slices.SortedFunc(p.entries.all(), func(a, b *entry) int { return cmp.Compare(a.number, b.number) })
}

// adopt makes a vertex that another member forwarded this replica's own: from
// now on it is passed on and timed, whatever that member does.
func (p *Pool) adopt(e *entry, now moment) {
	p.origins[e.origin]--
	p.originBytes[e.origin] -= e.weight
	e.origin, e.accepted, e.relayed = p.self, now, false
	p.origins[e.origin]++
	p.originBytes[e.origin] += e.weight
}

// Oldest is how long the oldest vertex has been with the leader, this replica or
// another: that is what the leader answers for. What still waits here is not timed. A vertex learned
// from its origin's broadcast has waited as long there. [L4]
func (p *Pool) Oldest() time.Duration {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	var age moment
	for _, e := range p.sent {
		if e.state != entryForwarded {
			continue
		}
		waited := now - e.first
		if e.relayed {
			waited *= 2
		}
		age = max(age, waited)
	}
	for len(p.taken) > 0 && p.taken[0].state != entryTaken {
		p.taken = p.taken[1:]
	}
	if len(p.taken) > 0 {
		age = max(age, now-p.taken[0].first)
	}
	return time.Duration(age)
}
