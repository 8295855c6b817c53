package pbft

import (
	"maps"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// NewView is what a view is entered with: a NewView that follows from its
// ViewChanges, as package leader has found or, for the view's own leader, made.
type NewView struct {
	Body *messages.NewViewBody
	// Bundle is the leader's signature; nil for one's own, which is signed again
	// whenever it is needed.
	Bundle *messages.Bundle
	// Stable is the certificate for the body's min-s, zero at genesis.
	Stable StableCheckpoint
	// Support are the ViewChanges the body names: whoever asks gets them here.
	Support []Support
	// Marks prove the claims the body marks, likewise.
	Marks []Proof
}

// Proof is a prepared certificate: Prepares for the claim by members other than
// the view's leader, a quorum less one of them. One of these is correct, so the
// digest was accepted by more correct members than could be outvoted.
type Proof struct {
	Claim   messages.Claim
	Bundles []*messages.Bundle
}

// Support is one ViewChange, its body with the bundle that signs it.
type Support struct {
	Bundle *messages.Bundle
	Body   *messages.ViewChangeBody
}

// ChangeView leaves the voter's view for a higher one: nothing is voted,
// accepted or recorded as prepared below it from now on. The ViewChange carries
// every claim recorded above low, the stable checkpoint the window begins at,
// and is made once: asked for again, the recorded one is granted. [V3, V4, V7]
func (v *Voter) ChangeView(view messages.View, low StableCheckpoint) (Grant, Refusal) {
	switch {
	case v.halted:
		return Grant{}, Halted
	case v.observing:
		return Grant{}, Observing
	case view == v.view && !v.active && v.left != nil:
		return Grant{Vote: viewChangeVote(v.left)}, Granted
	case view <= v.view:
		return Grant{}, WrongView
	}
	body := &messages.ViewChangeBody{View: view, Low: low.Seq, LowDigest: low.Digest}
	for _, seq := range slices.Sorted(maps.Keys(v.memory)) {
		if !v.marks.Contains(seq) {
			continue
		}
		m := v.memory[seq]
		if p := m.prepared; !p.digest.IsZero() {
			body.Prepared = append(body.Prepared, messages.Claim{Seq: seq, View: p.view, Digest: p.digest})
		}
		for _, q := range m.accepted {
			body.Accepted = append(body.Accepted, messages.Claim{Seq: seq, View: q.view, Digest: q.digest})
		}
	}
	v.leave(body)
	return Grant{Vote: viewChangeVote(body), Records: []Record{{Kind: RecordViewChange, ViewChange: body}}}, Granted
}

func viewChangeVote(b *messages.ViewChangeBody) messages.Vote {
	return messages.Vote{Kind: messages.ViewChange, View: b.View, Digest: b.Digest()}
}

func newViewVote(b *messages.NewViewBody) messages.Vote {
	return messages.Vote{Kind: messages.NewView, View: b.View, Digest: b.Digest()}
}

func (v *Voter) leave(body *messages.ViewChangeBody) {
	v.view, v.active, v.left = body.View, false, body
	v.forgetSent()
}

// forgetSent drops the votes of views that were left: they are in the journal,
// and nothing is ever granted there again.
func (v *Voter) forgetSent() {
	for _, m := range v.memory {
		m.sent = slices.DeleteFunc(m.sent, func(vote messages.Vote) bool { return vote.View < v.view })
	}
}

// EnterView makes a view active: the window rises to min-s, what the NewView
// lists above it is accepted as the view's pre-prepares, and fresh ones are
// accepted above the list only. All of it is one record; the list is never
// judged again. The view's leader is granted its NewView vote. A list that
// contradicts what was committed in a lower view and executed here is refused as
// a contradiction. [V1, V3, V6, V7]
func (v *Voter) EnterView(nv *NewView) (Grant, Refusal) {
	body := nv.Body
	switch {
	case v.halted:
		return Grant{}, Halted
	case v.observing && nv.Bundle == nil:
		return Grant{}, Observing // it is this replica's own, yet to be signed
	case body.View < v.view || body.View == 0:
		return Grant{}, WrongView
	case body.View == v.view && v.active:
		return Grant{}, ViewActive
	}
	if _, _, contradicts := v.contradiction(body); contradicts {
		return Grant{}, ContradictsExecuted
	}
	v.enter(nv)
	g := Grant{Records: []Record{{Kind: RecordNewView, NewView: nv}}}
	if v.leader(v.view) == v.self && !v.observing {
		g.Vote = newViewVote(body)
	}
	return g, Granted
}

// contradiction finds a listed digest other than the one executed there and
// committed in a lower view, which no quorum of ViewChanges can have hidden. One
// committed in this view or a higher one proves nothing: a leader that lies may
// begin its view twice, each time with a quorum it chose, and only what one of
// them lists gets the votes of a quorum. There nothing is voted, that is all. [V6]
func (v *Voter) contradiction(body *messages.NewViewBody) (seq messages.Seq, fixed messages.Digest, found bool) {
	for i, d := range body.List {
		seq := body.MinS + 1 + messages.Seq(i)
		if m := v.memory[seq]; m != nil && !m.fixed.digest.IsZero() && m.fixed.view < body.View && m.fixed.digest != d {
			return seq, m.fixed.digest, true
		}
	}
	return 0, messages.Digest{}, false
}

func (v *Voter) enter(nv *NewView) {
	v.view, v.active, v.entered = nv.Body.View, true, nv
	v.settled = nv.Body.Last()
	v.Stable(nv.Body.MinS)
	v.acceptListed(nv.Body)
	v.forgetSent()
}

func (v *Voter) acceptListed(body *messages.NewViewBody) {
	for i, d := range body.List {
		if seq := body.MinS + 1 + messages.Seq(i); seq > v.marks.Low {
			v.remember(seq).accept(body.View, d)
		}
	}
}

// Left is the ViewChange last recorded, nil if none was.
func (v *Voter) Left() *messages.ViewChangeBody { return v.left }

// Entered is the NewView last recorded, nil if none was.
func (v *Voter) Entered() *NewView { return v.entered }
