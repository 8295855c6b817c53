package pbft_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// wild is a schedule with everything in it.
var wild = faults{loss: 100, repeat: 50, crash: 15, crashesMax: 12, views: 8, viewsMax: 12}

// replica states, as bytes: the sequencer's and its trackers'.
func stateOf(r *node) []byte {
	b := r.core.AppendCanonical(nil)
	for seq := messages.Seq(1); seq <= 40; seq++ {
		if s := r.slots[seq]; s != nil {
			b = s.AppendCanonical(b)
		}
	}
	return b
}

// TestClonesGoTheirOwnWay: a run in which replicas are replaced by their clones
// all the time is the run without, and what they were cloned from stays as it was.
func TestClonesGoTheirOwnWay(t *testing.T) {
	type left struct {
		core  *pbft.Sequencer
		slots []*pbft.Slot
		bytes [][]byte
	}
	for seed := range uint64(4) {
		var ends [2][]byte
		for i := range ends {
			c := newCluster(t, 4, seed, 6, wild)
			var originals []left
			for step := range 3000 {
				c.step()
				if i == 0 || step%7 != 0 {
					continue
				}
				r := c.replicas[step%len(c.replicas)]
				was := left{core: r.core, bytes: [][]byte{r.core.AppendCanonical(nil)}}
				r.core = r.core.Clone()
				for seq := messages.Seq(1); seq <= 40; seq++ {
					if s := r.slots[seq]; s != nil {
						was.slots, was.bytes = append(was.slots, s), append(was.bytes, s.AppendCanonical(nil))
						r.slots[seq] = s.Clone()
					}
				}
				originals = append(originals, was)
			}
			for _, r := range c.replicas {
				ends[i] = append(ends[i], stateOf(r)...)
			}
			for _, was := range originals {
				if !bytes.Equal(was.core.AppendCanonical(nil), was.bytes[0]) {
					t.Fatalf("seed %d: a clone's input changed the sequencer it was cloned from", seed)
				}
				for k, s := range was.slots {
					if !bytes.Equal(s.AppendCanonical(nil), was.bytes[1+k]) {
						t.Fatalf("seed %d: a clone's input changed the slot it was cloned from", seed)
					}
				}
			}
		}
		if !bytes.Equal(ends[0], ends[1]) {
			t.Errorf("seed %d: the run with clones is another one", seed)
		}
	}
}

// TestEqualBytesAnswerAlike asks states with equal bytes the same: all have to
// answer alike, and to be alike afterwards. Short runs of few events meet again
// and again.
func TestEqualBytesAnswerAlike(t *testing.T) {
	answers := make(map[string]string)
	met := 0
	for seed := range uint64(60) {
		c := newCluster(t, 4, seed, 2, faults{repeat: 100, crash: 30, crashesMax: 2, views: 30, viewsMax: 2})
		for range 60 {
			c.step()
			for _, r := range c.replicas {
				state := fmt.Sprint(r.self, string(r.core.AppendCanonical(nil)))
				answer := probe(r.core, c.batches)
				before, ok := answers[state]
				if ok && before != answer {
					t.Fatalf("seed %d: two states with the same bytes answer\n%s\nand\n%s", seed, before, answer)
				}
				if ok {
					met++
				}
				answers[state] = answer
			}
		}
	}
	if met < 200 || len(answers) < 200 {
		t.Errorf("%d states met again, %d differ: the runs show little", met, len(answers))
	}
}

// probe asks clones of a sequencer whatever may be asked.
func probe(s *pbft.Sequencer, batches []*messages.Batch) string {
	d := batches[0].Digest()
	asked := []func(*pbft.Sequencer) []pbft.Effect{
		(*pbft.Sequencer).OnTick,
		(*pbft.Sequencer).Resume,
		(*pbft.Sequencer).ReportAgain,
		func(s *pbft.Sequencer) []pbft.Effect { return s.ChangeView(s.View() + 1) },
		func(s *pbft.Sequencer) []pbft.Effect { effects, _ := s.Propose(batches[0]); return effects },
		func(s *pbft.Sequencer) []pbft.Effect { return s.OnBatch(1, batches[1]) },
		func(s *pbft.Sequencer) []pbft.Effect { return s.OnReleased(nil, nil) },
		func(s *pbft.Sequencer) []pbft.Effect { return s.OnFetchBatch(1, []messages.Digest{d}) },
		func(s *pbft.Sequencer) []pbft.Effect { return s.OnExecuted(s.Executed()+1, 0, d, d) },
		func(s *pbft.Sequencer) []pbft.Effect { return s.OnStatus(3, &messages.Status{View: s.View()}) },
		func(s *pbft.Sequencer) []pbft.Effect {
			return s.OnVotes([]verifiedVote{signed(2, inView(s.View(), prepare(1, d))), signed(2, inView(s.View(), commit(1, d)))})
		},
		func(s *pbft.Sequencer) []pbft.Effect {
			return s.OnVotes([]verifiedVote{signed(messages.Index(s.View()%4), inView(s.View(), prePrepare(1, d)))})
		},
	}
	var b []byte
	for _, ask := range asked {
		c := s.Clone()
		for _, e := range ask(c) {
			b = fmt.Appendf(b, "%T", e)
			switch e := e.(type) {
			case pbft.Flush:
				b = fmt.Appendf(b, "%v", e.Group.Bundles)
				for _, r := range e.Group.Records {
					b = r.AppendCanonical(b)
				}
			case pbft.ToSlot:
				b = fmt.Appendf(b, "%v", slices.Collect(eventVotes(e.Event)))
			case pbft.Refused:
				b = fmt.Appendf(b, "%v", e)
			case pbft.FetchBatches:
				b = fmt.Appendf(b, "%v", e)
			case pbft.Resend:
				for _, k := range e.Bundles {
					b = fmt.Appendf(b, "%d %v", k.From, k.Votes)
				}
			}
		}
		b = c.AppendCanonical(b)
	}
	return fmt.Sprintf("%s %+v", b, s.Status())
}

func eventVotes(e pbft.SlotEvent) func(func(messages.Vote) bool) {
	return func(yield func(messages.Vote) bool) {
		switch e := e.(type) {
		case pbft.VoteReceived:
			yield(e.Vote.Value())
		case pbft.Accepted:
			yield(messages.Vote{View: e.View, Digest: e.Digest})
		case pbft.BatchHeld:
			yield(messages.Vote{Digest: e.Digest})
		}
	}
}
