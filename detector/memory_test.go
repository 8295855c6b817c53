package detector

import (
	"math/rand/v2"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// One member signs distinct votes at full speed, valid each and far ahead. What
// is remembered stays bounded, of that member and of the others. [K1]
func TestMemory_BoundedUnderAFlood(t *testing.T) {
	const bound = 64
	s := newSigners(t, 4)
	d := New(Config{Members: 4, Enabled: true, VotesMax: bound})
	d.Observe(s.one(2, prepare(1, 1)))
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 50 {
		votes := make([]messages.Vote, messages.BundleVotesMax)
		for j := range votes {
			kind := messages.Kinds[rng.IntN(len(messages.Kinds))]
			votes[j] = legal(kind, messages.View(rng.Uint64()|1), messages.Seq(rng.Uint64()|1), byte(1+i))
		}
		for _, v := range s.sign(1, votes...) {
			if got := d.Observe(v); got != nil {
				t.Fatalf("a vote for a place of its own is charged: %+v", got)
			}
		}
		if i%10 == 9 {
			d.Forget(messages.Seq(i))
		}
		for id := range d.votes {
			for _, m := range []*memory{&d.votes[id], &d.changes[id]} {
				if len(m.votes) > m.bound || len(m.votes) != len(m.order) {
					t.Fatalf("%d votes and %d places are remembered of member %d, at most %d allowed", len(m.votes), len(m.order), id, m.bound)
				}
			}
		}
	}
	if got := len(d.votes[1].votes); got != bound {
		t.Errorf("%d votes are remembered after the flood, want the bound of %d", got, bound)
	}
	// The flood blinded nobody: not to others, and to its author only while it lasted.
	if got := d.Observe(s.one(2, legal(messages.Commit, 0, 60, 1))); got != nil {
		t.Errorf("charged: %v", got)
	}
	if got := d.Observe(s.one(2, legal(messages.Commit, 0, 60, 2))); len(got) != 1 {
		t.Error("a lie of another member went unseen")
	}
	d.Observe(s.one(1, legal(messages.Commit, 0, 60, 1)))
	if got := d.Observe(s.one(1, legal(messages.Commit, 0, 60, 2))); len(got) != 1 {
		t.Error("a lie after the flood went unseen")
	}
}

// A flood of ordinary votes does not push out the ViewChanges, which are few.
func TestMemory_ViewChangesHaveRoomOfTheirOwn(t *testing.T) {
	s := newSigners(t, 4)
	d := New(Config{Members: 4, Enabled: true, VotesMax: 2})
	d.Observe(s.one(1, legal(messages.ViewChange, 1, 0, 1)))
	for seq := range messages.Seq(10) {
		d.Observe(s.one(1, prepare(seq+1, 1)))
	}
	if got := d.Observe(s.one(1, legal(messages.ViewChange, 1, 0, 2))); len(got) != 1 {
		t.Error("two view changes for one view went unseen")
	}
}

// The memory against a plain list of the votes that should be in it.
func TestMemory_KeepsTheNewestPlaces(t *testing.T) {
	const bound = 5
	s := newSigners(t, 4)
	var pool []crypto.Verified[messages.Vote]
	for view := range messages.View(2) {
		var votes []messages.Vote
		for seq := range messages.Seq(9) {
			for d := range byte(3) {
				votes = append(votes, legal(messages.Commit, view, 1+seq, 1+d))
			}
		}
		pool = append(pool, s.sign(1, votes...)...)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		m := newMemory(bound)
		var model []messages.Vote // oldest first
		for range 40 {
			if rng.IntN(8) == 0 {
				low := messages.Seq(rng.IntN(10))
				m.forget(low)
				var kept []messages.Vote
				for _, v := range model {
					if v.Seq > low {
						kept = append(kept, v)
					}
				}
				model = kept
			}
			signed := pool[rng.IntN(len(pool))]
			vote := signed.Value()
			want := vote
			known := false
			for _, v := range model {
				if placeOf(v) == placeOf(vote) {
					want, known = v, true
				}
			}
			if !known {
				if len(model) == bound {
					model = model[1:]
				}
				model = append(model, vote)
			}
			if got := m.first(signed).Value(); got != want {
				t.Fatalf("first of %v is %v, want %v", vote, got, want)
			}
			if len(m.votes) != len(model) || len(m.order) != len(model) {
				t.Fatalf("%d votes and %d places are remembered, want %d", len(m.votes), len(m.order), len(model))
			}
		}
	}
}
