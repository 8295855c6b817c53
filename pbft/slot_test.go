package pbft_test

import (
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

func newSlot(self messages.Index, n int) *pbft.Slot {
	return pbft.NewSlot(1, self, n, messages.Quorum(n))
}

// steps gives a slot several events and gathers the effects.
func steps(s *pbft.Slot, events ...pbft.SlotEvent) (effects []pbft.SlotEffect) {
	for _, ev := range events {
		effects = append(effects, s.Step(ev)...)
	}
	return effects
}

func received(from messages.Index, vote messages.Vote) pbft.SlotEvent {
	return pbft.VoteReceived{Vote: signed(from, vote)}
}

func proposals(effects []pbft.SlotEffect) (votes []messages.Vote) {
	for _, p := range only[pbft.ProposeVote](effects) {
		votes = append(votes, p.Vote)
	}
	return votes
}

func TestN3_NothingIsVotedWithoutTheBatch(t *testing.T) {
	d := digestOf(1)
	s := newSlot(1, 4)
	waiting := steps(s, pbft.Accepted{Digest: d}, pbft.BatchHeld{Digest: digestOf(2)},
		received(2, prepare(1, d)), received(3, prepare(1, d)))
	if len(waiting) > 0 {
		t.Errorf("proposed without the batch: %v", waiting)
	}
	got := proposals(steps(s, pbft.BatchHeld{Digest: d}))
	if want := []messages.Vote{prepare(1, d), commit(1, d)}; !slices.Equal(got, want) {
		t.Errorf("with the batch proposed %v, want %v", got, want)
	}
}

func TestN3_TheLeaderNeverPrepares(t *testing.T) {
	d := digestOf(1)
	if got := steps(newSlot(0, 4), pbft.Accepted{Digest: d}, pbft.BatchHeld{Digest: d}); len(got) > 0 {
		t.Errorf("the leader proposed %v", got)
	}
}

func TestN4_OnlyAMembersFirstVoteCounts(t *testing.T) {
	d, other := digestOf(1), digestOf(2)
	ready := []pbft.SlotEvent{pbft.Accepted{Digest: d}, pbft.BatchHeld{Digest: d}, pbft.BatchHeld{Digest: other}}
	for _, c := range []struct {
		name   string
		events []pbft.SlotEvent
	}{
		{"the same prepare twice", []pbft.SlotEvent{received(2, prepare(1, d)), received(2, prepare(1, d))}},
		{"another prepare first", []pbft.SlotEvent{
			received(2, prepare(1, d)), received(3, prepare(1, other)), received(3, prepare(1, d)),
		}},
		{"the same commit twice", []pbft.SlotEvent{
			received(2, commit(1, d)), received(3, commit(1, d)), received(3, commit(1, d)), received(2, commit(1, d)),
		}},
		{"another commit first", []pbft.SlotEvent{
			received(1, commit(1, d)), received(2, commit(1, d)), received(3, commit(1, other)), received(3, commit(1, d)),
		}},
		{"two digests by everybody", []pbft.SlotEvent{
			received(1, commit(1, d)), received(2, commit(1, d)), received(3, commit(1, other)),
			received(1, commit(1, other)), received(2, commit(1, other)),
		}},
		{"a member beyond the membership", []pbft.SlotEvent{
			received(2, prepare(1, d)), received(4, prepare(1, d)),
			received(1, commit(1, d)), received(2, commit(1, d)), received(4, commit(1, d)),
		}},
		{"another sequence", []pbft.SlotEvent{
			received(2, prepare(1, d)), received(3, prepare(2, d)),
			received(1, commit(1, d)), received(2, commit(1, d)), received(3, commit(2, d)),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSlot(0, 4)
			effects := steps(s, append(slices.Clone(ready), c.events...)...)
			if s.Prepared() || s.CommittedLocal() || len(effects) > 0 {
				t.Errorf("prepared %v, committed %v, effects %v", s.Prepared(), s.CommittedLocal(), effects)
			}
		})
	}
}

// N5 for every membership: exactly quorum−1 backups prepare a digest, in any
// company of votes that say something else.
func TestN5_PreparedTakesQuorumLessOneBackups(t *testing.T) {
	d, other := digestOf(1), digestOf(2)
	for n := messages.MembersMin; n <= membersMost; n++ {
		const leader = 2
		s := newSlot(leader, n)
		effects := steps(s,
			pbft.BatchHeld{Digest: d}, pbft.Accepted{View: 2, Leader: leader, Digest: d},
			received(leader, inView(2, prepare(1, d)))) // adds nothing
		backups := 0
		for m := range messages.Index(n) {
			if m == leader {
				continue
			}
			if s.Prepared() != (backups >= messages.Quorum(n)-1) {
				t.Errorf("n=%d: prepared %v with the prepares of %d backups", n, s.Prepared(), backups)
			}
			effects = append(effects, steps(s,
				received(m, inView(1, prepare(1, d))), // another view, another digest: not this certificate
				received(m, inView(3, prepare(1, d))),
				received(m, inView(2, prepare(1, d))),
				received(m, inView(2, prepare(1, other))))...)
			backups++
		}
		if got, want := proposals(effects), []messages.Vote{inView(2, commit(1, d))}; !slices.Equal(got, want) {
			t.Errorf("n=%d: proposed %v, want %v once", n, got, want)
		}
	}
}

func TestN5_PreparedTakesTheAcceptedPrePrepare(t *testing.T) {
	d, other := digestOf(1), digestOf(2)
	s := newSlot(1, 4)
	votes := []pbft.SlotEvent{received(1, prepare(1, d)), received(2, prepare(1, d)), received(3, prepare(1, d))}
	steps(s, append(votes, pbft.BatchHeld{Digest: d}, pbft.BatchHeld{Digest: other})...)
	if s.Prepared() {
		t.Error("prepared although nothing was accepted")
	}
	effects := steps(s, pbft.Accepted{Digest: other})
	if got, want := proposals(effects), []messages.Vote{prepare(1, other)}; s.Prepared() || !slices.Equal(got, want) {
		t.Errorf("prepared %v although another digest was accepted; proposed %v, want %v", s.Prepared(), got, want)
	}
}

func TestN6_CommittedTakesAQuorumOfOneView(t *testing.T) {
	d := digestOf(1)
	for n := messages.MembersMin; n <= membersMost; n++ {
		q := messages.Quorum(n)
		s := newSlot(0, n)
		s.Step(pbft.BatchHeld{Digest: d})
		for m := range messages.Index(q) { // in two views nearly a quorum each
			if m < messages.Index(q-1) {
				steps(s, received(m, commit(1, d)))
			}
			if m > 0 {
				steps(s, received(m, inView(1, commit(1, d))))
			}
		}
		if s.CommittedLocal() {
			t.Errorf("n=%d: commits of two views were added up", n)
		}
		// Nothing was accepted or voted here: the certificate alone is enough.
		c := one[pbft.Committed](t, steps(s, received(messages.Index(q-1), commit(1, d))))
		if c.View != 0 || c.Seq != 1 || c.Digest != d || len(c.Bundles) != q {
			t.Errorf("n=%d: committed %+v with %d bundles, want %d", n, c, len(c.Bundles), q)
		}
		for i, b := range c.Bundles {
			if int(b.From) != i || !slices.Contains(b.Votes, commit(1, d)) {
				t.Errorf("n=%d: bundle %d is of member %d with %v", n, i, b.From, b.Votes)
			}
		}
		if again := only[pbft.Committed](steps(s, pbft.BatchHeld{Digest: d}, received(messages.Index(n-1), commit(1, d)))); len(again) > 0 {
			t.Errorf("n=%d: committed twice", n)
		}
	}
}

func TestN6_ACertificateWithoutItsBatchAsksForIt(t *testing.T) {
	d := digestOf(1)
	s := newSlot(0, 4)
	effects := steps(s, received(3, commit(1, d)), received(1, commit(1, d)), received(2, commit(1, d)))
	need := one[pbft.NeedBatch](t, effects)
	if want := []messages.Index{1, 2, 3}; need.Seq != 1 || need.Digest != d || !slices.Equal(need.Holders, want) {
		t.Errorf("asked %+v, want digest %v of %v", need, d, want)
	}
	if early := only[pbft.Committed](effects); len(early) > 0 {
		t.Error("committed without the batch")
	}
	if more := only[pbft.NeedBatch](steps(s, received(0, commit(1, d)))); len(more) > 0 {
		t.Error("asked twice")
	}
	one[pbft.Committed](t, steps(s, pbft.BatchHeld{Digest: d}))
}
