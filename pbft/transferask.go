package pbft

import (
	"slices"

	"github.com/cretoai/consensus/messages"
)

// This file is whom a Transfer asks for what.

// seek asks for a manifest, if a snapshot is called for.
func (t *Transfer) seek(u Usable) {
	if t.deadline > 0 {
		return
	}
	seq, first, ok := t.newest(u)
	if !ok {
		return
	}
	for k := 1; k <= t.n; k++ { // beginning behind the one asked last
		i := (int(t.asked) + k) % t.n
		if s := &t.members[i]; t.offers(u, i) && t.turn(u, i) == first && s.snapshot == seq {
			t.asked, t.want, t.deadline = messages.Index(i), seq, t.tick+s.patience()
			t.emit(AskManifest{t.asked, seq})
			return
		}
	}
}

// newest gives the snapshot to fetch: the one most of those have that no longer
// have the next batch, and of several the newest. Asked are, and a say have, those
// alone whose turn is first.
func (t *Transfer) newest(u Usable) (best messages.Seq, first turn, ok bool) {
	var votes map[messages.Seq]int
	trimmed, ahead := 0, 0
	for i := range t.members {
		if u.Ahead&(1<<i) == 0 {
			continue
		}
		ahead++
		if s := &t.members[i]; s.first > t.next && s.snapshot >= t.next {
			trimmed++
		}
		if !t.offers(u, i) {
			continue
		}
		mine := t.turn(u, i)
		if votes == nil || mine.before(first) {
			first, votes = mine, make(map[messages.Seq]int)
		}
		if mine == first {
			votes[t.members[i].snapshot]++
		}
	}
	if len(votes) == 0 || trimmed < messages.Weak(t.n) && trimmed < ahead {
		return 0, first, false
	}
	for seq, n := range votes { // the outcome does not depend on the order
		if n > votes[best] || n == votes[best] && seq > best {
			best = seq
		}
	}
	return best, first, true
}

// offers reports whether a member may be asked for a manifest.
func (t *Transfer) offers(u Usable, i int) bool {
	s := &t.members[i]
	return i != int(t.self) && u.Ahead&(1<<i) != 0 && s.first > t.next && s.snapshot >= t.next && !s.wrong
}

// turn is when a member is asked for a manifest: the banned last, and before that
// those that never failed, then whose failure is the longest ago. So whoever fails,
// in whatever way, is not asked again before all others were.
type turn struct {
	banned bool
	failed uint64
}

func (t *Transfer) turn(u Usable, i int) turn {
	return turn{u.Banned&(1<<i) != 0, t.members[i].failed}
}

func (a turn) before(b turn) bool {
	return a.banned == b.banned && a.failed < b.failed || !a.banned && b.banned
}

// Ask gives every member that may have the snapshot something to send, from
// several at once, each another run of parts.
func (t *Transfer) Ask(u Usable) []TransferEffect {
	t.ask(u)
	return t.take()
}

func (t *Transfer) ask(u Usable) {
	if t.manifest == nil || t.done || u.Resting {
		return
	}
	for _, choosy := range []bool{true, false} {
		if t.askOf(t.servers(u, choosy)) {
			return // the slow and the banned are asked when nobody else is left
		}
	}
	t.stall() // nobody has it any more
}

// servers are the members that may have the snapshot, choosy without those that
// are slow or banned.
func (t *Transfer) servers(u Usable, choosy bool) (list []messages.Index) {
	for i := range t.members {
		s := &t.members[i]
		if i == int(t.self) || u.Ahead&(1<<i) == 0 || s.wrong || s.refused || s.snapshot < t.manifest.Seq && s.snapshot != 0 {
			continue
		}
		if choosy && (s.slow || u.Banned&(1<<i) != 0) {
			continue
		}
		list = append(list, messages.Index(i))
	}
	return list
}

// askOf asks members, each for another run of parts, so that a small state comes
// from all of them, too. It reports whether one of them has something to send.
func (t *Transfer) askOf(members []messages.Index) (asking bool) {
	if len(members) == 0 {
		return false
	}
	out := t.covered()
	most := min(spanParts, 1+t.missing/(spansPerMember*len(members)))
	for range spansPerMember { // one more of each, rather than all of the first
		for _, m := range members {
			s := &t.members[m]
			if len(s.spans) < spansPerMember {
				if first, count := run(out, most); count > 0 {
					s.spans = append(s.spans, span{first, count, t.tick + s.patience()})
					t.emit(AskParts{m, t.digest, first, count})
				}
			}
			asking = asking || len(s.spans) > 0
		}
	}
	return asking
}

// covered tells of each part whether it is held or asked for.
func (t *Transfer) covered() []bool {
	out := slices.Clone(t.held)
	for i := range t.members {
		for _, sp := range t.members[i].spans {
			for k := sp.first; k < sp.first+sp.count; k++ {
				out[k] = true
			}
		}
	}
	return out
}

// run finds the first parts that are neither, and marks them.
func run(covered []bool, most int) (first, count int) {
	first = slices.Index(covered, false)
	if first < 0 {
		return 0, 0
	}
	for count < most && first+count < len(covered) && !covered[first+count] {
		covered[first+count] = true
		count++
	}
	return first, count
}
