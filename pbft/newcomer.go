package pbft

import (
	"slices"

	"github.com/cretoai/consensus/messages"
)

// Answer is what a member recalls of this one, see messages.Recalled.
type Answer struct {
	Executed messages.Seq
	View     messages.View
	Nothing  bool
}

// newcomer is what a replica knows of itself that found an empty disk. It may
// have voted before, and lost what it voted: such a replica is one of the f
// faulty ones until nothing it may have said can matter any more. Till then it
// only observes: it executes what others commit, and follows their views. [D4]
//
// It asks the others. Enough answers are those of a quorum less one, for then any
// quorum its old votes were part of has a correct member among them. Either they
// all say that they heard nothing of it, voted nothing themselves, and executed
// nothing: then this is its first start, and it votes at once. Or it waits for a stable checkpoint a window above what they executed,
// for it cannot have voted beyond; and for a NewView above the highest view they
// know it in, if there is one, for its ViewChange for that one may be around.
// What a few others claim in excess is not waited for: of the first answers of
// all, the smallest that are enough count.
type newcomer struct {
	need    int
	answers []*Answer // the first of each member
	seen    messages.View
	voted   messages.Seq // by own votes that came back
	told    bool         // that it may vote
}

// Admissible reports that a newcomer may vote from now on. The caller makes that
// durable, then owes Admit.
type Admissible struct {
	Fresh bool // it has never voted before; else it waited until that played no role
}

func (Admissible) effect() {}

// Observe makes this replica a newcomer: nothing is voted until Admit.
func (s *Sequencer) Observe() {
	s.newcomer = &newcomer{need: s.cfg.Quorum - 1, answers: make([]*Answer, s.cfg.N)}
	s.voter.observing = true
}

// Observing reports whether this replica is a newcomer.
func (s *Sequencer) Observing() bool { return s.newcomer != nil }

// OnRecalled takes a member's answer.
func (s *Sequencer) OnRecalled(from messages.Index, a Answer) []Effect {
	if n := s.newcomer; n != nil && from != s.cfg.Self && int(from) < len(n.answers) && n.answers[from] == nil {
		n.answers[from] = &a
		s.welcome()
	}
	return s.take()
}

// Recall is what this replica recalls of another member: nothing, if it heard no vote
// of it and has never voted itself. Had it voted, it might be the correct member of a
// quorum that an old vote of the other was part of, and have heard of that quorum
// without this vote.
func (s *Sequencer) Recall(of messages.Index) Answer {
	a := Answer{Executed: s.executed, Nothing: s.voter.silent()}
	heard := func(v verifiedVote) {
		if v.From() == of {
			a.Nothing, a.View = false, max(a.View, v.Value().View)
		}
	}
	for _, seq := range s.log.Seqs() {
		for _, v := range s.log.Votes(seq) {
			heard(v)
		}
	}
	for _, k := range s.checkpoints.Held() {
		a.Nothing = a.Nothing && k.Members&(1<<of) == 0
	}
	return a
}

// welcome reports, once, that the newcomer may vote.
func (s *Sequencer) welcome() {
	n := s.newcomer
	if n == nil || n.told {
		return
	}
	if s.executed == 0 && s.voter.View() == 0 && n.nothing() >= n.need && n.seen == 0 && n.voted == 0 {
		n.told = true
		s.emit(Admissible{Fresh: true})
		return
	}
	bound, view, ok := n.bounds(s.cfg.Params.Window)
	if !ok || s.stable.Seq < bound || view > 0 && (!s.voter.Active() || s.voter.View() <= view) {
		return
	}
	n.told = true
	s.emit(Admissible{})
}

// Bounds say what a newcomer waits for: a stable checkpoint, and, unless that is
// 0, a NewView above a view. ok is false while that is not known.
func (s *Sequencer) Bounds() (checkpoint messages.Seq, above messages.View, ok bool) {
	if s.newcomer == nil {
		return 0, 0, false
	}
	return s.newcomer.bounds(s.cfg.Params.Window)
}

func (n *newcomer) nothing() (count int) {
	for _, a := range n.answers {
		if a != nil && a.Nothing && a.Executed == 0 && a.View == 0 {
			count++
		}
	}
	return count
}

func (n *newcomer) bounds(window messages.Seq) (checkpoint messages.Seq, above messages.View, ok bool) {
	var executed []messages.Seq
	var views []messages.View
	for _, a := range n.answers {
		if a != nil {
			executed, views = append(executed, a.Executed), append(views, a.View)
		}
	}
	if len(executed) < n.need {
		return 0, 0, false
	}
	slices.Sort(executed)
	slices.Sort(views)
	checkpoint = NewWatermarks(executed[n.need-1], window).High
	return max(checkpoint, n.voted), max(views[n.need-1], n.seen), true
}

// recollect takes an own vote of an earlier life into account.
func (n *newcomer) recollect(v messages.Vote) {
	n.seen, n.voted = max(n.seen, v.View), max(n.voted, v.Seq)
}

// Admit lets a newcomer vote, on what it heard meanwhile, too.
func (s *Sequencer) Admit() []Effect {
	s.newcomer = nil
	s.voter.observing = false
	s.hearEarly()
	return s.take()
}
