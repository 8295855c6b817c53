package pbft_test

import (
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// program reads a fuzzer's bytes as choices; at the end all are zero.
type program struct{ rest []byte }

func (p *program) next(choices int) int {
	if len(p.rest) == 0 {
		return 0
	}
	b := p.rest[0]
	p.rest = p.rest[1:]
	return int(b) % choices
}

var fuzzBatches = []*messages.Batch{batchOf(1), batchOf(2), batchOf(3)}

// digest is mostly one of the batches.
func (p *program) digest() messages.Digest {
	if i := p.next(len(fuzzBatches) + 1); i < len(fuzzBatches) {
		return fuzzBatches[i].Digest()
	}
	return digestOf(1)
}

func (p *program) vote(seqs, views int) messages.Vote {
	return messages.Vote{
		Kind: messages.PrePrepare + messages.Kind(p.next(3)), View: messages.View(p.next(views)),
		Seq: 1 + messages.Seq(p.next(seqs)), Digest: p.digest(),
	}
}

// FuzzSlot steps a slot with any verified votes and compares what it claims
// with a count of first votes, made apart. [N3, N4, N5, N6]
func FuzzSlot(f *testing.F) {
	f.Add([]byte{1, 0, 0, 2, 0, 0, 2, 1, 0, 0, 0, 2, 3, 1, 0, 0})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &program{data}
		const n, q = 4, 3
		s := pbft.NewSlot(1, messages.Index(p.next(n)), n, q)
		first := map[place]messages.Digest{}
		var asked []messages.Vote
		held := map[messages.Digest]bool{}
		count := func(kind messages.Kind, v messages.Vote, except int) (members int) {
			for m := range messages.Index(n) {
				if d, ok := first[place{m, kind, v.View, 1}]; ok && d == v.Digest && int(m) != except {
					members++
				}
			}
			return members
		}
		committed := 0
		for len(p.rest) > 0 {
			var ev pbft.SlotEvent
			switch p.next(4) {
			case 0:
				view := messages.View(p.next(4))
				ev = pbft.Accepted{View: view, Leader: leaderOf(n)(view), Digest: p.digest()}
			case 1:
				d := p.digest()
				held[d] = true
				ev = pbft.BatchHeld{Digest: d}
			default:
				from, v := messages.Index(p.next(n)), p.vote(2, 4)
				if at := (place{from, v.Kind, v.View, v.Seq}); v.Kind != messages.PrePrepare && first[at].IsZero() {
					first[at] = v.Digest
				}
				ev = received(from, v)
			}
			for _, e := range s.Step(ev) {
				switch e := e.(type) {
				case pbft.ProposeVote:
					for _, before := range asked {
						if before == e.Vote || before.View == e.Vote.View && before.Digest != e.Vote.Digest {
							t.Errorf("proposed %v after %v", e.Vote, before)
						}
					}
					asked = append(asked, e.Vote)
					if !held[e.Vote.Digest] {
						t.Errorf("proposed %v without its batch", e.Vote)
					}
					leader := int(leaderOf(n)(e.Vote.View))
					if e.Vote.Kind == messages.Commit && count(messages.Prepare, e.Vote, leader) < q-1 {
						t.Errorf("proposed %v with the prepares of %d backups", e.Vote, count(messages.Prepare, e.Vote, leader))
					}
				case pbft.Committed:
					v := messages.Vote{View: e.View, Digest: e.Digest}
					if committed++; committed > 1 || !held[e.Digest] || count(messages.Commit, v, -1) < q || len(e.Bundles) != q {
						t.Errorf("committed %d times: view %d, %d bundles of %d commits", committed, e.View, len(e.Bundles), count(messages.Commit, v, -1))
					}
				}
			}
		}
	})
}

// FuzzSequencer steps a sequencer with any verified votes, statuses, words of
// its trackers and crashes: it never panics, and never grants a second digest
// for one place, before or after a crash. [V1, V5, D1]
func FuzzSequencer(f *testing.F) {
	f.Add([]byte{1, 2, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0, 0, 8, 9, 3, 2, 0, 0, 0})
	f.Add([]byte{0, 1, 0, 8, 1, 1, 8, 9, 10, 5, 0, 1, 0, 0, 6, 11})
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &program{data}
		m := &machine{t: t, self: messages.Index(p.next(4)), votes: map[place]messages.Digest{}}
		m.core = pbft.NewSequencer(config(m.self, 4), pbft.StableCheckpoint{}, messages.Digest{})
		for len(p.rest) > 0 {
			m.perform(m.step(p))
		}
	})
}

// machine is a sequencer whose surroundings do anything, within what they owe.
type machine struct {
	t        *testing.T
	self     messages.Index
	core     *pbft.Sequencer
	inFlight *pbft.Group
	durable  []pbft.Record
	votes    map[place]messages.Digest
	reached  []pbft.StableCheckpoint // reported, not durable yet
	stable   pbft.StableCheckpoint
	head     messages.Digest // at the stable checkpoint
}

func (m *machine) step(p *program) []pbft.Effect {
	s := m.core
	switch p.next(13) {
	case 0:
		effects, _ := s.Propose(fuzzBatches[p.next(3)])
		return effects
	case 1:
		return s.OnBatch(messages.Index(p.next(4)), fuzzBatches[p.next(3)])
	case 2, 3:
		return s.OnVotes([]verifiedVote{signed(m.other(p), p.vote(20, 3))})
	case 4:
		return s.OnVotes([]verifiedVote{signed(m.other(p), checkpoint(1+messages.Seq(p.next(20)), stateAt(8)))})
	case 5:
		v := p.vote(10, 2) // a tracker without a memory
		v.Kind = messages.Kind(p.next(8))
		return s.OnProposeVote(v)
	case 6:
		return s.OnNeedBatch(s.Marks().Low+1+messages.Seq(p.next(8)), p.digest(), []messages.Index{messages.Index(p.next(4))})
	case 7:
		return s.OnFetchBatch(messages.Index(p.next(4)), []messages.Digest{p.digest()})
	case 8:
		return m.release()
	case 9:
		seq := s.Executed() + 1
		return s.OnExecuted(seq, 0, p.digest(), digestOf(uint64(seq)))
	case 10:
		return s.OnCheckpointReached(s.Executed(), stateAt(s.Executed()))
	case 11:
		st := &messages.Status{View: messages.View(p.next(2)), Active: true, Low: messages.Seq(p.next(10)), Executed: messages.Seq(p.next(10))}
		for i := range p.next(4) {
			st.Slots = append(st.Slots, messages.SlotHeld{Seq: st.Executed + messages.Seq(i+1), Digest8: p.digest().Prefix(), Prepares: uint64(p.next(16))})
		}
		effects := s.OnTick()
		return append(effects, s.OnStatus(messages.Index(p.next(4)), st)...)
	default:
		if len(m.reached) > 0 {
			m.stable, m.reached = m.reached[0], m.reached[1:]
			m.head = digestOf(uint64(m.stable.Seq))
			return s.OnStable(m.stable)
		}
		return m.crash()
	}
}

// other is any member but this one, whose signature nobody else has.
func (m *machine) other(p *program) messages.Index {
	return (m.self + 1 + messages.Index(p.next(3))) % 4
}

// stateAt is the state after seq: that of all replicas, or nobody's at 12.
func stateAt(seq messages.Seq) messages.Digest {
	if seq == 12 {
		return digestOf(1)
	}
	return digestOf(2)
}

func (m *machine) release() []pbft.Effect {
	if m.inFlight == nil {
		return nil
	}
	g := *m.inFlight
	m.inFlight = nil
	m.durable = append(m.durable, g.Records...)
	return m.core.OnReleased(signGroup(m.self, g))
}

func (m *machine) crash() []pbft.Effect {
	m.inFlight, m.reached = nil, nil
	m.core = pbft.NewSequencer(config(m.self, 4), m.stable, m.head)
	for _, r := range m.durable {
		if r.Vote.Seq > m.stable.Seq {
			m.core.Restore(r)
		}
	}
	return m.core.Resume()
}

func (m *machine) perform(effects []pbft.Effect) {
	if err := m.core.Status().Validate(); err != nil {
		m.t.Errorf("status: %v", err)
	}
	for _, e := range effects {
		switch e := e.(type) {
		case pbft.Flush:
			if m.inFlight != nil {
				m.t.Error("two groups in flight")
			}
			m.inFlight = &e.Group
		case pbft.Broadcast:
			for _, b := range e.Bundles {
				m.left(b.Votes)
			}
		case pbft.Resend:
			for _, b := range e.Bundles {
				m.left(b.Votes)
			}
		case pbft.BecameStable:
			m.reached = append(m.reached, e.Checkpoint)
		case pbft.ToSlot:
			if e.Seq <= m.core.Executed() || !m.core.Marks().Contains(e.Seq) {
				m.t.Errorf("a word to the slot of %d, executed %d, window %v", e.Seq, m.core.Executed(), m.core.Marks())
			}
		}
	}
}

// left takes votes that left. Peers hold the member to them for ever; the
// Checkpoint's place is its sequence, whatever the view.
func (m *machine) left(votes []messages.Vote) {
	for _, v := range votes {
		at := place{m.self, v.Kind, v.View, v.Seq}
		if before, ok := m.votes[at]; ok && before != v.Digest {
			m.t.Errorf("%v left after %v", v, before)
		}
		m.votes[at] = v.Digest
	}
}
