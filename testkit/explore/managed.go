package explore

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/testkit/pure"
)

// In a managed world each replica has its own Manager, with all that it remembers
// from one message to the next: which ViewChanges came, and in which order; what it
// asked for; what it built, refused or entered. It decides which view is joined and
// entered. When a leader is given up is still the search's choice, for that is a
// matter of time.

// collects brings ViewChanges of others. What the liar claims in one matters to
// the leader of its view only: others are brought the first of its lies.
func (t *step) collects() {
	if !t.w.cfg.Managed {
		return
	}
	for view := messages.View(1); view < messages.View(t.w.cfg.Views); view++ {
		for _, n := range t.from.nodes {
			switch {
			case n == t.at:
			case n != nil:
				if vc := n.viewChange(view); vc != nil {
					t.collect(vc)
				}
			default:
				lies := t.w.claims(view, []pbft.StableCheckpoint{{}})
				if t.w.chain.Leader(view) != t.at.replica.Self {
					lies = lies[:1]
				}
				for i := range lies {
					t.collect(&lies[i])
				}
			}
		}
	}
}

func (t *step) collect(vc *leader.ViewChange) {
	if !t.at.replica.Manager().WantsViewChange(vc.From, vc.Body.View, vc.Body.Digest()) {
		return
	}
	d := vc.Body.Digest()
	k := sha256.Sum256(append(d[:], byte(vc.From), byte(vc.Stable.Seq)))
	known := t.w.changes.get(k, func(number uint32) numberedChange { return numberedChange{number, vc} })
	t.try(input{what: collecting, number: known.number}, 0)
}

// numberedChange is a ViewChange that somebody signed, or the liar may.
type numberedChange struct {
	number uint32
	vc     *leader.ViewChange
}

// proves brings the prepared certificates that a manager waits for, if there are
// any.
func (t *step) proves() {
	if !t.w.cfg.Managed {
		return
	}
	for _, seq := range t.w.sequences() {
		for view := range messages.View(t.w.cfg.Views) {
			for i := range len(t.w.digests) + 1 {
				c := messages.Claim{Seq: seq, View: view, Digest: t.w.digest(i)}
				if t.at.replica.Manager().WantsPrepared(c) && t.w.proof(t.from, c) != nil {
					t.try(input{what: proving, view: uint8(view), seq: uint8(seq), digest: uint8(i)}, 0)
				}
			}
		}
	}
}

// announces brings the NewViews of others, with all they rest on.
func (t *step) announces() {
	if !t.w.cfg.Managed {
		return
	}
	r := t.at.replica
	for view := max(1, r.View()); view < messages.View(t.w.cfg.Views); view++ {
		from := t.w.chain.Leader(view)
		switch {
		case from == r.Self, view == r.View() && r.Active():
		case from == t.w.cfg.Liar:
			for _, nv := range t.w.lies(t.from, t.at, view) {
				t.try(input{what: announcing, number: nv.number}, 0)
			}
		default:
			if nv := t.from.nodes[from].newView(view); nv != nil {
				t.try(input{what: announcing, number: nv.number}, 0)
			}
		}
	}
}

// announced is a NewView as managers are told of it: with the ViewChanges it
// names, and the certificates it marks.
type announced struct {
	nv    leader.NewView
	parts []leader.ViewChange
	marks []leader.Prepared
}

// announce is the NewView that a replica entered as its leader.
func (w *world) announce(e *pbft.NewView, number uint32) *newView {
	a := &announced{nv: leader.NewView{From: w.chain.Leader(e.Body.View), Bundle: e.Bundle, Body: e.Body, Stable: e.Stable}}
	for _, s := range e.Support {
		a.parts = append(a.parts, leader.ViewChange{From: s.Bundle.From, Bundle: s.Bundle, Body: s.Body})
	}
	for _, p := range e.Marks {
		a.marks = append(a.marks, leader.Prepared{Claim: p.Claim, Bundles: p.Bundles})
	}
	return &newView{signed: e, number: number, announced: a}
}

// lies are the NewViews the liar may begin a view with: of those that say the same,
// one that a manager without a memory lets through, or else one that it refuses.
func (w *world) lies(s *state, at *node, view messages.View) []*newView {
	k := viewsKey{view: view}
	for i, n := range s.nodes {
		if n != nil {
			k.about[i] = n.about[view]
		}
	}
	return w.views.get(k, func() []*newView {
		d := &decision{w: w, view: view, leader: w.cfg.Liar}
		d.gather(s, at)
		d.lie(pbft.StableCheckpoint{})
		let := len(d.out)
		d.refused = true
		d.lie(pbft.StableCheckpoint{})
		return slices.Clip(d.out[:max(let, len(d.out))])
	})
}

// tell has a lie told to managers, as it is and with everything it rests on.
func (d *decision) tell(body messages.NewViewBody, s []leader.ViewChange, stable pbft.StableCheckpoint) {
	if d.knows(&body) || body.Validate() != nil {
		return
	}
	e := &pbft.NewView{Body: &body, Stable: stable}
	e.Bundle, _ = d.w.chain.Sign(d.leader, messages.Vote{Kind: messages.NewView, View: d.view, Digest: body.Digest()})
	for _, vc := range sorted(s) {
		e.Support = append(e.Support, pbft.Support{Bundle: vc.Bundle, Body: vc.Body})
	}
	for _, c := range body.Marks {
		e.Marks = append(e.Marks, pbft.Proof{Claim: c, Bundles: d.provable[c]})
	}
	d.out = append(d.out, d.w.entered.get(kindOf(e), func(number uint32) *newView { return d.w.announce(e, number) }))
}

// managed has a replica take an input that its manager is for.
func (w *world) managed(r *pure.Replica, in input) (said []pure.Message) {
	switch in.what {
	case collecting:
		vc := w.changes.number(in.number).vc
		said = r.Hear(start, vc.From, pure.ViewChange{ViewChange: *vc})
	case proving:
		c := messages.Claim{Seq: messages.Seq(in.seq), View: messages.View(in.view), Digest: w.digest(int(in.digest))}
		said = r.Hear(start, w.cfg.Liar, pure.Prepared{Prepared: leader.Prepared{Claim: c, Bundles: w.certificate(c)}})
	case announcing:
		a := w.entered.number(in.number).announced
		said = r.Hear(start, a.nv.From, pure.NewView{NewView: a.nv})
		for _, vc := range a.parts {
			said = append(said, r.Hear(start, a.nv.From, pure.ViewChange{ViewChange: vc})...)
		}
		for _, p := range a.marks {
			said = append(said, r.Hear(start, a.nv.From, pure.Prepared{Prepared: p})...)
		}
	}
	return append(said, w.bodies(r)...)
}

// judge looks at what a manager made of an input: it follows f+1 members to the
// highest view that so many ask for, and never fewer or farther; it enters what a
// correct leader announces; and it blames no correct member. [H7, H8]
func (w *world) judge(before, after *pure.Replica, said []pure.Message, in input) error {
	if !w.cfg.Managed {
		return nil
	}
	for _, m := range said {
		if b, ok := m.Body.(pure.Blame); ok && b.Member != w.cfg.Liar {
			return fmt.Errorf("replica %d blames member %d, which is correct: %s", after.Self, b.Member, b.Why)
		}
	}
	asking := func(least messages.View) (count int) {
		for m := range messages.Index(members) {
			if m != after.Self && after.Manager().Seen(m) >= least {
				count++
			}
		}
		return count
	}
	left := after.View() > before.View() && !after.Active()
	switch {
	case left && in.what != leaving && asking(after.View()) <= faulty:
		return fmt.Errorf("replica %d leaves for view %d, for which %d ask", after.Self, after.View(), asking(after.View()))
	case asking(after.View()+1) > faulty:
		return fmt.Errorf("replica %d stays in view %d, and %d members ask for higher ones", after.Self, after.View(), asking(after.View()+1))
	}
	if in.what == announcing {
		nv := w.entered.number(in.number)
		if a := nv.announced; a.nv.From != w.cfg.Liar && (after.View() != nv.view() || !after.Active()) {
			return fmt.Errorf("replica %d does not enter view %d, which a correct leader announced with all it takes", after.Self, nv.view())
		}
	}
	return nil
}
