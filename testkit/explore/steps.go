package explore

import (
	"github.com/cretoai/consensus/messages"
)

// visit takes a state that may follow. It answers whether to go on.
type visit func(next *state, violation error) bool

// step is what one replica may do next.
type step struct {
	w     *world
	from  *state
	at    *node
	visit visit
	ended bool
}

// successors calls visit for every state that may follow on one.
func (w *world) successors(s *state, visit visit) {
	for _, n := range s.nodes {
		if n == nil {
			continue
		}
		t := &step{w: w, from: s, at: n, visit: visit}
		for _, do := range [...]func(){t.leaves, t.crashes, t.checkpoints, t.proposes, t.prePrepares, t.prepares, t.commits, t.agrees, t.enters, t.collects, t.proves, t.announces} {
			if do(); t.ended {
				return
			}
		}
	}
}

// try visits what comes of an input, if there are the votes it takes. It reports
// whether something does.
func (t *step) try(in input, votes int) bool {
	if t.ended {
		return true
	}
	took := t.w.take(t.at, in)
	if took.next == nil && took.wrong == nil || took.votes > votes {
		return false
	}
	next := &state{nodes: t.from.nodes, crashes: t.from.crashes, depth: t.from.depth + 1, parent: t.from, at: t.at, by: in}
	if took.wrong == nil {
		next.nodes[t.at.replica.Self] = took.next
		next.crashes += took.next.crashes - t.at.crashes
	}
	t.ended = !t.visit(next, took.wrong)
	return true
}

// proposes has a leader propose any batch.
func (t *step) proposes() {
	core := t.at.replica.Core()
	if !core.Leads() || core.NextSeq() > messages.Seq(t.w.cfg.Sequences) {
		return
	}
	for i := range t.w.digests {
		t.try(input{what: proposing, digest: uint8(i + 1)}, 0)
	}
}

// prePrepares brings a pre-prepare of the view's leader, with its batch.
func (t *step) prePrepares() {
	r, view := t.at.replica, t.at.replica.View()
	from := t.w.chain.Leader(view)
	if !r.Active() || from == r.Self {
		return
	}
	for _, seq := range t.w.sequences() {
		in := input{what: hearing, view: uint8(view), seq: uint8(seq)}
		if from != t.w.cfg.Liar {
			if d := t.from.nodes[from].cast[messages.PrePrepare][view][seq-1]; d > 0 {
				in.digest = d - 1
				t.try(in, 0)
			}
			continue
		}
		for i := range t.w.digests {
			in.digest = uint8(i + 1)
			t.try(in, 0)
		}
	}
}

// prepares brings enough Prepares for what was accepted.
func (t *step) prepares() {
	core, view := t.at.replica.Core(), t.at.replica.View()
	if !core.Active() {
		return
	}
	for _, seq := range t.w.sequences() {
		d, ok := core.AcceptedAt(seq)
		if !ok || t.at.cast[messages.Commit][view][seq-1] > 0 {
			continue
		}
		in := input{what: preparing, view: uint8(view), seq: uint8(seq), digest: uint8(t.w.index(d))}
		t.votes(in, mixedPrepare, messages.Prepare)
	}
}

// votes brings the votes others cast, those of the liar as they are wanted. With
// those that are alike nothing may come of it; then the others come as well, and
// the liar's where it must not count: they are not to be of any use.
func (t *step) votes(in input, mixed uint8, kind messages.Kind) {
	count, others, leader := 0, false, t.w.chain.Leader(messages.View(in.view))
	all := in
	all.what = mixed
	for i, n := range t.from.nodes {
		mayPrepare := kind != messages.Prepare || messages.Index(i) != leader
		switch {
		case n == t.at:
		case n == nil:
			all.from[i] = in.digest + 1
			if mayPrepare {
				count++
			} else {
				others = true
			}
		default:
			d := n.cast[kind][in.view][in.seq-1]
			all.from[i] = d
			switch {
			case d == in.digest+1 && mayPrepare:
				count++
			case d > 0:
				others = true
			}
		}
	}
	if !t.try(in, count) && others {
		t.try(all, members)
	}
}

// commits brings a commit certificate of any view that is still listened to.
func (t *step) commits() {
	if t.w.cfg.Deaf {
		return
	}
	for _, seq := range t.w.sequences() {
		if !t.at.decisions[seq-1].IsZero() {
			continue
		}
		for view := range messages.View(t.w.cfg.Views) {
			seen := uint64(0) // a bit a digest
			for _, n := range t.from.nodes {
				if n == nil || seen&(1<<n.cast[messages.Commit][view][seq-1]) != 0 {
					continue
				}
				d := n.cast[messages.Commit][view][seq-1]
				if seen |= 1 << d; d > 0 {
					t.votes(input{what: committing, view: uint8(view), seq: uint8(seq), digest: d - 1}, mixedCommit, messages.Commit)
				}
			}
		}
	}
}

// agrees brings everybody's word that they accepted what this one did.
func (t *step) agrees() {
	core, view := t.at.replica.Core(), t.at.replica.View()
	if !t.w.cfg.Optimistic || t.w.cfg.Deaf || !core.Active() {
		return
	}
	for _, seq := range t.w.sequences() {
		d, ok := core.AcceptedAt(seq)
		if !ok || !t.at.decisions[seq-1].IsZero() {
			continue
		}
		in := input{what: agreeing, view: uint8(view), seq: uint8(seq), digest: uint8(t.w.index(d))}
		count := 0
		for _, n := range t.from.nodes {
			if n == nil || n != t.at && n.accepted(int(view), int(seq)-1) == in.digest+1 {
				count++
			}
		}
		t.try(in, count)
	}
}

// leaves has a replica leave its view for any higher one.
func (t *step) leaves() {
	for view := t.at.replica.View() + 1; view < messages.View(t.w.cfg.Views); view++ {
		if t.try(input{what: leaving, view: uint8(view)}, 0); t.w.cfg.Managed {
			return // a view at a time
		}
	}
}

// crashes has it come back from its record.
func (t *step) crashes() {
	if t.from.crashes < t.w.cfg.Crashes {
		t.try(input{what: crashing}, 0)
	}
}

// enters brings any NewView there may be for a view that may be entered.
func (t *step) enters() {
	if t.w.cfg.Managed {
		return
	}
	r := t.at.replica
	for view := max(1, r.View()); view < messages.View(t.w.cfg.Views); view++ {
		from := t.w.chain.Leader(view)
		in := input{what: entering}
		switch {
		case view == r.View() && r.Active():
		case from == r.Self && view == r.View():
			in.what = beginning
			t.enter(in, t.w.newViews(t.from, t.at, view))
		case from == r.Self:
		case from == t.w.cfg.Liar:
			t.enter(in, t.w.newViews(t.from, t.at, view))
		default:
			if nv := t.from.nodes[from].newView(view); nv != nil {
				in.number = nv.number
				t.try(in, 0)
			}
		}
	}
}

func (t *step) enter(in input, list []*newView) {
	for _, nv := range list {
		in.number = nv.number
		t.try(in, 0)
	}
}

// checkpoints brings the votes for a checkpoint that others cast.
func (t *step) checkpoints() {
	if !t.w.cfg.Checkpoints {
		return
	}
	for _, seq := range t.w.sequences() {
		if seq <= t.at.replica.Core().Certified().Seq {
			continue
		}
		for _, d := range t.from.checkpointed(seq) {
			number := t.w.reached.get(d, func(number uint32) reached { return reached{number, d} }).number
			t.try(input{what: stabilising, seq: uint8(seq), number: number}, t.from.signers(seq, d, t.at))
		}
	}
}
