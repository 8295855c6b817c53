package explore

import (
	"fmt"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/pure"
)

// input is what may happen to one replica.
type input struct {
	what   uint8
	view   uint8
	seq    uint8
	digest uint8 // its index
	// from are, of others, the digests they vote for, each one more than its index;
	// of a vote that several cast alike, nobody.
	from [members]uint8
	// number is that of a NewView, or of a checkpoint's state.
	number uint32
}

const (
	proposing    = iota
	hearing      // a pre-prepare, with its batch
	preparing    // enough Prepares for what was accepted
	committing   // enough Commits
	entering     // a NewView
	beginning    // the own one
	leaving      // for a view
	stabilising  // enough votes for a checkpoint
	crashing     //
	mixedPrepare // Prepares for other digests, too
	mixedCommit  // likewise
	collecting   // a ViewChange, by a manager
	proving      // a prepared certificate, likewise
	announcing   // a NewView with all it rests on, likewise
	agreeing     // all that others accepted it, too
)

// taken is what comes of an input: nothing, or another node, or a violation.
type taken struct {
	next  *node
	votes int // of others that it took
	wrong error
}

// takenKey: a node is all that what comes of an input depends on.
type takenKey struct {
	node uint32
	in   input
}

// take gives what comes of an input.
func (w *world) take(n *node, in input) *taken {
	return w.taken.get(takenKey{n.number, in}, func() *taken {
		r := n.replica.Clone()
		said, votes, ok := w.play(r, in)
		if !ok {
			return &taken{}
		}
		if err := w.judge(n.replica, r, said, in); err != nil {
			return &taken{wrong: err, votes: votes}
		}
		crashes := n.crashes
		if in.what == crashing {
			crashes++
		}
		next, err := w.did(n, r, said, crashes)
		if err != nil {
			return &taken{wrong: err, votes: votes}
		}
		if next == n {
			return &taken{}
		}
		return &taken{next: next, votes: votes}
	})
}

// play has a replica take an input. It reports whether anything came of it, and
// how many votes of others that took.
func (w *world) play(r *pure.Replica, in input) (said []pure.Message, votes int, ok bool) {
	d, seq, view := w.digest(int(in.digest)), messages.Seq(in.seq), messages.View(in.view)
	switch in.what {
	case proposing:
		said = r.Propose(d)
		return said, 0, len(said) > 0
	case hearing:
		from := w.chain.Leader(view)
		said = r.Hear(start, from, pure.Batch{Batch: w.chain.Batch(d)})
		said = append(said, w.hear(r, from, messages.Vote{Kind: messages.PrePrepare, View: view, Seq: seq, Digest: d})...)
		accepted, ok := r.Core().AcceptedAt(seq)
		return said, 0, ok && accepted == d
	case agreeing:
		return w.agree(r, in)
	case preparing, mixedPrepare:
		hurried := r.Hurry(seq) // it does not wait for all
		said, votes, ok = w.deliver(r, in, messages.Prepare, func() bool { return commits(r, view, seq) })
		return append(hurried, said...), votes, ok
	case committing, mixedCommit:
		return w.deliver(r, in, messages.Commit, func() bool { return w.decides(r, seq) })
	case entering, beginning:
		nv := w.entered.number(in.number)
		enter := nv.signed
		if in.what == beginning {
			enter = nv.asOwn
		}
		return append(r.Enter(enter), w.bodies(r)...), 0, true
	case leaving:
		return r.Leave(view), 0, true
	case stabilising:
		return w.stabilise(r, seq, w.reached.number(in.number).digest)
	case crashing:
		return append(r.Restart(), w.bodies(r)...), 0, true
	case collecting, proving, announcing:
		return w.managed(r, in), 0, true
	}
	panic("explore: an input of no kind")
}

// hear has a replica hear one vote.
func (w *world) hear(r *pure.Replica, from messages.Index, v messages.Vote) []pure.Message {
	_, votes := w.chain.Sign(from, v)
	return r.Hear(start, from, pure.Votes{Votes: votes})
}

// deliver brings votes one after the other until something comes of them; if
// nothing does, they might as well not have come. Who of several voted alike makes
// no difference: it is the first members, the leader not among those who prepare.
func (w *world) deliver(r *pure.Replica, in input, kind messages.Kind, enough func() bool) (said []pure.Message, votes int, ok bool) {
	mixed := in.what == mixedPrepare || in.what == mixedCommit
	view := messages.View(in.view)
	for m := range messages.Index(members) {
		d := in.digest
		switch {
		case m == r.Self:
			continue
		case mixed:
			if in.from[m] == 0 {
				continue
			}
			d = in.from[m] - 1
		case kind == messages.Prepare && m == w.chain.Leader(view):
			continue
		}
		said = append(said, w.hear(r, m, messages.Vote{Kind: kind, View: view, Seq: messages.Seq(in.seq), Digest: w.digest(int(d))})...)
		votes++
		if enough() {
			return said, votes, true
		}
	}
	return nil, votes, false
}

// agree brings the acceptances of others until something comes of them.
func (w *world) agree(r *pure.Replica, in input) (said []pure.Message, votes int, ok bool) {
	v := messages.Vote{Kind: messages.Prepare, View: messages.View(in.view), Seq: messages.Seq(in.seq), Digest: w.digest(int(in.digest))}
	for m := range messages.Index(members) {
		if m == r.Self {
			continue
		}
		if v.Kind = messages.Prepare; m == w.chain.Leader(v.View) {
			v.Kind = messages.PrePrepare
		}
		said = append(said, w.hear(r, m, v)...)
		if votes++; w.decides(r, v.Seq) {
			return said, votes, true
		}
	}
	return nil, votes, false
}

// commits reports whether a replica's record says that it may commit.
func commits(r *pure.Replica, view messages.View, seq messages.Seq) bool {
	for _, v := range r.Core().Sent() {
		if v.Kind == messages.Commit && v.View == view && v.Seq == seq {
			return true
		}
	}
	return false
}

// decides reports whether a sequence is decided. The batch may be what lacks.
func (w *world) decides(r *pure.Replica, seq messages.Seq) bool {
	if _, ok := r.Decision(seq); ok {
		return true
	}
	w.bodies(r)
	_, ok := r.Decision(seq)
	return ok
}

// bodies has a replica hear the batches it waits for, of somebody who does not
// lead: those nobody waits for are not kept then.
func (w *world) bodies(r *pure.Replica) (said []pure.Message) {
	from := messages.Index((int(r.View()) + 1) % members)
	if from == r.Self {
		from = (from + 1) % members
	}
	for _, d := range w.digests {
		said = append(said, r.Hear(start, from, pure.Batch{Batch: w.chain.Batch(d)})...)
	}
	return said
}

// stabilise brings votes for a checkpoint until it is certified.
func (w *world) stabilise(r *pure.Replica, seq messages.Seq, d messages.Digest) (said []pure.Message, votes int, ok bool) {
	for m := range messages.Index(members) {
		if m == r.Self {
			continue
		}
		said = append(said, w.hear(r, m, messages.Vote{Kind: messages.Checkpoint, Seq: seq, Digest: d})...)
		if votes++; r.Core().Certified().Seq >= seq {
			return said, votes, true
		}
	}
	return nil, votes, false
}

// story says what an input is.
func (w *world) story(n *node, in input) string {
	who := fmt.Sprintf("replica %d", n.replica.Self)
	vote := func(k messages.Kind) string {
		return w.describe(messages.Vote{Kind: k, View: messages.View(in.view), Seq: messages.Seq(in.seq), Digest: w.digest(int(in.digest))})
	}
	switch in.what {
	case proposing:
		return fmt.Sprintf("%s proposes %s in view %d", who, w.names[w.digest(int(in.digest))], n.replica.View())
	case hearing:
		return who + " accepts " + vote(messages.PrePrepare)
	case preparing, mixedPrepare:
		return who + " hears enough of " + vote(messages.Prepare)
	case agreeing:
		return who + " hears from all others " + vote(messages.Prepare)
	case committing, mixedCommit:
		return who + " hears enough of " + vote(messages.Commit)
	case leaving:
		return fmt.Sprintf("%s leaves for view %d", who, in.view)
	case stabilising:
		return fmt.Sprintf("%s hears that checkpoint %d is stable", who, in.seq)
	case crashing:
		return who + " crashes and comes back"
	case collecting:
		vc := w.changes.number(in.number).vc
		return fmt.Sprintf("%s hears that member %d leaves for view %d", who, vc.From, vc.Body.View)
	case proving:
		return fmt.Sprintf("%s is shown that %s is prepared at %d in view %d", who, w.names[w.digest(int(in.digest))], in.seq, in.view)
	}
	b := w.entered.number(in.number).signed.Body
	list := ""
	for i, d := range b.List {
		list += fmt.Sprintf(" %d:%s", b.MinS+1+messages.Seq(i), w.names[d])
	}
	verb := "enters"
	if in.what == announcing {
		verb = "is told of"
	}
	return fmt.Sprintf("%s %s view %d, which lists above %d:%s", who, verb, b.View, b.MinS, list)
}
