package leader

import (
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// ViewChange is a member's verified ViewChange: the signature was checked, and the
// bundle's only vote names the body's digest.
type ViewChange struct {
	From   messages.Index
	Bundle *messages.Bundle
	Body   *messages.ViewChangeBody
	// Stable is the verified certificate for (Body.Low, Body.LowDigest); zero when
	// absent, bad, or at genesis. It is no part of the ViewChange's validity.
	Stable pbft.StableCheckpoint
}

func (vc *ViewChange) digest() messages.Digest { return vc.Bundle.Votes[0].Digest }

// NewView is a verified NewView.
type NewView struct {
	From   messages.Index   // the view's leader, who signed it
	Bundle *messages.Bundle // nil for the own one that is not signed yet
	Body   *messages.NewViewBody
	// Stable is the verified certificate for (Body.MinS, Body.MinSDigest), zero at
	// genesis. A NewView without it is incomplete, which is nobody's guilt.
	Stable pbft.StableCheckpoint
}

func (nv *NewView) digest() messages.Digest { return nv.Bundle.Votes[0].Digest }

// Prepared is a verified prepared certificate: bundles in which Quorum-1 distinct
// members, not the leader of Claim.View, vote Prepare for the claim.
type Prepared struct {
	Claim   messages.Claim
	Bundles []*messages.Bundle
}

// Standing is where the voter stands.
type Standing struct {
	View   messages.View
	Active bool                  // false: changing to View
	Stable pbft.StableCheckpoint // the highest certificate known
}

// Load is what a replica waits for and whom it holds convicted.
type Load struct {
	// OldestVertex is the age of the oldest timed vertex that is not executed,
	// zero if no vertex timer runs.
	OldestVertex time.Duration
	// Convicted tells, by member, against whom evidence is held. Bans by
	// reputation are not in it: they are one replica's opinion and change no view.
	Convicted []bool
}

// Effect is what the Manager asks of its surroundings. Effects are performed in
// the order in which they are given.
//
//sumtype:decl
type Effect interface{ effect() }

// Suspects reports a change of what the next Status says: whom this replica
// suspects, and, a bit a member, whose ViewChange for the pending view it holds. A
// changed suspicion is worth a Status at once, a changed bitmap alone is not.
type Suspects struct {
	Suspicion Suspicion
	Held      uint64
}

// ChangeView asks to leave for View: to record a ViewChange for it and vote for
// nothing below. The caller owes OnStanding when it is recorded, and OnViewChange
// with the own one when it may be sent. It is repeated every heartbeat until the
// standing shows it, so a request that was lost or came too late needs no answer.
type ChangeView struct {
	View   messages.View
	Reason string
}

// EnterView asks to enter the view of a NewView that follows from S, ascending by
// member, with the certificates it Marks: one of another leader, or the own one
// just decided, whose Bundle is nil. The caller records all of it together, raises
// the low watermark to Body.MinS, accepts what is listed above, and owes
// OnStanding; and, for the own one, OnNewView once it is signed and may be sent.
// It is repeated every heartbeat until the standing shows it.
type EnterView struct {
	NewView NewView
	S       []ViewChange
	Marks   []Prepared
}

// ForVoter is what the voter enters the view with.
func (e EnterView) ForVoter() *pbft.NewView {
	nv := &pbft.NewView{Body: e.NewView.Body, Bundle: e.NewView.Bundle, Stable: e.NewView.Stable}
	for _, vc := range e.S {
		nv.Support = append(nv.Support, pbft.Support{Bundle: vc.Bundle, Body: vc.Body})
	}
	for _, p := range e.Marks {
		nv.Marks = append(nv.Marks, pbft.Proof{Claim: p.Claim, Bundles: p.Bundles})
	}
	return nv
}

// BroadcastViewChange sends the own ViewChange to all other members.
type BroadcastViewChange struct{ ViewChange ViewChange }

// SendViewChange sends a ViewChange, own or another's, to one member.
type SendViewChange struct {
	To         messages.Index
	ViewChange ViewChange
}

// BroadcastNewView sends the own NewView to all other members.
type BroadcastNewView struct{ NewView NewView }

// SendNewView sends the NewView of the view entered to one member.
type SendNewView struct {
	To      messages.Index
	NewView NewView
}

// SendPrepared answers a FetchPrepared.
type SendPrepared struct {
	To       messages.Index
	Prepared Prepared
}

// FetchViewChange asks a member for a ViewChange that a NewView names.
type FetchViewChange struct {
	To     messages.Index
	View   messages.View
	Member messages.Index
	Digest messages.Digest
}

// FetchPrepared asks a member for a prepared certificate. To may be this replica,
// whose own claim it is: then its sequencer is asked. Whoever has the certificate
// owes OnPrepared.
type FetchPrepared struct {
	To    messages.Index
	Claim messages.Claim
}

// NewViewRefused reports a NewView that its leader signed, that is complete, and
// that does not follow from its ViewChanges S: evidence against NewView.From. S is
// empty if the NewView condemns itself.
type NewViewRefused struct {
	NewView NewView
	S       []ViewChange
	Reason  string
}

func (Suspects) effect()            {}
func (ChangeView) effect()          {}
func (EnterView) effect()           {}
func (BroadcastViewChange) effect() {}
func (SendViewChange) effect()      {}
func (BroadcastNewView) effect()    {}
func (SendNewView) effect()         {}
func (SendPrepared) effect()        {}
func (FetchViewChange) effect()     {}
func (FetchPrepared) effect()       {}
func (NewViewRefused) effect()      {}
