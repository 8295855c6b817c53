package detector

import (
	"reflect"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// reread sends evidence through its bytes.
func reread(t *testing.T, e Evidence) Evidence {
	t.Helper()
	frame, err := messages.EncodeFrame(e.Message())
	if err != nil {
		t.Fatalf("%v: %v", e, err)
	}
	m, err := messages.DecodeFrame(frame)
	if err != nil {
		t.Fatalf("%v: %v", e, err)
	}
	return EvidenceOf(m.(*messages.Evidence))
}

// Evidence that went through its bytes proves what it proved before, however
// the votes lie in their bundles.
func TestEvidence_Travels(t *testing.T) {
	s := newSigners(t, 4)
	x, y := legal(messages.Commit, 3, 7, 1), legal(messages.Commit, 3, 7, 2)
	both, more := s.sign(1, x, y), s.sign(1, prepare(1, 1), y, x)
	tests := []struct {
		name    string
		a, b    crypto.Verified[messages.Vote]
		bundles int
	}{
		{"two bundles", s.one(1, x), s.one(1, y), 2},
		{"among other votes", s.sign(1, prepare(1, 1), x)[1], s.sign(1, y, prepare(2, 1))[0], 2},
		{"one bundle", both[0], both[1], 1},
		{"a first bundle that has both", both[0], s.one(1, y), 1},
		{"a second bundle that has both", s.one(1, x), more[1], 1},
		{"two bundles that have both", both[0], more[1], 1},
	}
	for _, tt := range tests {
		e, proof := Equivocation(tt.a, tt.b)
		if !proof {
			t.Fatalf("%s: no proof", tt.name)
		}
		if got := len(e.Message().Bundles); got != tt.bundles {
			t.Errorf("%s: travels with %d bundles, want %d", tt.name, got, tt.bundles)
		}
		again := reread(t, e)
		if err := VerifyEvidence(s.Keyring, again); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if again.String() != e.String() || !reflect.DeepEqual(again.Message(), e.Message()) {
			t.Errorf("%s: became %v", tt.name, again)
		}
	}
}

// What is not wanted is not judged: forged signatures on it go unnoticed, for
// nobody looked. [E9]
func TestWants(t *testing.T) {
	s, d := newSigners(t, 4), newDetector(4)
	held := s.lie(1, 7)
	if !d.Wants(held) {
		t.Error("a first proof is not wanted")
	}
	if _, err := d.Learn(s.Keyring, held); err != nil {
		t.Fatal(err)
	}
	forged := func(e Evidence) Evidence {
		for i, b := range e.Bundles {
			c := *b
			c.Signature = make([]byte, len(b.Signature))
			e.Bundles[i] = &c
		}
		return e
	}
	stranger := s.lie(1, 7)
	stranger.Member = 4
	foreign := s.lie(2, 7)
	foreign.Bundles[1] = &messages.Bundle{Epoch: 1, From: 2, Votes: foreign.Bundles[1].Votes, Signature: []byte{1}}
	commit, proof := Equivocation(s.one(1, legal(messages.Commit, 0, 7, 1)), s.one(1, legal(messages.Commit, 0, 7, 2)))
	if !proof {
		t.Fatal("no proof")
	}
	tests := []struct {
		name string
		e    Evidence
		want bool
	}{
		{"the same again", held, false},
		{"the same, forged", forged(held), false},
		{"another lie of the kind", forged(s.lie(1, 8)), false},
		{"another kind", commit, true},
		{"another liar", s.lie(2, 7), true},
		{"no member", stranger, false},
		{"another epoch", foreign, false},
		{"nothing", Evidence{}, false},
	}
	for _, tt := range tests {
		if got := d.Wants(tt.e); got != tt.want {
			t.Errorf("%s: wanted %t, want %t", tt.name, got, tt.want)
		}
		if got, err := d.Learn(s.Keyring, tt.e); !tt.want && (got != nil || err != nil) {
			t.Errorf("%s: not wanted, and yet judged: %v, %v", tt.name, got, err)
		}
	}
	if off := New(Config{Members: 4}); off.Wants(s.lie(1, 7)) {
		t.Error("a detector that is switched off wants evidence")
	}
	if got := d.Believe(Proven{}); got != nil {
		t.Errorf("nothing judged convicts: %v", got)
	}
}

// A restart forgets violations and suspicions, never convictions, and never a
// pardon: the next restart must not convict again.
func TestRecall(t *testing.T) {
	s, d := newSigners(t, 4), newDetector(4)
	learn := func(d *Detector, e Evidence) {
		t.Helper()
		if _, err := d.Learn(s.Keyring, e); err != nil {
			t.Fatal(err)
		}
	}
	restart := func(d *Detector) *Detector {
		t.Helper()
		next := newDetector(4)
		for id := range messages.Index(4) {
			next.RecallPardon(id, d.Pardoned(id))
			for _, r := range d.Records(id) {
				p, err := Judge(s.Keyring, reread(t, r.Evidence))
				if err != nil {
					t.Fatal(err)
				}
				next.Recall(p, r.Forgiven)
			}
		}
		return next
	}
	learn(d, s.lie(1, 300))
	learn(d, s.lie(2, 300))
	d.Forget(256)
	d.Lift(2)
	for range 2 {
		d = restart(d)
		wantConvicted(t, d, 1)
		wantScore(t, d, 1, 0, true)
		wantScore(t, d, 2, 1000, false)
		if got := d.Stats(); got.Convicted != 1 || got.Banned != 1 {
			t.Errorf("after a restart: %+v", got)
		}
	}
	learn(d, s.lie(1, 400)) // one record a kind, still
	learn(d, s.lie(2, 200)) // below the checkpoint that was forgiven
	learn(d, s.lie(2, 300)) // forgiven itself
	wantConvicted(t, d, 1)
	learn(d, s.lie(2, 301)) // and a new lie is one
	wantConvicted(t, d, 1, 2)
	d.Recall(Proven{}, false)
	d.RecallPardon(9, 1)
	if d.Records(9) != nil || d.Pardoned(9) != 0 {
		t.Error("something is held against no member")
	}
}
