package pbft_test

import (
	"cmp"
	"maps"
	"slices"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// How the test cluster changes views: when and why is drawn by the scheduler,
// and what a NewView says is decided by a few lines written down from the
// protocol's page, so that nothing of package leader can hide a fault of the
// voter's.

// viewChange is a member's ViewChange as it travels.
type viewChange struct {
	from   messages.Index
	body   *messages.ViewChangeBody
	bundle *messages.Bundle
	stable pbft.StableCheckpoint
}

// views is what a node knows of views; a crash forgets it.
type views struct {
	own  *viewChange
	held map[messages.View]map[messages.Index]viewChange
}

// leaveView has some replica ask for the next view, or for one a little above.
func (c *cluster) leaveView() {
	r := c.replicas[c.rand.IntN(len(c.replicas))]
	if !c.lies(r) {
		c.faults.viewsMax--
		r.perform(r.core.ChangeView(r.core.View() + 1 + messages.View(c.rand.IntN(8)/7)))
	}
}

// calmViews brings everybody to one view, once no more are to be left.
func (c *cluster) calmViews(r *node) {
	if c.faults.views == 0 || c.faults.viewsMax > 0 {
		return
	}
	var top messages.View
	for _, other := range c.replicas {
		top = max(top, other.core.View())
	}
	if c.faults.equivocate && leaderOf(len(c.replicas))(top) == 0 {
		top++ // its leader does nothing
	}
	if r.core.View() < top {
		r.perform(r.core.ChangeView(top))
	}
}

// tellViews sends the own ViewChange, or the NewView, to those who may lack it.
func (r *node) tellViews() {
	nv := r.core.Entered()
	r.c.others(r.self, func(to messages.Index) {
		switch {
		case !r.core.Active() && r.views.own != nil && r.views.own.body.View == r.core.View():
			r.c.sendViewChange(to, *r.views.own)
		case r.core.Active() && nv != nil && nv.Bundle != nil:
			r.c.sendNewView(to, nv)
		}
	})
}

func (c *cluster) sendViewChange(to messages.Index, vc viewChange) {
	r := c.replicas[to]
	c.pending = append(c.pending, event{to: r, life: r.life, deliver: func() { r.onViewChange(vc) }})
}

func (c *cluster) sendNewView(to messages.Index, nv *pbft.NewView) {
	r := c.replicas[to]
	c.pending = append(c.pending, event{to: r, life: r.life, deliver: func() { r.onNewView(nv) }})
}

// onViewChange keeps a ViewChange, joins a view that more members ask for than
// can lie, and begins the view as its leader.
func (r *node) onViewChange(vc viewChange) {
	w := vc.body.View
	if w < r.core.View() || w == r.core.View() && r.core.Active() {
		return
	}
	if r.views.held == nil {
		r.views.held = make(map[messages.View]map[messages.Index]viewChange)
	}
	if r.views.held[w] == nil {
		r.views.held[w] = make(map[messages.Index]viewChange)
	}
	r.views.held[w][vc.from] = vc
	if w > r.core.View() && len(r.views.held[w]) >= messages.Weak(r.n) {
		r.perform(r.core.ChangeView(w))
	}
	if w != r.core.View() || r.core.Active() || leaderOf(r.n)(w) != r.self || len(r.views.held[w]) < messages.Quorum(r.n) {
		return
	}
	var s []viewChange
	for _, m := range slices.Sorted(maps.Keys(r.views.held[w])) {
		s = append(s, r.views.held[w][m])
	}
	if nv, ok := decideView(r.n, w, s); ok {
		r.perform(r.core.EnterView(nv))
	}
}

// onNewView enters a view whose list follows from its ViewChanges.
func (r *node) onNewView(nv *pbft.NewView) {
	w := nv.Body.View
	if w < r.core.View() || w == r.core.View() && r.core.Active() {
		return
	}
	var s []viewChange
	for _, v := range nv.Support {
		s = append(s, viewChange{from: v.Bundle.From, body: v.Body, bundle: v.Bundle})
	}
	again, ok := decideView(r.n, w, s)
	if !ok || !slices.Equal(again.Body.List, nv.Body.List) || again.Body.MinS != nv.Body.MinS {
		if !r.c.faults.equivocate {
			r.c.t.Fatalf("replica %d: a correct leader's new-view does not follow", r.self)
		}
		return
	}
	r.perform(r.core.EnterView(nv))
}

// released sends what the core has made durable and signed.
func (r *node) released(e pbft.ViewChangeReleased) {
	r.views.own = &viewChange{r.self, e.Body, e.Bundle, e.Stable}
	r.check([]*messages.Bundle{e.Bundle})
	if err := e.Body.Validate(); err != nil {
		r.c.t.Fatalf("replica %d: its view-change: %v", r.self, err)
	}
	r.c.others(r.self, func(to messages.Index) { r.c.sendViewChange(to, *r.views.own) })
	r.c.local(r, func() []pbft.Effect { r.onViewChange(*r.views.own); return nil })
}

// decideView builds the NewView that follows from ViewChanges for w. It is the
// protocol's text, A1, A2 and B, as it stands there.
func decideView(n int, w messages.View, s []viewChange) (*pbft.NewView, bool) {
	q, weak := messages.Quorum(n), messages.Weak(n)
	if len(s) < q {
		return nil, false
	}
	body, last := &messages.NewViewBody{View: w}, 0
	nv := &pbft.NewView{Body: body}
	for _, vc := range s {
		if vc.body.Low > body.MinS {
			body.MinS, body.MinSDigest = vc.body.Low, vc.body.LowDigest
			nv.Stable = certificateOf(vc.body.Low, vc.body.LowDigest)
		}
		body.ViewChanges = append(body.ViewChanges, messages.ViewChangeRef{Member: vc.from, Digest: vc.body.Digest()})
		nv.Support = append(nv.Support, pbft.Support{Bundle: vc.bundle, Body: vc.body})
	}
	for seq := body.MinS + 1; seq <= body.MinS+params().Window; seq++ {
		digest, claimed, ok := decideSeq(seq, s, q, weak)
		if !ok {
			return nil, false
		}
		body.List = append(body.List, digest)
		if claimed { // a null batch that was prepared may have been committed
			last = len(body.List)
		}
	}
	body.List = body.List[:last]
	return nv, true
}

func decideSeq(seq messages.Seq, s []viewChange, q, weak int) (d messages.Digest, claimed, ok bool) {
	at := func(list []messages.Claim) (claims []messages.Claim) {
		for _, c := range list {
			if c.Seq == seq {
				claims = append(claims, c)
			}
		}
		return claims
	}
	var candidates []messages.Claim
	silent := 0
	for _, vc := range s {
		p := at(vc.body.Prepared)
		if len(p) == 0 {
			silent++
		}
		candidates = append(candidates, p...)
	}
	slices.SortFunc(candidates, func(a, b messages.Claim) int {
		return cmp.Or(-cmp.Compare(a.View, b.View), slices.Compare(a.Digest[:], b.Digest[:]))
	})
	for _, c := range candidates {
		agree, accepted := 0, 0
		for _, vc := range s {
			p := at(vc.body.Prepared)
			if len(p) == 0 || p[0].View < c.View || p[0] == c {
				agree++
			}
			if slices.ContainsFunc(at(vc.body.Accepted), func(a messages.Claim) bool { return a.Digest == c.Digest && a.View >= c.View }) {
				accepted++
			}
		}
		if agree >= q && accepted >= weak {
			return c.Digest, true, true
		}
	}
	return messages.NullDigest, false, silent >= q
}

// lieAboutViews has member 0 claim whatever may lead others astray, differently
// to everybody, and as a view's leader begin it more than once, with any quorum
// of ViewChanges it pleases.
func (c *cluster) lieAboutViews() {
	n := len(c.replicas)
	var top messages.View
	for _, r := range c.replicas[1:] {
		top = max(top, r.core.View())
	}
	c.others(0, func(to messages.Index) {
		lie := c.falseViewChange(top + messages.View(c.rand.IntN(2)))
		if lie.body.View > 0 && lie.body.Validate() == nil {
			c.sendViewChange(to, lie)
		}
		if leaderOf(n)(top) != 0 || top == 0 {
			return
		}
		s := []viewChange{c.falseViewChange(top)}
		for _, r := range c.replicas[1:] {
			if own := r.views.own; own != nil && own.body.View == top && c.rand.IntN(4) > 0 {
				s = append(s, *own)
			}
		}
		if s[0].body.Validate() != nil {
			s = s[1:]
		}
		if nv, ok := decideView(n, top, s); ok {
			nv.Bundle, _ = sealed(0, messages.Vote{Kind: messages.NewView, View: top, Digest: nv.Body.Digest()})
			c.sendNewView(to, nv)
		}
	})
}

func (c *cluster) falseViewChange(w messages.View) viewChange {
	body := &messages.ViewChangeBody{View: w}
	for seq := messages.Seq(1); seq <= 4; seq++ {
		d := c.batches[c.rand.IntN(len(c.batches))].Digest()
		if c.rand.IntN(4) == 0 {
			d = messages.NullDigest
		}
		claim := messages.Claim{Seq: seq, View: w - min(w, 1+messages.View(c.rand.IntN(3))), Digest: d}
		switch c.rand.IntN(4) {
		case 0, 1:
			body.Prepared, body.Accepted = append(body.Prepared, claim), append(body.Accepted, claim)
		case 2:
			body.Accepted = append(body.Accepted, claim)
		}
	}
	vc := viewChange{body: body}
	vc.bundle, _ = sealed(0, messages.Vote{Kind: messages.ViewChange, View: max(w, 1), Digest: body.Digest()})
	return vc
}
