package pure

import (
	"time"

	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// What passes between the voter and the manager. Without a manager, ViewChanges
// and NewViews just leave.

func (r *Replica) standing() leader.Standing {
	return leader.Standing{View: r.core.View(), Active: r.core.Active(), Stable: r.core.Certified()}
}

// stand tells the manager where the voter stands.
func (r *Replica) stand() {
	if r.manager == nil {
		return
	}
	s := r.standing()
	r.later(func() { r.manage(r.manager.OnStanding(r.now, s)) })
}

func (r *Replica) releasedViewChange(e pbft.ViewChangeReleased) {
	vc := leader.ViewChange{From: r.Self, Bundle: e.Bundle, Body: e.Body, Stable: e.Stable}
	if r.manager == nil {
		r.say(Everyone, ViewChange{vc})
		return
	}
	r.later(func() { r.manage(r.manager.OnViewChange(r.now, vc)) })
}

func (r *Replica) releasedNewView(e pbft.NewViewReleased) {
	nv := leader.NewView{From: r.Self, Bundle: e.NewView.Bundle, Body: e.NewView.Body, Stable: e.NewView.Stable}
	if r.manager == nil {
		r.say(Everyone, NewView{nv})
		return
	}
	r.later(func() { r.manage(r.manager.OnNewView(r.now, r.Self, nv)) })
}

func (r *Replica) refused(e pbft.Refused) {
	lied := e.Refusal == pbft.OtherDigestAccepted || e.Refusal == pbft.SettledByNewView
	if r.manager != nil && e.From != r.Self && lied {
		r.later(func() { r.manage(r.manager.OnInvalidPrePrepare(r.now, e.Vote.View)) })
	}
}

func (r *Replica) sayPrepared(to messages.Index, p leader.Prepared) {
	if to == r.Self {
		r.later(func() { r.hearOfViews(to, Prepared{p}) })
		return
	}
	r.say(to, Prepared{p})
}

// hearOfViews brings the manager what it wants.
func (r *Replica) hearOfViews(from messages.Index, b Body) {
	m := r.manager
	if m == nil {
		return
	}
	switch b := b.(type) {
	case ViewChange:
		if vc := b.ViewChange; m.WantsViewChange(vc.From, vc.Body.View, vc.Body.Digest()) {
			r.manage(m.OnViewChange(r.now, vc))
		}
	case NewView:
		if nv := b.NewView; m.WantsNewView(nv.Body.View, nv.Body.Digest()) {
			r.manage(m.OnNewView(r.now, from, nv))
		}
	case Prepared:
		if m.WantsPrepared(b.Prepared.Claim) {
			r.manage(m.OnPrepared(r.now, b.Prepared))
		}
	case FetchViewChange:
		r.manage(m.OnFetchViewChange(from, b.View, b.Member, b.Digest))
	case FetchPrepared:
		effects := m.OnFetchPrepared(from, b.Claim)
		r.manage(effects)
		if len(effects) == 0 {
			r.perform(r.core.OnFetchPrepared(from, b.Claim))
		}
	case Status:
		r.manage(m.OnStatus(r.now, from, b.Status))
	case Votes, Batch, Stable, Decided, FetchBatches, Blame:
	}
}

// Beat is a heartbeat: what waits so long, the manager is told, and all get a
// Status.
func (r *Replica) Beat(now time.Time, waiting time.Duration) []Message {
	r.now = now
	r.perform(r.core.OnTick())
	if r.manager != nil {
		r.manage(r.manager.OnTick(now, leader.Load{OldestVertex: waiting}))
	}
	r.say(Everyone, Status{r.status()})
	return r.settle()
}

func (r *Replica) status() *messages.Status {
	st := r.core.Status()
	st.Suspects, st.Suspicion, st.ViewChanges = r.told.Suspicion.View, r.told.Suspicion.Level(), r.told.Held
	return st
}

func (r *Replica) manage(effects []leader.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case leader.Suspects:
			changed := e.Suspicion != r.told.Suspicion
			if r.told = e; changed {
				r.say(Everyone, Status{r.status()})
			}
		case leader.ChangeView:
			r.later(func() { r.perform(r.core.ChangeView(e.View)) })
		case leader.EnterView:
			r.later(func() { r.perform(r.core.EnterView(e.ForVoter())) })
		case leader.BroadcastViewChange:
			r.say(Everyone, ViewChange{e.ViewChange})
		case leader.SendViewChange:
			r.say(e.To, ViewChange{e.ViewChange})
		case leader.BroadcastNewView:
			r.say(Everyone, NewView{e.NewView})
		case leader.SendNewView:
			r.say(e.To, NewView{e.NewView})
		case leader.FetchViewChange:
			r.say(e.To, FetchViewChange{e.View, e.Member, e.Digest})
		case leader.FetchPrepared:
			if e.To == r.Self {
				r.later(func() { r.hearOfViews(r.Self, FetchPrepared{e.Claim}) })
			} else {
				r.say(e.To, FetchPrepared{e.Claim})
			}
		case leader.SendPrepared:
			r.sayPrepared(e.To, e.Prepared)
		case leader.NewViewRefused:
			r.say(Everyone, Blame{e.NewView.From, e.Reason})
		}
	}
}
