package sim

import (
	"math/rand/v2"

	"github.com/cretoai/consensus/actors/runtime"
)

// scheduler owns every step of every actor: which actor is next, and when time
// goes on, follows from the seed alone.
type scheduler struct {
	rng      *rand.Rand
	clock    *runtime.Virtual
	trace    *trace
	hurry    int    // of 1000 turns, how many fire a timer although actors could run
	lazy     string // the actors of this name come last, mostly; "" for none
	runnable []*mailbox
	steps    int
	swamped  *mailbox // the first in which more waited than may, nil for none
}

// backlogMax bounds what may wait for one actor. Mailboxes are unbounded, so the
// edges have to do the bounding, whoever floods and however long a replica
// stands still.
const backlogMax = 20_000

// update puts a mailbox among the runnable ones, or takes it out.
func (s *scheduler) update(m *mailbox) {
	switch ready := m.ready() && !m.process.buried && !m.process.paused; {
	case ready && m.at < 0:
		m.at = len(s.runnable)
		s.runnable = append(s.runnable, m)
	case !ready && m.at >= 0:
		last := s.runnable[len(s.runnable)-1]
		s.runnable[m.at], last.at = last, m.at
		s.runnable = s.runnable[:len(s.runnable)-1]
		m.at = -1
	}
}

// turn lets one actor handle one message, or time go on to the next timer. It
// gives the process whose actor it was, nil for a timer; ok is false when there
// is nothing left to do.
func (s *scheduler) turn() (p *process, ok bool) {
	if len(s.runnable) == 0 || s.rng.IntN(1000) < s.hurry {
		if s.clock.Step() {
			return nil, true
		}
		if len(s.runnable) == 0 {
			return nil, false
		}
	}
	m := s.pick()
	s.step(m)
	return m.process, true
}

// pick draws the next actor; a lazy one is mostly passed over.
func (s *scheduler) pick() *mailbox {
	m := s.runnable[s.rng.IntN(len(s.runnable))]
	if s.lazy != "" && short(m.name) == s.lazy && s.rng.IntN(16) > 0 {
		return s.runnable[s.rng.IntN(len(s.runnable))]
	}
	return m
}

// step hands one message over.
func (s *scheduler) step(m *mailbox) {
	message, system := m.take()
	s.steps++
	s.trace.step(m, message)
	m.handle(message, system)
	s.update(m)
}

// stepOf lets one actor of one process handle one message.
func (s *scheduler) stepOf(p *process) bool {
	var own []*mailbox
	for _, m := range s.runnable {
		if m.process == p {
			own = append(own, m)
		}
	}
	if len(own) == 0 {
		return false
	}
	s.step(own[s.rng.IntN(len(own))])
	return true
}

// bury drops everything that waits for a process, now and later.
func (s *scheduler) bury(p *process) {
	p.dead, p.buried = true, true
	var kept []*mailbox
	for _, m := range s.runnable {
		m.at = -1
		if m.process != p {
			m.at = len(kept)
			kept = append(kept, m)
		}
	}
	s.runnable = kept
}
