package pbft

import (
	"slices"

	"github.com/cretoai/consensus/messages"
)

// This file is how a Transfer finds that it does not come forward, and who is to
// blame.

// patience is how many ticks an answer of a member may take.
func (s *server) patience() uint64 { return partPatience << min(s.late, patienceDoublings) }

// fail notes that a member did not bring what it was asked for.
func (t *Transfer) fail(m messages.Index) {
	t.failures++
	t.members[m].failed = t.failures
}

// lag notes that it did not answer in time.
func (t *Transfer) lag(m messages.Index) {
	t.members[m].slow = true
	t.members[m].late++
	t.fail(m)
	t.emit(ServedLate{m})
}

func (t *Transfer) expire() {
	if t.deadline > 0 && t.tick >= t.deadline {
		t.deadline = 0
		t.lag(t.asked)
	}
	for i := range t.members {
		s := &t.members[i]
		if slices.ContainsFunc(s.spans, func(sp span) bool { return t.tick >= sp.deadline }) {
			s.spans = nil
			t.lag(messages.Index(i))
		}
	}
}

// watch looks for another snapshot when this one is as good as gone, or does not
// come forward.
func (t *Transfer) watch(u Usable) {
	if t.manifest == nil || t.stalled {
		return
	}
	if t.givenUp(u) {
		t.stall()
		return
	}
	if !u.Resting {
		t.stretch.ticks++
	}
	switch {
	case t.stretch.ticks <= t.stretchTicks():
	case t.stretch.came < t.stretch.due:
		t.stall()
	default:
		t.begin()
		t.askAfresh()
	}
}

// givenUp reports whether no more members than may be faulty are left that have not
// refused it: whether one of these serves, and how fast, is not to be relied on.
func (t *Transfer) givenUp(u Usable) bool {
	usable, refused, faulty := 0, 0, messages.MaxFaulty(t.n)
	for i := range t.members {
		s := &t.members[i]
		if s.wrong {
			faulty-- // one is found already
			continue
		}
		if i == int(t.self) || u.Ahead&(1<<i) == 0 {
			continue
		}
		usable++
		if s.refused {
			refused++
		}
	}
	return refused > 0 && usable-refused <= faulty
}

// stretchTicks goes by how long answers take. Neither liars nor the silent lengthen
// it: it is the patience with which a correct member, at least, brought something.
func (t *Transfer) stretchTicks() uint64 {
	needed := make([]uint64, t.n)
	for i := range t.members {
		needed[i] = max(t.members[i].needed, partPatience)
	}
	slices.Sort(needed)
	return stretchPatiences * needed[t.n-messages.Weak(t.n)]
}

func (t *Transfer) begin() { t.stretch = stretch{due: min(stretchParts, t.missing)} }

// askAfresh has those asked, too, whose newest snapshot was older than this one when
// they last spoke of it: they have it by now, or refuse it.
func (t *Transfer) askAfresh() {
	for i := range t.members {
		if s := &t.members[i]; s.snapshot < t.manifest.Seq {
			s.snapshot = 0
		}
	}
}

// stall has another manifest looked for, at its sender's last.
func (t *Transfer) stall() {
	if t.manifest == nil || t.stalled {
		return
	}
	t.stalled = true
	if t.source != t.self {
		t.fail(t.source)
	}
}
