package leader

import (
	"slices"

	"github.com/cretoai/consensus/messages"
)

// build decides the own NewView, once: as soon as q ViewChanges for the pending
// view, which this replica leads, decide every sequence. Those whose checkpoint is
// above every certificate known are left out: nobody could tell what they hide.
// They count when their certificate comes. [H10]
func (m *Manager) build() {
	view := m.standing.View
	if !m.replan || m.standing.Active || m.schedule.Leader(view) != m.cfg.Self || m.built != nil {
		return
	}
	m.replan = false
	minS := m.certified
	s := slices.DeleteFunc(m.collected.forTarget(), func(vc ViewChange) bool { return vc.Body.Low > minS.Seq })
	if len(s) < m.cfg.Quorum {
		return
	}
	bodies := make([]*messages.ViewChangeBody, len(s))
	for i := range s {
		bodies[i] = s[i].Body
	}
	p := m.rules.plan(bodies, minS.Seq, func(c messages.Claim) bool {
		_, ok := m.prepared[c]
		return ok
	})
	if len(p.open) > 0 {
		m.want(p.wanted)
		return
	}
	body := &messages.NewViewBody{View: view, MinS: minS.Seq, MinSDigest: minS.Digest, List: p.list, Marks: p.marks}
	for _, vc := range s {
		body.ViewChanges = append(body.ViewChanges, messages.ViewChangeRef{Member: vc.From, Digest: vc.digest()})
	}
	e := &EnterView{NewView: NewView{From: m.cfg.Self, Body: body, Stable: minS}, S: s}
	for _, c := range p.marks {
		e.Marks = append(e.Marks, m.prepared[c])
	}
	m.built = e
	m.emit(*e)
}

// want notes the claims whose certificates would decide the own plan, and asks at
// once for those that are new.
func (m *Manager) want(claims []messages.Claim) {
	var fresh []messages.Claim
	for _, c := range claims {
		if !slices.Contains(m.wanted, c) {
			fresh = append(fresh, c)
		}
	}
	m.wanted = append(m.wanted, fresh...)
	m.askClaimants(fresh)
}

// askClaimants asks everybody who claims it for each certificate that is missing;
// each member for a few at a time, so that one who claims much and can show
// nothing delays only himself. They are at most f for each claim, or f+1 members
// would have accepted it and no certificate were needed.
func (m *Manager) askClaimants(claims []messages.Claim) {
	if m.built != nil {
		return
	}
	for _, vc := range m.collected.forTarget() {
		asks := 0
		for _, c := range claims {
			if _, held := m.prepared[c]; held || asks == asksMax {
				continue
			}
			if p, ok := preparedAt(vc.Body, c.Seq); ok && p == c {
				m.emit(FetchPrepared{vc.From, c})
				asks++
			}
		}
	}
}
