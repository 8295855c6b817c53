package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
)

// serving answers who lacks something, within what one member may have between
// two heartbeats, on the lane that delays nothing else.
type serving struct {
	t         *Tree
	sequences []int                    // sent to each member since the last heartbeat
	bytes     []int                    // of batches and chunks, likewise
	manifests []bool                   // likewise
	rest      []*decidedWanted         // of a range asked beyond that
	waiting   [][]*messages.FetchChunk // asked beyond that
}

// Bounds of what one member gets between two heartbeats.
const (
	servedPerBeat    = 128     // sequences
	bulkBytesPerBeat = 8 << 20 // of batches and of snapshots: as much as may wait for it in the transport
	chunkRequestsMax = 4       // that wait for the next heartbeat
)

func newServing(t *Tree) *serving {
	return &serving{
		t: t, sequences: make([]int, t.n), bytes: make([]int, t.n), manifests: make([]bool, t.n),
		rest: make([]*decidedWanted, t.n), waiting: make([][]*messages.FetchChunk, t.n),
	}
}

// beat begins another heartbeat's worth.
func (s *serving) beat(c actor.Context) {
	clear(s.sequences)
	clear(s.bytes)
	clear(s.manifests)
	s.t.snapshots.beat()
	s.measure()
	for m, rest := range s.rest {
		if s.rest[m] = nil; rest != nil {
			s.decided(c, rest)
		}
	}
	for m := range s.waiting {
		requests := s.waiting[m]
		s.waiting[m] = nil
		for _, q := range requests {
			s.chunk(c, messages.Index(m), q)
		}
	}
}

// measure tells what others may have from here.
func (s *serving) measure() {
	base, _ := s.t.ledger.Base()
	s.t.cfg.Metrics.SetLedgerFirst(uint64(base) + 1)
	seq, age := s.t.snapshots.newest()
	s.t.cfg.Metrics.SetSnapshot(uint64(seq), age)
}

// decided answers a request from the ledger. What was trimmed, a snapshot stands
// for. What is beyond a member's share waits for the next heartbeat, unless it asks for
// something else by then: it is neither read nor encoded before.
func (s *serving) decided(c actor.Context, m *decidedWanted) {
	s.rest[m.from] = nil
	if base, _ := s.t.ledger.Base(); m.request.From <= base {
		if s.sequences[m.from]++; s.sequences[m.from] <= s.t.share(m.from, servedPerBeat) {
			s.retained(c, m.from, messages.Digest{})
		}
		return
	}
	for seq := m.request.From; seq <= m.request.To; seq++ {
		if s.sequences[m.from] >= s.t.share(m.from, servedPerBeat) || s.bytes[m.from] >= s.t.share(m.from, bulkBytesPerBeat) {
			s.t.cfg.Metrics.LimitReached("served_sequences")
			s.rest[m.from] = &decidedWanted{m.from, &messages.FetchDecided{From: seq, To: m.request.To}}
			return
		}
		d, ok, err := s.t.ledger.Decided(seq)
		if err != nil {
			s.t.log.Error().Uint64("seq", uint64(seq)).Err(err).Msg("the ledger could not be read for a peer")
		}
		if !ok {
			return
		}
		s.sequences[m.from]++
		s.bytes[m.from] += costOfDecided(d)
		c.Send(s.t.links.egress, &send{m.from, cluster.LaneBulk, d})
	}
}

// costOfDecided is what a batch and its certificate cost.
func costOfDecided(d *messages.Decided) int {
	cost := servingCost + len(d.Body)
	for _, b := range d.Certificate {
		cost += len(b.Signature) + len(b.Votes)*messages.VoteBytes
	}
	return cost
}

// retained says what this replica has instead of what it was asked for.
func (s *serving) retained(c actor.Context, to messages.Index, refused messages.Digest) {
	base, _ := s.t.ledger.Base()
	_, newest := s.t.snapshots.bounds()
	c.Send(s.t.links.egress, &send{to, cluster.LaneVotes, &messages.Retained{First: base + 1, Snapshot: newest, Refused: refused}})
}

func (s *serving) manifest(c actor.Context, m *manifestWanted) {
	if s.manifests[m.from] {
		s.t.cfg.Metrics.LimitReached("served_manifests")
		return
	}
	s.manifests[m.from] = true
	if manifest := s.t.snapshots.at(m.seq); manifest != nil {
		c.Send(s.t.links.egress, &send{m.from, cluster.LaneBulk, manifest})
		return
	}
	s.retained(c, m.from, messages.Digest{})
}

// chunk answers with parts of a snapshot. Who asks for more than its share waits
// for the next heartbeat, or asks again.
func (s *serving) chunk(c actor.Context, from messages.Index, q *messages.FetchChunk) {
	if s.bytes[from] >= s.t.share(from, bulkBytesPerBeat) {
		if len(s.waiting[from]) < chunkRequestsMax {
			s.waiting[from] = append(s.waiting[from], q)
		} else {
			s.t.cfg.Metrics.LimitReached("served_chunks")
		}
		return
	}
	chunk, ok, err := s.t.snapshots.chunk(q)
	if err != nil {
		s.t.log.Error().Err(err).Msg("a snapshot could not be read for a peer")
	}
	if !ok {
		s.bytes[from] += servingCost
		s.retained(c, from, q.Manifest)
		return
	}
	for _, p := range chunk.Parts {
		s.bytes[from] += len(p)
	}
	s.bytes[from] += servingCost
	c.Send(s.t.links.egress, &send{from, cluster.LaneBulk, chunk})
}

// servingCost is what answering costs beside the bytes it sends.
const servingCost = 4 << 10
