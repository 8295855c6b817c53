package leader

import (
	"slices"
	"time"

	"github.com/cretoai/consensus/messages"
)

// peerView is what this replica sent a member on account of its Status.
type peerView struct {
	viewChange resend
	newView    resend
	lacking    time.Time // since when its Status show that it lacks the NewView; zero if not
	served     int       // ViewChanges and certificates sent this heartbeat because it asked
}

// resend paces the repetition of one message to one member.
type resend struct {
	at    time.Time // when it was sent last
	times int       // repeated
}

// due reports whether the message may be repeated, and notes that it is.
func (r *resend) due(now time.Time, wait time.Duration) bool {
	if now.Sub(r.at) < wait {
		return false
	}
	r.at = now
	r.times++
	return true
}

// OnStatus takes a member's Status: what it suspects counts, and what it lacks is
// sent again. [R2, H11]
func (m *Manager) OnStatus(now time.Time, from messages.Index, st *messages.Status) []Effect {
	if m.halted || from == m.cfg.Self || int(from) >= m.cfg.N {
		return nil
	}
	m.tracker.Heard(now, from, st)
	m.progress(now)
	m.resendViewChange(now, from, st)
	m.resendNewView(now, from, st)
	return m.take()
}

// resendViewChange repeats the own ViewChange, as it was recorded, to a member
// whose view is not above the one asked for. Once it changes to the same view its
// bitmap says whether it is needed; one that is below cannot tell, and is sent it
// less and less often. A member of an active view is sent the NewView instead.
func (m *Manager) resendViewChange(now time.Time, to messages.Index, st *messages.Status) {
	if m.own == nil || m.standing.Active || m.own.Body.View != m.standing.View {
		return
	}
	p, view := &m.peers[to], m.own.Body.View
	wait := 2 * m.cfg.Heartbeat // a message and its answer are on their way for one
	switch {
	case st.View == view && !st.Active && st.ViewChanges&(1<<m.cfg.Self) == 0:
	case st.View < view:
		wait <<= min(p.viewChange.times, 2)
	default:
		return
	}
	if p.viewChange.due(now, wait) {
		m.emit(SendViewChange{to, *m.own})
	}
}

// resendNewView repeats the NewView of the last view entered, whoever made it, to
// a member below that view or changing to it. Its leader does so every heartbeat,
// others after two heartbeats in which the leader did not succeed, and less often.
func (m *Manager) resendNewView(now time.Time, to messages.Index, st *messages.Status) {
	e := m.entered
	if e == nil || e.NewView.Bundle == nil {
		return
	}
	p, view := &m.peers[to], e.NewView.Body.View
	if st.View > view || st.View == view && st.Active {
		p.lacking = time.Time{}
		return
	}
	if p.lacking.IsZero() {
		p.lacking = now
	}
	patience, wait := 2*m.cfg.Heartbeat, 4*m.cfg.Heartbeat
	if e.NewView.From == m.cfg.Self {
		patience, wait = m.cfg.Heartbeat, m.cfg.Heartbeat
	}
	if now.Sub(p.lacking) >= patience && p.newView.due(now, wait) {
		m.emit(SendNewView{to, e.NewView})
	}
}

// sentNewView notes that the own NewView is on its way to everybody.
func (m *Manager) sentNewView(now time.Time) {
	for i := range m.peers {
		m.peers[i].newView, m.peers[i].lacking = resend{at: now}, time.Time{}
	}
}

// OnFetchViewChange answers from what the last view entered rests on, and from
// what is collected.
func (m *Manager) OnFetchViewChange(from messages.Index, view messages.View, member messages.Index, digest messages.Digest) []Effect {
	if !m.serves(from) {
		return nil
	}
	vc := m.collected.find(member, digest)
	if vc == nil && m.entered != nil {
		i := slices.IndexFunc(m.entered.S, func(vc ViewChange) bool { return vc.From == member && vc.digest() == digest })
		if i >= 0 {
			vc = &m.entered.S[i]
		}
	}
	if vc == nil && m.own != nil && m.own.From == member && m.own.digest() == digest {
		vc = m.own
	}
	if vc == nil || vc.Body.View != view {
		return nil
	}
	m.peers[from].served++
	m.emit(SendViewChange{from, *vc})
	return m.take()
}

// OnFetchPrepared answers from the certificates that the last view entered rests
// on. If it has no answer, the sequencer may: what this replica prepared itself is
// there.
func (m *Manager) OnFetchPrepared(from messages.Index, claim messages.Claim) []Effect {
	if !m.serves(from) || m.entered == nil {
		return nil
	}
	i := slices.IndexFunc(m.entered.Marks, func(p Prepared) bool { return p.Claim == claim })
	if i < 0 {
		return nil
	}
	m.peers[from].served++
	m.emit(SendPrepared{from, m.entered.Marks[i]})
	return m.take()
}

// serves reports whether a member may be sent something more this heartbeat: one
// that asks without end costs a bounded share of the bandwidth. [K1]
func (m *Manager) serves(to messages.Index) bool {
	return !m.halted && to != m.cfg.Self && int(to) < m.cfg.N && m.peers[to].served < asksMax
}
