package detector

import (
	"errors"
	"fmt"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
)

// ProvenNewView is the proof that a NewView does not follow from its ViewChanges,
// judged. Only JudgeNewView makes one.
type ProvenNewView struct {
	proof  *messages.InvalidNewView
	reason string
}

// Valid reports whether there is a proof.
func (p ProvenNewView) Valid() bool { return p.proof != nil }

// Proof is what was judged.
func (p ProvenNewView) Proof() *messages.InvalidNewView { return p.proof }

// Reason says why the NewView does not follow.
func (p ProvenNewView) Reason() string { return p.reason }

var errFollows = errors.New("the new-view follows from its view-changes: its leader did what it had to")

// JudgeNewView judges by the members' public keys and the window, which the
// genesis names both: the leader of the view signed the NewView, each member its
// ViewChange, and one does not follow from the others. Whether the judge holds
// certificates or batches plays no role. [E2, E4, H5]
func JudgeNewView(k *crypto.Keyring, window messages.Seq, e *messages.InvalidNewView) (ProvenNewView, error) {
	if err := e.Validate(); err != nil {
		return ProvenNewView{}, err
	}
	nv := e.NewView
	if want := leader.NewSchedule(k.N()).Leader(nv.Body.View); nv.Bundle.From != want {
		return ProvenNewView{}, fmt.Errorf("the new-view for view %d is of member %d, not of its leader %d", nv.Body.View, nv.Bundle.From, want)
	}
	if _, err := k.Open(nv.Bundle); err != nil {
		return ProvenNewView{}, fmt.Errorf("the new-view: %w", err)
	}
	bodies := make([]*messages.ViewChangeBody, len(e.ViewChanges))
	for i, vc := range e.ViewChanges {
		if _, err := k.Open(vc.Bundle); err != nil {
			return ProvenNewView{}, fmt.Errorf("view-change %d: %w", i, err)
		}
		bodies[i] = vc.Body
	}
	rules := leader.Rules{Members: k.N(), Quorum: k.Quorum(), Window: window, Optimistic: k.Optimistic()}
	wrong := rules.CheckSupport(nv.Body) // without which it condemns itself
	switch {
	case wrong == nil && len(bodies) == 0:
		return ProvenNewView{}, errors.New("the view-changes that the new-view names are missing")
	case wrong == nil:
		wrong = rules.CheckNewView(nv.Body, bodies)
	}
	if wrong == nil {
		return ProvenNewView{}, errFollows
	}
	return ProvenNewView{e, wrong.Error()}, nil
}

// newViewRecord is the one proof of this kind that is kept of a member. [E9]
type newViewRecord struct {
	proof    *messages.InvalidNewView
	forgiven bool
}

// WantsNewView reports whether a proof would tell anything new.
func (d *Detector) WantsNewView(e *messages.InvalidNewView) bool {
	b := e.NewView.Bundle
	if !d.config.Enabled || !d.known(b.From) || b.Epoch != d.config.Epoch {
		return false
	}
	held := d.members[b.From].newView
	return held.proof == nil || held.forgiven && held.proof.NewView.Body.View != e.NewView.Body.View
}

// BelieveNewView convicts by a proof that was judged.
func (d *Detector) BelieveNewView(p ProvenNewView) []Violation {
	if !p.Valid() || !d.WantsNewView(p.proof) {
		return nil
	}
	id := p.proof.NewView.Bundle.From
	d.members[id].newView = newViewRecord{proof: p.proof}
	found := d.charge(id, TypeInvalidNewView, nil)
	for i := range found {
		found[i].NewView = p
	}
	return found
}

// RecallNewView takes back what was held before a restart, see Recall.
func (d *Detector) RecallNewView(p ProvenNewView, forgiven bool) {
	if !p.Valid() || !d.WantsNewView(p.proof) {
		return
	}
	s := &d.members[p.proof.NewView.Bundle.From]
	s.newView = newViewRecord{p.proof, forgiven}
	s.convicted = s.convicted || !forgiven
	d.rejudge()
}

// NewViewRecord gives the proof of this kind held against a member, nil if there
// is none, and whether an operator forgave it.
func (d *Detector) NewViewRecord(id messages.Index) (proof *messages.InvalidNewView, forgiven bool) {
	if !d.known(id) {
		return nil, false
	}
	held := d.members[id].newView
	return held.proof, held.forgiven
}
