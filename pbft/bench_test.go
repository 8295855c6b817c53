package pbft_test

import (
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// One sequence of four members through a backup's slot: the pre-prepare, three
// Prepares, four Commits.
func BenchmarkSlot(b *testing.B) {
	d := digestOf(1)
	events := []pbft.SlotEvent{pbft.Accepted{Digest: d}, pbft.BatchHeld{Digest: d}}
	for m := range messages.Index(4) {
		if m > 0 {
			events = append(events, received(m, prepare(1, d)))
		}
		events = append(events, received(m, commit(1, d)))
	}
	b.ReportAllocs()
	for b.Loop() {
		s := newSlot(1, 4)
		for _, ev := range events {
			s.Step(ev)
		}
		if !s.CommittedLocal() {
			b.Fatal("not committed")
		}
	}
}

// One vertex through the client table: one creator in turn, and many.
func BenchmarkClients(b *testing.B) {
	for name, creators := range map[string]uint64{"one creator": 1, "1000 creators": 1000} {
		b.Run(name, func(b *testing.B) {
			c := pbft.NewClients(16384)
			ids := make([]pbft.Creator, creators)
			for i := range ids {
				ids[i] = creator(uint64(i))
			}
			b.ReportAllocs()
			for i := uint64(0); b.Loop(); i++ {
				if got := c.Execute(1, ids[i%creators], i/creators, 9); got != pbft.Fresh {
					b.Fatal(got)
				}
			}
		})
	}
}

// One full bundle of a peer, 64 Prepares, through a backup's sequencer.
func BenchmarkSequencer(b *testing.B) {
	cfg := config(1, 4)
	cfg.Params.Window, cfg.Params.CheckpointInterval = 128, 64
	var votes []messages.Vote
	for i := range messages.Seq(messages.BundleVotesMax) {
		votes = append(votes, prepare(i+1, digestOf(uint64(i))))
	}
	_, verified := sealed(2, votes...)
	b.ReportAllocs()
	for b.Loop() {
		s := pbft.NewSequencer(cfg, pbft.StableCheckpoint{}, messages.Digest{})
		if got := len(s.OnVotes(verified)); got != len(votes) {
			b.Fatalf("%d effects", got)
		}
	}
}
