package detector

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

func newDetector(n int) *Detector { return New(Config{Members: n, Enabled: true}) }

func wantScore(t *testing.T, d *Detector, id messages.Index, thousandths int, banned bool) {
	t.Helper()
	if got := d.Stats().Members[id].Score; got != thousandths {
		t.Errorf("member %d has score %d, want %d", id, got, thousandths)
	}
	if got := d.Reputation(id); got != float64(thousandths)/1000 {
		t.Errorf("member %d has reputation %v, want %v", id, got, float64(thousandths)/1000)
	}
	if got := d.IsBanned(id); got != banned {
		t.Errorf("member %d banned: %t, want %t", id, got, banned)
	}
}

func wantConvicted(t *testing.T, d *Detector, members ...messages.Index) {
	t.Helper()
	var got []messages.Index
	for i := range messages.Index(len(d.members)) {
		if d.IsConvicted(i) {
			got = append(got, i)
		}
	}
	if !reflect.DeepEqual(got, members) {
		t.Errorf("convicted are %v, want %v", got, members)
	}
}

func TestObserve_ConvictsADoubleSigner(t *testing.T) {
	s := newSigners(t, 4)
	for _, kind := range messages.Kinds {
		d := newDetector(4)
		if got := d.Observe(s.one(1, legal(kind, 5, 128, 1))); got != nil {
			t.Errorf("%v: a first vote is charged: %v", kind, got)
		}
		got := d.Observe(s.one(1, legal(kind, 5, 128, 2)))
		if len(got) != 1 {
			t.Fatalf("%v: two digests gave %d violations", kind, len(got))
		}
		v := got[0]
		if v.Member != 1 || v.Type != TypeEquivocation || v.Score != 0 || !reflect.DeepEqual(v.Bans, Bans{Added: []messages.Index{1}}) {
			t.Errorf("%v: charged as %+v", kind, v)
		}
		if v.Evidence == nil || VerifyEvidence(s.Keyring, *v.Evidence) != nil {
			t.Errorf("%v: the violation carries no proof: %v", kind, v.Evidence)
		}
		wantConvicted(t, d, 1)
		wantScore(t, d, 1, 0, true)

		// One record a kind: more of the same adds nothing. [E9]
		if got := d.Observe(s.one(1, legal(kind, 5, 128, 3))); got != nil {
			t.Errorf("%v: a third digest is charged again: %v", kind, got)
		}
		if got := d.Evidence(); len(got) != 1 {
			t.Errorf("%v: %d records are held, want 1", kind, len(got))
		}
	}
}

// What an honest member's votes can look like on an unreliable network, in
// view changes and after restarts. [E3, S3]
func TestObserve_CostsTheHonestNothing(t *testing.T) {
	s := newSigners(t, 4)
	v := func(kind messages.Kind, view messages.View, seq messages.Seq, d byte) crypto.Verified[messages.Vote] {
		return s.one(1, legal(kind, view, seq, d))
	}
	vote := v(messages.Prepare, 2, 300, 1)
	tests := []struct {
		name  string
		votes []crypto.Verified[messages.Vote]
	}{
		{"a duplicate", []crypto.Verified[messages.Vote]{vote, vote}},
		{"signed anew", []crypto.Verified[messages.Vote]{vote, v(messages.Prepare, 2, 300, 1)}},
		{"in another bundle", []crypto.Verified[messages.Vote]{vote, s.sign(1, prepare(299, 1), legal(messages.Prepare, 2, 300, 1))[1]}},
		{"proposed again in a later view", []crypto.Verified[messages.Vote]{vote, v(messages.Prepare, 3, 300, 2)}},
		{"of an old view", []crypto.Verified[messages.Vote]{vote, v(messages.Prepare, 1, 300, 2)}},
		{"below the checkpoint", []crypto.Verified[messages.Vote]{v(messages.Commit, 0, 128, 1), v(messages.Commit, 0, 128, 1)}},
		{"far ahead", []crypto.Verified[messages.Vote]{v(messages.Commit, math.MaxUint64, math.MaxUint64, 1)}},
		{"gaps", []crypto.Verified[messages.Vote]{vote, v(messages.Prepare, 2, 400, 2)}},
		{"checkpoints one after another", []crypto.Verified[messages.Vote]{v(messages.Checkpoint, 0, 256, 1), v(messages.Checkpoint, 0, 384, 2)}},
		{"view changes one after another", []crypto.Verified[messages.Vote]{v(messages.ViewChange, 1, 0, 1), v(messages.ViewChange, 2, 0, 2)}},
		{"a view change and its new view", []crypto.Verified[messages.Vote]{v(messages.ViewChange, 1, 0, 1), v(messages.NewView, 1, 0, 2)}},
		{"a prepare and a commit", []crypto.Verified[messages.Vote]{vote, v(messages.Commit, 2, 300, 1)}},
		{"nothing verified", []crypto.Verified[messages.Vote]{{}, {}}},
	}
	for _, tt := range tests {
		d := newDetector(4)
		d.Forget(128)
		for _, v := range tt.votes {
			if got := d.Observe(v); got != nil {
				t.Errorf("%s: charged with %+v", tt.name, got)
			}
		}
		wantScore(t, d, 1, 1000, false)
		if total := d.Stats().Violations.Total(); total != 0 {
			t.Errorf("%s: %d violations counted", tt.name, total)
		}
	}
}

// Votes of the forgotten past are not collected anew.
func TestObserve_IgnoresTheForgotten(t *testing.T) {
	s, d := newSigners(t, 4), newDetector(4)
	d.Observe(s.one(1, prepare(128, 1)))
	d.Observe(s.one(1, prepare(129, 1)))
	d.Forget(128)
	d.Forget(10) // a checkpoint never moves back
	for b := range byte(3) {
		if got := d.Observe(s.one(1, prepare(128, 1+b))); got != nil {
			t.Errorf("a vote at the checkpoint is charged: %v", got)
		}
	}
	if got := d.Observe(s.one(1, prepare(129, 2))); len(got) != 1 {
		t.Errorf("a lie above the checkpoint went unseen")
	}
}

// ViewChanges have no sequence: checkpoints do not make them forgotten.
func TestObserve_ViewChangesOutliveCheckpoints(t *testing.T) {
	s, d := newSigners(t, 4), newDetector(4)
	d.Observe(s.one(1, legal(messages.ViewChange, 1, 0, 1)))
	d.Forget(1 << 40)
	if got := d.Observe(s.one(1, legal(messages.ViewChange, 1, 0, 2))); len(got) != 1 {
		t.Error("two view changes for one view went unseen")
	}
}

func TestLearn(t *testing.T) {
	s, d := newSigners(t, 4), newDetector(4)
	e := s.lie(1, 7)

	// Slander: evidence that proves nothing is an error and changes nothing. [E12]
	slander := e
	slander.Member = 2
	if got, err := d.Learn(s.Keyring, slander); got != nil || err == nil {
		t.Errorf("slander gave %v, %v", got, err)
	}
	forged := *e.Bundles[1]
	forged.Signature = append([]byte{}, forged.Signature...)
	forged.Signature[1] ^= 1
	slander = e
	slander.Bundles[1] = &forged
	var bad *crypto.BundleError
	if got, err := d.Learn(s.Keyring, slander); got != nil || !errors.As(err, &bad) {
		t.Errorf("a forged signature gave %v, %v", got, err)
	}
	wantConvicted(t, d)

	got, err := d.Learn(s.Keyring, e)
	if err != nil || len(got) != 1 || got[0].Member != 1 || !reflect.DeepEqual(*got[0].Evidence, e) {
		t.Errorf("evidence gave %+v, %v", got, err)
	}
	wantConvicted(t, d, 1)

	// Known evidence is not judged again: the bound on what a flood of it costs.
	if got, err := d.Learn(s.Keyring, slander); got != nil || err != nil {
		t.Errorf("evidence of a known kind was judged again: %v, %v", got, err)
	}
	commits, _ := Equivocation(s.one(1, legal(messages.Commit, 0, 7, 1)), s.one(1, legal(messages.Commit, 0, 7, 2)))
	prePrepares, _ := Equivocation(s.one(1, legal(messages.PrePrepare, 0, 7, 1)), s.one(1, legal(messages.PrePrepare, 0, 7, 2)))
	for _, more := range []Evidence{commits, prePrepares, s.lie(0, 9)} {
		if got, err := d.Learn(s.Keyring, more); err != nil || len(got) != 1 {
			t.Errorf("%v: %v, %v", more, got, err)
		}
	}
	want := []Evidence{s.lie(0, 9), prePrepares, e, commits} // by member and kind
	for i, e := range d.Evidence() {
		if w := want[i]; e.Member != w.Member || e.Kind != w.Kind || e.Seq != w.Seq {
			t.Errorf("record %d is %v, want %v", i, e, w)
		}
	}
	if got := d.Stats(); !got.TooManyConvicted() || got.Convicted != 2 {
		t.Errorf("two convicted of four: %+v", got)
	}
}

func TestLearn_EvidenceAgainstAStranger(t *testing.T) {
	s, d := newSigners(t, 7), newDetector(4)
	if got, err := d.Learn(s.Keyring, s.lie(6, 1)); got != nil || err != nil {
		t.Errorf("evidence against no member gave %v, %v", got, err)
	}
}

// What was signed in another epoch is judged by that epoch's detector. [M2]
func TestDetector_KeepsToItsEpoch(t *testing.T) {
	s := newSigners(t, 4)
	d := New(Config{Members: 4, Epoch: 1, Enabled: true})
	d.Observe(s.one(1, prepare(1, 1)))
	if got := d.Observe(s.one(1, prepare(1, 2))); got != nil {
		t.Errorf("votes of another epoch are charged: %v", got)
	}
	if got, err := d.Learn(s.Keyring, s.lie(1, 7)); got != nil || err != nil {
		t.Errorf("evidence of another epoch gave %v, %v", got, err)
	}
}

func TestDetector_SwitchedOff(t *testing.T) {
	s := newSigners(t, 4)
	d := New(Config{Members: 4})
	d.Observe(s.one(1, prepare(1, 1)))
	d.Observe(s.one(1, prepare(1, 2)))
	if got, err := d.Learn(s.Keyring, s.lie(1, 7)); got != nil || err != nil {
		t.Errorf("evidence gave %v, %v", got, err)
	}
	for range 20 {
		for _, charge := range d.charges() {
			if got := charge(1); got != nil {
				t.Errorf("charged: %v", got)
			}
		}
	}
	wantScore(t, d, 1, 1000, false)
	if len(d.Evidence()) != 0 || len(d.votes[1].votes) != 0 {
		t.Errorf("remembers %d votes and %d proofs", len(d.votes[1].votes), len(d.Evidence()))
	}
	if got := d.Stats(); got.Violations.Total() != 0 || got.Banned != 0 || got.Convicted != 0 {
		t.Errorf("counted: %+v", got)
	}
}

// charges are the ways to charge a peer, by type; none for a provable one.
func (d *Detector) charges() map[Type]func(messages.Index) []Violation {
	return map[Type]func(messages.Index) []Violation{
		TypeInvalidSignature: d.InvalidSignature,
		TypeMalformed:        d.Malformed,
		TypeOversized:        d.Oversized,
		TypeFlooding:         d.Flooding,
		TypeProtocol:         d.ProtocolViolation,
		TypeTimeout:          d.TimeoutViolation,
		TypeNonParticipation: d.NonParticipation,
	}
}

func TestCharges_NameTheirPeerAndType(t *testing.T) {
	classes := map[Type]Class{TypeTimeout: SuspicionOnly, TypeNonParticipation: SuspicionOnly, TypeEquivocation: Provable}
	d := newDetector(4)
	for typ, charge := range d.charges() {
		got := charge(2)
		if len(got) != 1 || got[0].Member != 2 || got[0].Type != typ || got[0].Evidence != nil {
			t.Errorf("%v: charged as %+v", typ, got)
		}
		want, ok := classes[typ]
		if !ok {
			want = Attributable
		}
		if typ.Class() != want {
			t.Errorf("%v: class %d, want %d", typ, typ.Class(), want)
		}
		for _, stranger := range []messages.Index{4, 64, math.MaxUint16} {
			if got := charge(stranger); got != nil {
				t.Errorf("%v: no member is charged: %+v", typ, got)
			}
		}
	}
	stats := d.Stats()
	for typ := range d.charges() {
		if stats.Members[2].Violations[typ] != 1 || stats.Violations[typ] != 1 {
			t.Errorf("%v: counted %d and %d in all, want 1", typ, stats.Members[2].Violations[typ], stats.Violations[typ])
		}
	}
	for _, other := range []int{0, 1, 3} {
		if stats.Members[other].Violations.Total() != 0 || stats.Members[other].Score != 1000 {
			t.Errorf("member %d is charged with another's violations", other)
		}
	}
	if d.IsBanned(99) || d.IsConvicted(99) || d.Reputation(99) != 0 {
		t.Error("no member has a standing")
	}
}

// The names are label values that dashboards know.
func TestType_Names(t *testing.T) {
	want := []string{"equivocation", "invalid_signature", "malformed", "oversized",
		"flooding", "protocol", "timeout", "non_participation", "invalid_new_view"}
	for i, typ := range Types {
		if typ.String() != want[i] {
			t.Errorf("type %d is called %q, want %q", i, typ, want[i])
		}
	}
	if got := Type(200).String(); got != "type(200)" {
		t.Errorf("an unknown type is called %q", got)
	}
}

func TestNew_Bounds(t *testing.T) {
	for _, n := range []int{-1, 0, messages.MembersMax + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a detector for %d members was made", n)
				}
			}()
			New(Config{Members: n})
		}()
	}
}
