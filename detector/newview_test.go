package detector

import (
	"reflect"
	"strings"
	"testing"

	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
)

const window = 256

// alone signs one vote of its own, as a ViewChange or NewView is.
func (s *signers) alone(from messages.Index, kind messages.Kind, view messages.View, d messages.Digest) *messages.Bundle {
	return s.one(from, messages.Vote{Kind: kind, View: view, Digest: d}).Bundle()
}

// newView is what the leader of view 1 makes of three ViewChanges, of which all
// claim that digest 9 was prepared at sequence 1 in view 0; change makes a lie of
// it.
func (s *signers) newView(change func(*messages.NewViewBody)) *messages.InvalidNewView {
	const view = 1
	e := &messages.InvalidNewView{}
	claim := []messages.Claim{{Seq: 1, View: 0, Digest: digest(9)}}
	body := &messages.NewViewBody{View: view, List: []messages.Digest{digest(9)}}
	for _, member := range []messages.Index{0, 2, 3} {
		vc := &messages.ViewChangeBody{View: view, Prepared: claim, Accepted: claim}
		e.ViewChanges = append(e.ViewChanges, &messages.ViewChangeMessage{Bundle: s.alone(member, messages.ViewChange, view, vc.Digest()), Body: vc})
		body.ViewChanges = append(body.ViewChanges, messages.ViewChangeRef{Member: member, Digest: vc.Digest()})
	}
	change(body)
	e.NewView = &messages.NewViewMessage{Bundle: s.alone(1, messages.NewView, view, body.Digest()), Body: body}
	return e
}

func swapped(b *messages.NewViewBody) { b.List[0] = digest(8) }

// A lie convicts its leader; the truth convicts nobody, whoever asks.
func TestJudgeNewView(t *testing.T) {
	s := newSigners(t, 4)
	p, err := JudgeNewView(s.Keyring, window, s.newView(swapped))
	if err != nil || !p.Valid() || !strings.Contains(p.Reason(), "at sequence 1 instead of 09000000") {
		t.Errorf("a lie: %v, %q", err, p.Reason())
	}
	if p, err := JudgeNewView(s.Keyring, window, s.newView(func(*messages.NewViewBody) {})); err != errFollows || p.Valid() {
		t.Errorf("the truth: %v", err)
	}
	few := s.newView(func(b *messages.NewViewBody) { b.ViewChanges = b.ViewChanges[:2] })
	few.ViewChanges = nil
	if p, err := JudgeNewView(s.Keyring, window, few); err != nil || !strings.Contains(p.Reason(), "2 view-changes are no quorum of 3") {
		t.Errorf("one that condemns itself: %v, %q", err, p.Reason())
	}
}

// Whoever changes anything has no proof any more, nor has who leaves out what
// speaks for the leader.
func TestJudgeNewView_Tampered(t *testing.T) {
	s := newSigners(t, 4)
	other := newChain(t, 4, "ml-dsa-44", 8192)
	for name, tamper := range map[string]func(*messages.InvalidNewView){
		"without the view-changes": func(e *messages.InvalidNewView) { e.ViewChanges = nil },
		"a list of the judge's own": func(e *messages.InvalidNewView) {
			e.NewView.Body.List[0] = digest(7)
		},
		"a list and a vote": func(e *messages.InvalidNewView) {
			e.NewView.Body.List[0] = digest(7)
			e.NewView.Bundle.Votes[0].Digest = e.NewView.Body.Digest()
		},
		"a forged new-view": func(e *messages.InvalidNewView) { e.NewView.Bundle.Signature[3] ^= 1 },
		"a forged view-change": func(e *messages.InvalidNewView) {
			e.ViewChanges[1].Bundle.Signature[3] ^= 1
		},
		"a new-view by another": func(e *messages.InvalidNewView) {
			e.NewView.Bundle = s.alone(2, messages.NewView, 1, e.NewView.Body.Digest())
		},
		"a new-view of another chain": func(e *messages.InvalidNewView) {
			e.NewView.Bundle = other.alone(1, messages.NewView, 1, e.NewView.Body.Digest())
		},
		"a view-change of another chain": func(e *messages.InvalidNewView) {
			e.ViewChanges[0].Bundle = other.alone(0, messages.ViewChange, 1, e.ViewChanges[0].Body.Digest())
		},
		"another epoch": func(e *messages.InvalidNewView) { e.NewView.Bundle.Epoch++ },
	} {
		e := s.newView(swapped)
		tamper(e)
		if p, err := JudgeNewView(s.Keyring, window, e); err == nil || p.Valid() {
			t.Errorf("%s: proves that %s", name, p.Reason())
		}
	}
}

// The rules that judge are those by which leaders build: what one of them makes
// of any ViewChanges is no proof against it.
func TestJudgeNewView_FollowsTheLeadersRules(t *testing.T) {
	s := newSigners(t, 4)
	e := s.newView(func(*messages.NewViewBody) {})
	bodies := make([]*messages.ViewChangeBody, len(e.ViewChanges))
	for i, vc := range e.ViewChanges {
		bodies[i] = vc.Body
	}
	rules := leader.Rules{Members: 4, Quorum: s.Quorum(), Window: window}
	if err := rules.CheckNewView(e.NewView.Body, bodies); err != nil {
		t.Fatal(err)
	}
}

func TestBelieveNewView(t *testing.T) {
	s, d := newSigners(t, 4), newDetector(4)
	prove := func(change func(*messages.NewViewBody)) ProvenNewView {
		t.Helper()
		p, err := JudgeNewView(s.Keyring, window, s.newView(change))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := prove(swapped)
	found := d.BelieveNewView(p)
	if len(found) != 1 || found[0].Member != 1 || found[0].Type != TypeInvalidNewView || found[0].NewView != p ||
		!reflect.DeepEqual(found[0].Bans, Bans{Added: []messages.Index{1}}) {
		t.Fatalf("charged as %+v", found)
	}
	wantConvicted(t, d, 1)
	wantScore(t, d, 1, 0, true)
	// One record, whatever else is proved of the kind. [E9]
	if got := d.BelieveNewView(prove(func(b *messages.NewViewBody) { b.List = nil })); got != nil {
		t.Errorf("charged again: %+v", got)
	}
	if got := d.BelieveNewView(ProvenNewView{}); got != nil {
		t.Errorf("nothing judged convicts: %+v", got)
	}

	restart := func(d *Detector) *Detector {
		t.Helper()
		next := newDetector(4)
		proof, forgiven := d.NewViewRecord(1)
		again, err := JudgeNewView(s.Keyring, window, proof)
		if err != nil {
			t.Fatal(err)
		}
		next.RecallNewView(again, forgiven)
		return next
	}
	d = restart(d)
	wantConvicted(t, d, 1)
	d.Lift(1)
	d = restart(d)
	wantConvicted(t, d)
	wantScore(t, d, 1, 1000, false)
	if got := d.BelieveNewView(p); got != nil {
		t.Errorf("what was forgiven convicts again: %+v", got)
	}
	if off := New(Config{Members: 4}); off.BelieveNewView(p) != nil || New(Config{Members: 4, Epoch: 1, Enabled: true}).WantsNewView(p.Proof()) {
		t.Error("a detector that is switched off, or of another epoch, wants a proof")
	}
}
