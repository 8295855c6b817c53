package explore

import (
	"slices"

	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/testkit/pure"
)

// newView is a NewView there may be: as its leader enters it, and as others do.
type newView struct {
	asOwn, signed *pbft.NewView
	number        uint32
	announced     *announced // in a managed world
}

func (n *newView) view() messages.View { return n.signed.Body.View }

// kindOf is what a NewView says.
func kindOf(nv *pbft.NewView) [32]byte { return nv.Body.Digest() }

// viewsKey is all that the NewViews of a view may depend on: what the correct
// members have to say, and the checkpoint its leader knows, if that is one of them.
type viewsKey struct {
	view  messages.View
	about [members]uint32
	low   messages.Seq
}

// newViews gives those for a view, whose leader is the liar or the node at.
func (w *world) newViews(s *state, at *node, view messages.View) []*newView {
	k := viewsKey{view: view}
	for i, n := range s.nodes {
		if n != nil {
			k.about[i] = n.about[view]
		}
	}
	from := w.chain.Leader(view)
	if from != w.cfg.Liar {
		k.low = at.replica.Core().Certified().Seq
	}
	return w.views.get(k, func() []*newView {
		d := &decision{w: w, view: view, leader: from}
		d.gather(s, at)
		return d.decide()
	})
}

// decision is about one view.
type decision struct {
	w      *world
	view   messages.View
	leader messages.Index
	honest []leader.ViewChange
	lies   []leader.ViewChange
	// provable are the claims of which there is a prepared certificate, or could
	// be with the liar's help.
	provable map[messages.Claim][]*messages.Bundle
	stable   []pbft.StableCheckpoint // certified, genesis first
	refused  bool                    // lies that are refused are of interest, too
	out      []*newView
}

// gather collects what was said. A correct leader knows its own certificates.
func (d *decision) gather(s *state, at *node) {
	w := d.w
	d.provable = make(map[messages.Claim][]*messages.Bundle)
	for _, n := range s.nodes {
		if n == nil {
			continue
		}
		if vc := n.viewChange(d.view); vc != nil {
			d.honest = append(d.honest, *vc)
		}
	}
	for _, seq := range w.sequences() {
		for view := range d.view {
			for _, digest := range append([]messages.Digest{messages.NullDigest}, w.digests...) {
				c := messages.Claim{Seq: seq, View: view, Digest: digest}
				if b := w.proof(s, c); b != nil {
					d.provable[c] = b
				}
			}
		}
	}
	d.stable = append([]pbft.StableCheckpoint{{}}, w.certificates(s)...)
	if d.leader != w.cfg.Liar { // it goes by the highest it knows
		d.stable = []pbft.StableCheckpoint{at.replica.Core().Certified()}
	}
	d.lies = w.claims(d.view, d.stable)
}

// proof is a prepared certificate, nil if there cannot be one: of the first
// members, for it makes no difference of whom.
func (w *world) proof(s *state, c messages.Claim) []*messages.Bundle {
	signed := 0
	for i, n := range s.nodes {
		m := messages.Index(i)
		if m == w.chain.Leader(c.View) {
			continue
		}
		if n == nil || int(n.cast[messages.Prepare][c.View][c.Seq-1]) == w.index(c.Digest)+1 {
			signed++
		}
	}
	if signed < quorum-1 {
		return nil
	}
	return w.certificate(c)
}

// certificate is that of a claim of which there is a proof.
func (w *world) certificate(c messages.Claim) (bundles []*messages.Bundle) {
	for m := range messages.Index(members) {
		if m != w.chain.Leader(c.View) && len(bundles) < quorum-1 {
			b, _ := w.chain.Sign(m, messages.Vote{Kind: messages.Prepare, View: c.View, Seq: c.Seq, Digest: c.Digest})
			bundles = append(bundles, b)
		}
	}
	return bundles
}

// sets calls f for every set of ViewChanges of distinct members, of at least so
// many: any of the correct ones, with one of the liar's or none.
func (d *decision) sets(least int, f func([]leader.ViewChange)) {
	for chosen := range 1 << len(d.honest) {
		var s []leader.ViewChange
		for i, vc := range d.honest {
			if chosen&(1<<i) != 0 {
				s = append(s, vc)
			}
		}
		if len(s) >= least {
			f(s)
		}
		if len(s)+faulty < least {
			continue
		}
		for _, lie := range d.lies {
			f(slices.Concat(s, []leader.ViewChange{lie}))
		}
	}
}

// decide lists all NewViews, one of those that say the same.
func (d *decision) decide() []*newView {
	for _, stable := range d.stable {
		// One less than a quorum must not do; with fewer there is nothing to try.
		d.sets(quorum-1, func(s []leader.ViewChange) {
			for _, proving := range [...]bool{false, true} {
				if e := d.build(s, stable, proving); e != nil {
					d.add(e)
				}
			}
		})
		if d.leader == d.w.cfg.Liar {
			d.lie(stable)
		}
	}
	return d.out
}

// build has a Manager make a NewView of these ViewChanges.
func (d *decision) build(s []leader.ViewChange, stable pbft.StableCheckpoint, proving bool) *leader.EnterView {
	m := d.manager(d.leader, leader.Standing{View: d.view, Stable: stable})
	var made *leader.EnterView
	for _, vc := range s {
		made = d.perform(m, m.OnViewChange(start, vc), proving, made)
	}
	return made
}

// perform answers a Manager's questions for certificates, and gives what it
// enters.
func (d *decision) perform(m *leader.Manager, effects []leader.Effect, proving bool, made *leader.EnterView) *leader.EnterView {
	for _, e := range effects {
		switch e := e.(type) {
		case leader.EnterView:
			made = &e
		case leader.FetchPrepared:
			if b := d.provable[e.Claim]; proving && b != nil {
				made = d.perform(m, m.OnPrepared(start, leader.Prepared{Claim: e.Claim, Bundles: b}), proving, made)
			}
		case leader.Suspects, leader.ChangeView, leader.BroadcastViewChange, leader.SendViewChange, leader.BroadcastNewView,
			leader.SendNewView, leader.SendPrepared, leader.FetchViewChange, leader.NewViewRefused:
		}
	}
	return made
}

func (d *decision) manager(self messages.Index, standing leader.Standing) *leader.Manager {
	m := leader.NewManager(leader.ManagerConfig{
		Self: self, N: members, Quorum: messages.Quorum(members), Window: d.w.chain.Params.Window,
		Optimistic: d.w.chain.Params.OptimisticMode,
		Timeout:    leader.DefaultTimeoutConfig(), Heartbeat: pure.Heartbeat, HeartbeatTimeout: 4 * pure.Heartbeat,
	}, start)
	m.Resume(start, standing, nil, nil, nil, nil)
	return m
}

// lie has another member's Manager examine NewViews that list whatever there is,
// with and without marks: what it lets through, others enter.
func (d *decision) lie(stable pbft.StableCheckpoint) {
	judge := (d.leader + 1) % members
	d.sets(quorum-1, func(s []leader.ViewChange) {
		for _, list := range d.lists(stable.Seq) {
			for _, marking := range [...]bool{false, true} {
				body := &messages.NewViewBody{View: d.view, MinS: stable.Seq, MinSDigest: stable.Digest, List: list, Marks: d.marks(stable.Seq, list, marking)}
				if d.knows(body) || marking && len(body.Marks) == 0 {
					continue
				}
				for _, vc := range sorted(s) {
					body.ViewChanges = append(body.ViewChanges, messages.ViewChangeRef{Member: vc.From, Digest: vc.Body.Digest()})
				}
				e := d.examine(judge, body, s, stable)
				switch {
				case d.w.cfg.Managed && (e != nil || d.refused):
					d.tell(*body, s, stable)
				case e != nil:
					d.add(e)
				}
			}
		}
	})
}

func sorted(s []leader.ViewChange) []leader.ViewChange {
	return slices.SortedFunc(slices.Values(s), func(a, b leader.ViewChange) int { return int(a.From) - int(b.From) })
}

// lists gives every list above min-s.
func (d *decision) lists(minS messages.Seq) [][]messages.Digest {
	all := [][]messages.Digest{nil}
	last := all
	for seq := minS + 1; seq <= messages.Seq(d.w.cfg.Sequences); seq++ {
		var longer [][]messages.Digest
		for _, list := range last {
			for _, digest := range append([]messages.Digest{messages.NullDigest}, d.w.digests...) {
				longer = append(longer, append(slices.Clip(list), digest))
			}
		}
		all, last = append(all, longer...), longer
	}
	return all
}

// marks are the highest provable claims for what is listed.
func (d *decision) marks(minS messages.Seq, list []messages.Digest, marking bool) (marks []messages.Claim) {
	for i, digest := range list {
		for view := d.view; marking && view > 0; view-- {
			c := messages.Claim{Seq: minS + 1 + messages.Seq(i), View: view - 1, Digest: digest}
			if d.provable[c] != nil {
				marks = append(marks, c)
				break
			}
		}
	}
	return marks
}

func (d *decision) examine(judge messages.Index, body *messages.NewViewBody, s []leader.ViewChange, stable pbft.StableCheckpoint) *leader.EnterView {
	if body.Validate() != nil {
		return nil
	}
	m := d.manager(judge, leader.Standing{Active: true})
	bundle, _ := d.w.chain.Sign(d.leader, messages.Vote{Kind: messages.NewView, View: d.view, Digest: body.Digest()})
	made := d.perform(m, m.OnNewView(start, d.leader, leader.NewView{From: d.leader, Bundle: bundle, Body: body, Stable: stable}), true, nil)
	for _, vc := range s {
		made = d.perform(m, m.OnViewChange(start, vc), true, made)
	}
	return made
}

func (d *decision) knows(b *messages.NewViewBody) bool {
	return slices.ContainsFunc(d.out, func(f *newView) bool {
		o := f.signed.Body
		return o.MinS == b.MinS && slices.Equal(o.List, b.List) && slices.Equal(o.Marks, b.Marks)
	})
}

// add keeps a NewView, if it says what none before it did. The ViewChanges it
// names are for Managers to look at, and they have.
func (d *decision) add(e *leader.EnterView) {
	b := *e.NewView.Body
	if d.knows(&b) {
		return
	}
	b.ViewChanges = nil
	own := &pbft.NewView{Body: &b, Stable: e.NewView.Stable}
	for _, p := range e.Marks {
		own.Marks = append(own.Marks, pbft.Proof{Claim: p.Claim, Bundles: p.Bundles})
	}
	signed := *own
	signed.Bundle, _ = d.w.chain.Sign(d.leader, messages.Vote{Kind: messages.NewView, View: d.view, Digest: b.Digest()})
	d.out = append(d.out, d.w.entered.get(kindOf(own), func(number uint32) *newView { return &newView{asOwn: own, signed: &signed, number: number} }))
}
