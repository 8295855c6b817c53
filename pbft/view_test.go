package pbft_test

import (
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// leave has a voter record its ViewChange.
func leave(t *testing.T, v *pbft.Voter, view messages.View) (*messages.ViewChangeBody, pbft.Grant) {
	t.Helper()
	g, refusal := v.ChangeView(view, pbft.StableCheckpoint{})
	if refusal != pbft.Granted {
		t.Fatalf("view-change refused: %v", refusal)
	}
	return v.Left(), g
}

// newView is a NewView without its ViewChanges: whether it follows from them is
// package leader's business.
func newView(view messages.View, list ...messages.Digest) *pbft.NewView {
	return &pbft.NewView{Body: &messages.NewViewBody{
		View: view, ViewChanges: []messages.ViewChangeRef{{Member: 0, Digest: digestOf(1)}}, List: list,
	}}
}

func enter(t *testing.T, v *pbft.Voter, nv *pbft.NewView) pbft.Grant {
	t.Helper()
	g, refusal := v.EnterView(nv)
	if refusal != pbft.Granted {
		t.Fatalf("new-view refused: %v", refusal)
	}
	return g
}

func TestV3_NothingIsVotedInAViewThatWasLeft(t *testing.T) {
	v := newVoterAccepting(t, 1)
	d := batchOf(1).Digest()
	grant(t, v, prepare(1, d))
	_, g := leave(t, v, 1)
	restored := newVoter(1)
	for _, r := range g.Records {
		restored.Restore(r)
	}
	for name, v := range map[string]*pbft.Voter{"live": v, "restored": restored} {
		t.Run(name, func(t *testing.T) {
			refuses(t, v, commit(1, d), pbft.WrongView)
			refuses(t, v, prepare(1, d), pbft.WrongView)
			refuses(t, v, inView(1, prepare(1, d)), pbft.ChangingViews)
			if _, got := v.Accept(0, prePrepare(2, d), batchOf(1)); got != pbft.WrongView {
				t.Errorf("a pre-prepare of the view left: %v", got)
			}
			if _, got := v.Accept(1, inView(1, prePrepare(2, d)), batchOf(1)); got != pbft.ChangingViews {
				t.Errorf("a pre-prepare before the new-view: %v", got)
			}
			if _, got := v.EnterView(newView(0)); got != pbft.WrongView {
				t.Errorf("a new-view for a lower view: %v", got)
			}
			if v.Active() || v.View() != 1 || v.Leads() {
				t.Errorf("view %d, active %v, leads %v", v.View(), v.Active(), v.Leads())
			}
		})
	}
}

// Every claim is in the ViewChange: what was accepted though nothing was sent,
// and what was prepared, in the highest view each.
func TestV4_AViewChangeCarriesEveryClaim(t *testing.T) {
	a, b, c := batchOf(1), batchOf(2), batchOf(3)
	v := newVoter(2)
	accept(t, v, 1, a)
	grant(t, v, prepare(1, a.Digest()))
	grant(t, v, commit(1, a.Digest()))
	accept(t, v, 2, b)
	leave(t, v, 1)
	enter(t, v, newView(1, a.Digest(), messages.NullDigest, c.Digest()))
	grant(t, v, inView(1, commit(3, c.Digest())))
	body, _ := leave(t, v, 3)
	wantP := []messages.Claim{{Seq: 1, View: 0, Digest: a.Digest()}, {Seq: 3, View: 1, Digest: c.Digest()}}
	wantQ := []messages.Claim{
		{Seq: 1, View: 1, Digest: a.Digest()},
		{Seq: 2, View: 0, Digest: b.Digest()}, {Seq: 2, View: 1, Digest: messages.NullDigest},
		{Seq: 3, View: 1, Digest: c.Digest()},
	}
	if !slices.Equal(body.Prepared, wantP) {
		t.Errorf("P is %v, want %v", body.Prepared, wantP)
	}
	if !slices.Equal(body.Accepted, wantQ) {
		t.Errorf("Q is %v, want %v", body.Accepted, wantQ)
	}
	if err := body.Validate(); err != nil {
		t.Errorf("nobody would take it: %v", err)
	}
}

// Of many digests the newest are claimed, and what was prepared always.
func TestV4_ClaimsAreBounded(t *testing.T) {
	v := newVoter(3)
	accept(t, v, 1, batchOf(0))
	grant(t, v, prepare(1, batchOf(0).Digest()))
	grant(t, v, commit(1, batchOf(0).Digest()))
	const views = 9
	for view := messages.View(1); view <= views; view++ {
		leave(t, v, view)
		enter(t, v, newView(view, digestOf(uint64(view))))
	}
	body, _ := leave(t, v, views+1)
	if len(body.Accepted) != messages.ClaimDigestsMax {
		t.Errorf("%d digests claimed", len(body.Accepted))
	}
	if body.Accepted[0].Digest != batchOf(0).Digest() || body.Accepted[1].View != views-messages.ClaimDigestsMax+2 {
		t.Errorf("claims are %v", body.Accepted)
	}
	if err := body.Validate(); err != nil {
		t.Errorf("nobody would take it: %v", err)
	}
}

// A ViewChange says the same for ever: asked for again, after a crash, when the
// window has moved.
func TestV7_AViewChangeIsNeverRebuilt(t *testing.T) {
	v := newVoterAccepting(t, 1)
	body, first := leave(t, v, 2)
	restored := newVoter(1)
	for _, r := range first.Records {
		restored.Restore(r)
	}
	v.Stable(4)
	for name, v := range map[string]*pbft.Voter{"live": v, "restored": restored} {
		again, refusal := v.ChangeView(2, pbft.StableCheckpoint{Seq: 4, Digest: digestOf(9)})
		if refusal != pbft.Granted || again.Vote != first.Vote || len(again.Records) != 0 || v.Left().Digest() != body.Digest() {
			t.Errorf("%s: asked again %v, %+v, want the recorded one", name, refusal, again)
		}
		if sent := v.Sent(); !slices.Contains(sent, first.Vote) {
			t.Errorf("%s: sends %v again, without the view-change", name, sent)
		}
		if _, got := v.ChangeView(1, pbft.StableCheckpoint{}); got != pbft.WrongView {
			t.Errorf("%s: a view-change for a lower view: %v", name, got)
		}
	}
}

// A leader enters its view once: it never signs a second NewView, not even when
// a crash came before the first had left.
func TestV7_ANewViewIsNeverRebuilt(t *testing.T) {
	v := newVoter(1)
	leave(t, v, 1)
	g := enter(t, v, newView(1, batchOf(1).Digest()))
	if g.Vote.Kind != messages.NewView {
		t.Fatalf("the leader was granted %v", g.Vote)
	}
	restored := newVoter(1)
	for _, r := range g.Records {
		restored.Restore(r)
	}
	for name, v := range map[string]*pbft.Voter{"live": v, "restored": restored} {
		if _, got := v.EnterView(newView(1)); got != pbft.ViewActive {
			t.Errorf("%s: a second new-view: %v", name, got)
		}
		if sent := v.Sent(); !slices.Contains(sent, g.Vote) {
			t.Errorf("%s: sends %v again, without the new-view", name, sent)
		}
		refuses(t, v, inView(1, commit(1, batchOf(2).Digest())), pbft.NotAccepted)
	}
	backup := newVoter(2)
	leave(t, backup, 1)
	if g := enter(t, backup, newView(1)); g.Vote.Kind != 0 || len(g.Records) != 1 {
		t.Errorf("a backup that enters is granted %v and records %v", g.Vote, g.Records)
	}
}

// What a NewView lists is accepted as the view's pre-prepares: no other digest
// is, and fresh ones only above the list. [V1]
func TestV1_ANewViewSettlesWhatItLists(t *testing.T) {
	a, b := batchOf(1), batchOf(2)
	v := newVoter(2)
	leave(t, v, 1)
	enter(t, v, newView(1, a.Digest(), messages.NullDigest, b.Digest()))
	for seq, batch := range map[messages.Seq]*messages.Batch{1: b, 2: b, 3: a} {
		if _, got := v.Accept(1, inView(1, prePrepare(seq, batch.Digest())), batch); got != pbft.SettledByNewView {
			t.Errorf("a pre-prepare at listed sequence %d: %v", seq, got)
		}
	}
	grant(t, v, inView(1, prepare(1, a.Digest())))
	grant(t, v, inView(1, prepare(2, messages.NullDigest)))
	refuses(t, v, inView(1, prepare(3, a.Digest())), pbft.NotAccepted)
	if records, got := v.Accept(1, inView(1, prePrepare(4, a.Digest())), a); got != pbft.Granted || len(records) != 1 {
		t.Errorf("a fresh pre-prepare above the list: %v", got)
	}
}

// E1: the window begins at min-s, though the state there was not reached.
// Otherwise two members that had signed its checkpoint would vote once more at a
// sequence below it.
func TestV6_MinSIsAdopted(t *testing.T) {
	v := newVoter(2)
	accept(t, v, 1, batchOf(1))
	leave(t, v, 1)
	nv := newView(1)
	nv.Body.MinS, nv.Body.MinSDigest = 4, digestOf(4)
	g := enter(t, v, nv)
	restored := newVoter(2)
	for _, r := range g.Records {
		restored.Restore(r)
	}
	for name, v := range map[string]*pbft.Voter{"live": v, "restored": restored} {
		for seq := messages.Seq(1); seq <= 4; seq++ {
			if _, got := v.Accept(1, inView(1, prePrepare(seq, batchOf(2).Digest())), batchOf(2)); got != pbft.BelowLowWatermark {
				t.Errorf("%s: a pre-prepare at %d, min-s is 4: %v", name, seq, got)
			}
		}
		if got := v.Marks(); got.Low != 4 || got.High != 12 {
			t.Errorf("%s: the window is %+v", name, got)
		}
	}
}

// Whoever takes over a state far ahead must not forget a view it has left: what was
// recorded before is written beside the state, and what is recorded from then on is above
// it in the journal. [V7, R4]
func TestV7_ViewsAreRecordedAboveAStateThatIsTakenOver(t *testing.T) {
	const ahead = 1000
	s := newSequencer(2)
	if beside := s.ViewsBeside(ahead); len(beside) != 0 {
		t.Fatalf("it never left a view, and beside the state belongs %+v", beside)
	}
	for _, r := range one[pbft.Flush](t, s.ChangeView(1)).Group.Records {
		if r.Vote.Seq <= ahead {
			t.Errorf("a record of kind %v is at %d, and a restart reads what is above %d", r.Kind, r.Vote.Seq, ahead)
		}
	}
	if beside := s.ViewsBeside(ahead / 2); len(beside) != 1 || beside[0].ViewChange == nil || beside[0].ViewChange.View != 1 {
		t.Errorf("it left for view 1, and beside the state belongs %+v", beside)
	}
}

// A NewView that contradicts what was executed is a safety alarm, not a matter
// of opinion. [V6]
func TestV6_ANewViewThatContradictsTheLedgerStopsTheReplica(t *testing.T) {
	s := newSequencer(2)
	s.OnExecuted(1, 0, batchOf(1).Digest(), digestOf(7))
	s.ChangeView(1)
	effects := s.EnterView(newView(1, batchOf(2).Digest()))
	if d := one[pbft.Diverged](t, effects); d.Seq != 1 || d.Own != batchOf(1).Digest() || d.Certified != batchOf(2).Digest() {
		t.Errorf("diverged as %+v", d)
	}
	if s.Active() {
		t.Error("it still votes")
	}
}

// A leader that lies may begin its view twice, with quorums of its choice. Who
// executed, by catching up, what the one begin led to, and gets the other, is not
// contradicted: it enters, and votes for nothing else there. [V6]
func TestV6_AnotherNewViewOfTheViewOfACommitIsNoAlarm(t *testing.T) {
	s := newSequencer(2)
	s.OnExecuted(1, 1, messages.NullDigest, digestOf(7))
	s.ChangeView(1)
	effects := s.EnterView(newView(1, batchOf(2).Digest()))
	if len(only[pbft.Diverged](effects)) > 0 || !s.Active() || s.View() != 1 {
		t.Fatalf("view %d, active %v, effects %v", s.View(), s.Active(), effects)
	}
	late := s.OnProposeVote(inView(1, prepare(1, batchOf(2).Digest())))
	if r := one[pbft.Refused](t, late); r.Refusal != pbft.ContradictsExecuted {
		t.Errorf("a prepare for what contradicts the ledger: %v", r.Refusal)
	}
}

// A restart reads the records about views beside the checkpoint first, and then
// older ones from the journal: the voter stands where it stood, and claims what
// it had accepted on the way.
func TestD5_RecordsAboutViewsMayComeTwiceAndLate(t *testing.T) {
	v := newVoter(3)
	var records []pbft.Record
	for view := messages.View(1); view <= 3; view++ {
		_, g := leave(t, v, view)
		records = append(records, g.Records...)
		records = append(records, enter(t, v, newView(view, digestOf(uint64(view)))).Records...)
	}
	body, last := leave(t, v, 7)
	beside := append(slices.Clone(records[len(records)-1:]), last.Records...)
	restored := newVoter(3)
	for _, r := range append(beside, append(records, last.Records...)...) {
		restored.Restore(r)
	}
	if restored.View() != 7 || restored.Active() || restored.Left().Digest() != body.Digest() {
		t.Errorf("restored in view %d, active %v", restored.View(), restored.Active())
	}
	enter(t, restored, newView(7))
	enter(t, v, newView(7))
	again, _ := leave(t, restored, 8)
	want, _ := leave(t, v, 8)
	if !slices.Equal(again.Accepted, want.Accepted) || len(want.Accepted) != 3 {
		t.Errorf("after a restart %v is claimed, before %v", again.Accepted, want.Accepted)
	}
}
