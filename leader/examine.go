package leader

import (
	"slices"
	"time"

	"github.com/cretoai/consensus/messages"
)

// asksMax bounds the parts that one examination asks for at a time, and the
// ViewChanges that one member is sent a heartbeat because it asked.
const asksMax = 16

// examination is a NewView that is not proved yet: parts of what it rests on may be
// missing. Of each leader the one for the highest view is examined, one at a time.
// A part that is missing is fetched and nobody's guilt; once nothing is, the
// verdict depends on the NewView and its parts alone. [K1, H5, H8]
type examination struct {
	nv      NewView
	parts   []*ViewChange // by place in nv.Body.ViewChanges, nil while missing
	via     messages.Index
	asked   int // times parts were asked for; it says whose turn it is
	follows bool
	refused bool
}

func (ex *examination) view() messages.View { return ex.nv.Body.View }

// place is where the NewView names a ViewChange that is missing, -1 if it does not.
func (ex *examination) place(member messages.Index, digest messages.Digest) int {
	for i, ref := range ex.nv.Body.ViewChanges {
		if ref.Member == member && ref.Digest == digest && ex.parts[i] == nil {
			return i
		}
	}
	return -1
}

// WantsNewView says whether a NewView is worth verifying: it is for a view this
// replica could enter and not under examination already, unless it lacked its
// checkpoint's certificate.
func (m *Manager) WantsNewView(view messages.View, digest messages.Digest) bool {
	leader := m.schedule.Leader(view)
	if m.halted || !m.enterable(view) || leader == m.cfg.Self { // the own one comes from the own voter
		return false
	}
	ex := m.exams[leader]
	switch {
	case ex == nil || ex.view() < view:
		return true
	case ex.view() > view:
		return false
	case ex.nv.digest() != digest:
		return m.hopeless(ex)
	}
	return !ex.refused && !m.proves(ex)
}

// hopeless reports whether a NewView was refused, or lacks parts although
// everybody was asked for them: a leader that lies may have made it for this
// replica alone, and another one for the others. [H8]
func (m *Manager) hopeless(ex *examination) bool { return ex.refused || ex.asked >= 2*m.cfg.N }

// enterable reports whether a NewView for view could still be entered: it is not
// below this replica's, nor the active one.
func (m *Manager) enterable(view messages.View) bool {
	return view > m.standing.View || view == m.standing.View && !m.standing.Active
}

// OnNewView takes a verified NewView, whoever sent it: it proves itself by its
// parts. via is the channel's peer, who is asked first for those that are missing.
// The own one comes here once it is signed, and is broadcast. [H8]
func (m *Manager) OnNewView(now time.Time, via messages.Index, nv NewView) []Effect {
	view := nv.Body.View
	switch {
	case m.halted || m.schedule.Leader(view) != nv.From:
		return nil
	case nv.From == m.cfg.Self:
		m.signed(now, nv)
		return m.take()
	case !m.enterable(view):
		return nil
	}
	switch ex := m.exams[nv.From]; {
	case ex == nil || ex.view() < view:
		m.examine(&examination{nv: nv, via: via, parts: make([]*ViewChange, len(nv.Body.ViewChanges))})
	case ex.view() == view && ex.nv.digest() != nv.digest() && via != nv.From && m.hopeless(ex):
		m.examine(&examination{nv: nv, via: via, parts: make([]*ViewChange, len(nv.Body.ViewChanges))})
	case ex.view() == view && ex.nv.digest() == nv.digest() && ex.nv.Stable.Seq == 0:
		ex.nv.Stable = nv.Stable // now complete, perhaps
	}
	m.progress(now)
	return m.take()
}

// signed takes the own NewView, which was entered by its body before.
func (m *Manager) signed(now time.Time, nv NewView) {
	e := m.entered
	if e == nil || e.NewView.Body.View != nv.Body.View || e.NewView.Bundle != nil {
		return
	}
	e.NewView.Bundle = nv.Bundle
	m.sentNewView(now)
	m.emit(BroadcastNewView{e.NewView})
}

// examine begins an examination with the parts that are held.
func (m *Manager) examine(ex *examination) {
	m.exams[ex.nv.From] = ex
	if err := m.rules.CheckSupport(ex.nv.Body); err != nil {
		m.refuse(ex, nil, err)
		return
	}
	for i, ref := range ex.nv.Body.ViewChanges {
		ex.parts[i] = m.collected.find(ref.Member, ref.Digest)
	}
	for _, c := range ex.nv.Body.Marks[:min(len(ex.nv.Body.Marks), asksMax)] {
		m.emit(FetchPrepared{m.cfg.Self, c}) // it may be a claim of this replica's own
	}
	m.ask(ex)
}

// proves reports whether the checkpoint at min-s is certified.
func (m *Manager) proves(ex *examination) bool {
	b := ex.nv.Body
	if b.MinS == 0 {
		return true
	}
	if ex.nv.Stable.Seq != b.MinS && m.certified.Seq == b.MinS && m.certified.Digest == b.MinSDigest {
		ex.nv.Stable = m.certified
	}
	return ex.nv.Stable.Seq == b.MinS
}

// missing lists what the examination lacks, as questions to a member.
func (m *Manager) missing(ex *examination, to messages.Index) []Effect {
	var asks []Effect
	for i, ref := range ex.nv.Body.ViewChanges {
		if ex.parts[i] == nil {
			asks = append(asks, FetchViewChange{to, ex.view(), ref.Member, ref.Digest})
		}
	}
	for _, c := range ex.nv.Body.Marks {
		if _, ok := m.prepared[c]; !ok {
			asks = append(asks, FetchPrepared{to, c})
		}
	}
	return asks
}

// ask asks for missing parts: the peer that sent the NewView first, then all in
// turn, this replica excepted. A checkpoint's certificate cannot be asked for: it
// comes with the NewView when the next one resends it, or with a Status's answer.
func (m *Manager) ask(ex *examination) {
	to := m.member(int(ex.via) + ex.asked)
	if to == m.cfg.Self {
		ex.asked++
		to = m.member(int(ex.via) + ex.asked)
	}
	asks := m.missing(ex, to)
	if len(asks) == 0 {
		return
	}
	ex.asked++
	m.out = append(m.out, asks[:min(len(asks), asksMax)]...)
}

func (m *Manager) member(i int) messages.Index { return messages.Index(i % m.cfg.N) }

// judgeNewViews gives the verdict on each examination whose ViewChanges are at
// hand, and enters what follows from them once nothing else is missing.
func (m *Manager) judgeNewViews() {
	for _, ex := range m.exams {
		if ex == nil || ex.refused || !m.enterable(ex.view()) || slices.Contains(ex.parts, nil) {
			continue
		}
		if !ex.follows {
			bodies := make([]*messages.ViewChangeBody, len(ex.parts))
			for i, vc := range ex.parts {
				bodies[i] = vc.Body
			}
			if err := m.rules.CheckNewView(ex.nv.Body, bodies); err != nil {
				m.refuse(ex, values(ex.parts), err)
				continue
			}
			ex.follows = true
		}
		if m.proves(ex) && len(m.missing(ex, 0)) == 0 {
			m.enter(ex)
		}
	}
}

// enter asks to enter a view whose NewView is proved; the highest, if several are.
func (m *Manager) enter(ex *examination) {
	if m.proved != nil && m.proved.NewView.Body.View >= ex.view() {
		return
	}
	e := &EnterView{NewView: ex.nv, S: values(ex.parts)}
	for _, c := range ex.nv.Body.Marks {
		e.Marks = append(e.Marks, m.prepared[c])
	}
	m.proved = e
	m.emit(*e)
}

func values(parts []*ViewChange) []ViewChange {
	s := make([]ViewChange, len(parts))
	for i, vc := range parts {
		s[i] = *vc
	}
	return s
}

func (m *Manager) refuse(ex *examination, s []ViewChange, why error) {
	ex.refused, ex.parts = true, nil
	m.emit(NewViewRefused{ex.nv, s, why.Error()})
	m.tracker.Hold(ex.view(), InvalidNewView)
}

// dropExaminations forgets NewViews that cannot be entered any more, and reminds
// the tracker of a refused one for the view that is now pending.
func (m *Manager) dropExaminations() {
	for i, ex := range m.exams {
		switch {
		case ex == nil:
		case !m.enterable(ex.view()):
			m.exams[i] = nil
		case ex.refused:
			m.tracker.Hold(ex.view(), InvalidNewView)
		}
	}
	for c := range m.prepared {
		if !m.WantsPrepared(c) {
			delete(m.prepared, c)
		}
	}
}
