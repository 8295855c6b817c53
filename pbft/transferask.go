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
	seq, ok := t.newest(u)
	if !ok {
		return
	}
	has := func(s *server) bool { return s.snapshot == seq && !s.wrong }
	to, ok := t.choose(u, has)
	if !ok {
		return
	}
	t.asked, t.want, t.deadline = to, seq, t.tick+partPatience
	t.emit(AskManifest{to, seq})
}

// newest gives the snapshot to fetch: the one most of those have that no longer
// have the next batch, and of several the newest.
func (t *Transfer) newest(u Usable) (messages.Seq, bool) {
	votes := make(map[messages.Seq]int)
	trimmed, ahead, prompt := 0, 0, false
	for i := range t.members {
		s := &t.members[i]
		if u.Ahead&(1<<i) == 0 {
			continue
		}
		ahead++
		if s.first > t.next && s.snapshot >= t.next {
			trimmed++
			if s.wrong || s.slow && prompt {
				continue
			}
			if !s.slow && !prompt { // whoever did not answer has no say beside those who may
				prompt = true
				clear(votes)
			}
			votes[s.snapshot]++
		}
	}
	if len(votes) == 0 || trimmed < messages.Weak(t.n) && trimmed < ahead {
		return 0, false
	}
	var best messages.Seq
	for seq, n := range votes { // the outcome does not depend on the order
		if n > votes[best] || n == votes[best] && seq > best {
			best = seq
		}
	}
	return best, true
}

// choose picks a member, beginning behind the one asked last: first one that is
// neither slow nor banned, then one that is not banned, then any.
func (t *Transfer) choose(u Usable, has func(*server) bool) (messages.Index, bool) {
	for _, may := range []func(i int) bool{
		func(i int) bool { return !t.members[i].slow && u.Banned&(1<<i) == 0 },
		func(i int) bool { return u.Banned&(1<<i) == 0 },
		func(int) bool { return true },
	} {
		for k := 1; k <= t.n; k++ {
			i := (int(t.asked) + k) % t.n
			if i != int(t.self) && u.Ahead&(1<<i) != 0 && has(&t.members[i]) && may(i) {
				return messages.Index(i), true
			}
		}
	}
	return 0, false
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
	t.idle = max(t.idle, transferPatience) // nobody has it any more
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
					s.spans = append(s.spans, span{first, count, t.tick + partPatience})
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
