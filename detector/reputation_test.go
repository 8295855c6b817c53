package detector

import (
	"reflect"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
)

// The eighth violation bans, not the seventh: 1 − 7 × 0.1 is no less than 0.3,
// which floating point gets wrong in one order of computing it. [E8]
func TestReputation_EighthViolationBans(t *testing.T) {
	d := newDetector(4)
	for i, want := range []int{900, 800, 700, 600, 500, 400, 300} {
		got := d.Malformed(1)
		if got[0].Score != want || !reflect.DeepEqual(got[0].Bans, Bans{}) {
			t.Errorf("violation %d: %+v", i+1, got)
		}
		wantScore(t, d, 1, want, false)
	}
	if got := d.Malformed(1); !reflect.DeepEqual(got[0].Bans, Bans{Added: []messages.Index{1}}) {
		t.Errorf("the eighth violation: %+v", got)
	}
	wantScore(t, d, 1, 200, true)
	if got := d.Oversized(1); !reflect.DeepEqual(got[0].Bans, Bans{}) { // banned already
		t.Errorf("the ninth violation: %+v", got)
	}
	for range 100 {
		d.Flooding(1)
	}
	wantScore(t, d, 1, 0, true) // and never below zero
	wantConvicted(t, d)
}

// However late or silent a member is, and however many other violations a
// mistake adds up to short of a ban, lateness does not ban. [E5]
func TestReputation_SuspicionNeverBans(t *testing.T) {
	for violations := range 8 {
		d := newDetector(4)
		for range violations {
			d.InvalidSignature(1)
		}
		for range 100 {
			d.TimeoutViolation(1)
			d.NonParticipation(1)
		}
		wantScore(t, d, 1, 300, false)
		d.Decay(time.Time{})
		d.Decay(time.Time{}.Add(time.Hour))
		wantScore(t, d, 1, 1000-100*violations, false)
	}
}

// Nor does it bring a ban nearer: eight violations ban with or without.
func TestReputation_SuspicionHastensNoBan(t *testing.T) {
	d := newDetector(4)
	for range 100 {
		d.TimeoutViolation(1)
	}
	for range 7 {
		d.InvalidSignature(1)
		wantScore(t, d, 1, 300, false)
	}
	d.InvalidSignature(1)
	wantScore(t, d, 1, 200, true)
	d.TimeoutViolation(1)
	wantScore(t, d, 1, 200, true)
}

func TestDecay(t *testing.T) {
	d := New(Config{Members: 4, Enabled: true, DecayInterval: 10 * time.Second})
	now := time.Unix(1000, 0)
	at := func(after time.Duration) { d.Decay(now.Add(after)) }
	for range 5 {
		d.TimeoutViolation(1)
	}
	at(0) // starts the measurement
	wantScore(t, d, 1, 500, false)
	at(10*time.Second - 1)
	wantScore(t, d, 1, 500, false)
	at(10 * time.Second)
	wantScore(t, d, 1, 600, false)
	at(19 * time.Second) // the rest of an interval is not lost
	at(20 * time.Second)
	wantScore(t, d, 1, 700, false)
	at(0) // a clock that went back
	wantScore(t, d, 1, 700, false)
	at(35 * time.Second)
	wantScore(t, d, 1, 800, false)
	at(40 * time.Second)
	wantScore(t, d, 1, 900, false)
	at(1 << 62) // and not above the top
	wantScore(t, d, 1, 1000, false)
	d.TimeoutViolation(1)
	wantScore(t, d, 1, 900, false)
}

// An absurd number of intervals must not wrap into a new suspicion, or none.
func TestDecay_NeverWraps(t *testing.T) {
	d := New(Config{Members: 4, Enabled: true, DecayInterval: 1})
	d.TimeoutViolation(1)
	d.Decay(time.Unix(0, 0))
	d.Decay(time.Unix(0, 1<<62))
	wantScore(t, d, 1, 1000, false)
}

func TestDecay_TouchesSuspicionOnly(t *testing.T) {
	s, d := newSigners(t, 4), newDetector(4)
	d.Malformed(1)
	if _, err := d.Learn(s.Keyring, s.lie(2, 7)); err != nil {
		t.Fatal(err)
	}
	d.Decay(time.Time{})
	d.Decay(time.Time{}.Add(24 * time.Hour))
	wantScore(t, d, 1, 900, false)
	wantScore(t, d, 2, 0, true)
}

func TestCheckpointStable_RestoresTheClean(t *testing.T) {
	d := newDetector(4)
	for range 9 {
		d.Malformed(1)
	}
	wantScore(t, d, 1, 100, true)
	if got := d.CheckpointStable(); !reflect.DeepEqual(got, Bans{}) {
		t.Errorf("a checkpoint with violations before it: %+v", got)
	}
	wantScore(t, d, 1, 100, true)
	d.CheckpointStable()
	wantScore(t, d, 1, 200, true)
	d.Malformed(1)
	d.CheckpointStable()
	wantScore(t, d, 1, 100, true)
	d.TimeoutViolation(1) // lateness does not taint
	d.CheckpointStable()
	wantScore(t, d, 1, 200, true)
	if got := d.CheckpointStable(); !reflect.DeepEqual(got, Bans{Ended: []messages.Index{1}}) {
		t.Errorf("back at 300: %+v", got)
	}
	d.Decay(time.Time{})
	d.Decay(time.Time{}.Add(time.Hour))
	for want := 400; want <= 1000; want += 100 {
		d.CheckpointStable()
		wantScore(t, d, 1, want, false)
	}
	d.CheckpointStable()
	wantScore(t, d, 1, 1000, false)
}

// Others' bans would cost liveness if a liar could bring them about. [E6]
func TestBans_AtMostF(t *testing.T) {
	s, d := newSigners(t, 7), newDetector(7) // f = 2
	ban := func(id messages.Index, violations int) Bans {
		t.Helper()
		var bans Bans
		for range violations {
			bans = d.Malformed(id)[0].Bans
		}
		return bans
	}
	ban(5, 8)
	if got := ban(6, 8); !reflect.DeepEqual(got, Bans{Added: []messages.Index{6}}) {
		t.Errorf("the second ban: %+v", got)
	}
	if got := ban(0, 8); !reflect.DeepEqual(got, Bans{Added: []messages.Index{0}, Ended: []messages.Index{6}}) {
		t.Errorf("three members at 200: %+v, want the lower indices banned", got)
	}
	if got := ban(6, 1); !reflect.DeepEqual(got, Bans{Added: []messages.Index{6}, Ended: []messages.Index{5}}) {
		t.Errorf("a member at 100 beside two at 200: %+v, want the least banned", got)
	}
	if got := d.Stats(); got.Banned != 2 || got.Convicted != 0 || got.TooManyConvicted() {
		t.Errorf("%+v", got)
	}

	// Convictions come first, and are bounded by nothing.
	learn := func(id messages.Index) Bans {
		t.Helper()
		got, err := d.Learn(s.Keyring, s.lie(id, 3))
		if err != nil || len(got) != 1 {
			t.Fatalf("evidence against member %d: %v, %v", id, got, err)
		}
		return got[0].Bans
	}
	if got := learn(1); !reflect.DeepEqual(got, Bans{Added: []messages.Index{1}, Ended: []messages.Index{0}}) {
		t.Errorf("the first conviction: %+v", got)
	}
	if got := learn(2); !reflect.DeepEqual(got, Bans{Added: []messages.Index{2}, Ended: []messages.Index{6}}) {
		t.Errorf("the second conviction: %+v", got)
	}
	if d.Stats().TooManyConvicted() {
		t.Error("f convicted are too many")
	}
	if got := learn(3); !reflect.DeepEqual(got, Bans{Added: []messages.Index{3}}) {
		t.Errorf("the third conviction: %+v", got)
	}
	if !d.Stats().TooManyConvicted() {
		t.Error("f+1 convicted are not too many")
	}
	wantConvicted(t, d, 1, 2, 3)

	// Room comes back with a pardon.
	d.Lift(3)
	if got := d.Lift(2); !reflect.DeepEqual(got, Bans{Added: []messages.Index{6}, Ended: []messages.Index{2}}) {
		t.Errorf("after pardons: %+v", got)
	}
}

func TestConviction_EndsByPardonOnly(t *testing.T) {
	s, d := newSigners(t, 4), newDetector(4)
	if _, err := d.Learn(s.Keyring, s.lie(1, 7)); err != nil {
		t.Fatal(err)
	}
	d.Decay(time.Time{})
	for i := range 100 {
		d.CheckpointStable()
		d.Decay(time.Time{}.Add(time.Duration(i) * time.Hour))
	}
	wantScore(t, d, 1, 0, true)
	if got := d.Lift(1); !reflect.DeepEqual(got, Bans{Ended: []messages.Index{1}}) {
		t.Errorf("a pardon: %+v", got)
	}
	wantConvicted(t, d)
	wantScore(t, d, 1, 1000, false)
	if got := d.Lift(99); !reflect.DeepEqual(got, Bans{}) {
		t.Errorf("a pardon of no member: %+v", got)
	}
}

func TestLift_EndsAReputationBan(t *testing.T) {
	d := newDetector(4)
	for range 10 {
		d.Flooding(1)
		d.TimeoutViolation(1)
	}
	d.Lift(1)
	wantScore(t, d, 1, 1000, false)
	if got := d.Stats().Members[1].Violations[TypeFlooding]; got != 10 {
		t.Errorf("a pardon changed what is counted to %d", got)
	}
}

// After a pardon, peers still hold other proofs of the same old lies; those
// must not convict again, or no pardon would last. A new lie must, wherever
// the old one claimed to be.
func TestLift_ForgivesThePast(t *testing.T) {
	s, d := newSigners(t, 4), newDetector(4)
	learn := func(e Evidence) bool {
		t.Helper()
		got, err := d.Learn(s.Keyring, e)
		if err != nil {
			t.Fatalf("%v: %v", e, err)
		}
		return len(got) == 1
	}
	lie := func(kind messages.Kind, view messages.View, seq messages.Seq) Evidence {
		t.Helper()
		e, proof := Equivocation(s.one(1, legal(kind, view, seq, 1)), s.one(1, legal(kind, view, seq, 2)))
		if !proof {
			t.Fatal("no proof")
		}
		return e
	}
	learn(lie(messages.Prepare, 0, 1<<63)) // its place far ahead is its choice, no bound
	learn(lie(messages.ViewChange, 1<<63, 0))
	d.Forget(128)
	d.Lift(1)
	tests := []struct {
		e    Evidence
		news bool
	}{
		{lie(messages.Prepare, 0, 1<<63), false},
		{lie(messages.ViewChange, 1<<63, 0), false},
		{lie(messages.Prepare, 0, 100), false},
		{lie(messages.Commit, 3, 128), false},
		{lie(messages.Prepare, 0, 129), true},
		{lie(messages.Prepare, 0, 130), false}, // one record a kind
		{lie(messages.Commit, 0, 129), true},
		{lie(messages.ViewChange, 9, 0), true},
	}
	for _, tt := range tests {
		if got := learn(tt.e); got != tt.news {
			t.Errorf("%v convicts: %t, want %t", tt.e, got, tt.news)
		}
		if tt.news {
			wantConvicted(t, d, 1)
		}
	}
	if got := len(d.Evidence()); got != 3 {
		t.Errorf("%d records are held, want one each of three kinds", got)
	}
}
