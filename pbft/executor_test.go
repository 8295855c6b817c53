package pbft_test

import (
	"slices"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// commit takes a tracker's certificate to the executor.
func (r *node) commit(committed pbft.Committed) {
	if bundles := committed.Bundles; len(bundles) != messages.Quorum(r.n) {
		r.c.t.Fatalf("replica %d: a certificate of %d bundles", r.self, len(bundles))
	}
	batch := r.batch(committed.Digest)
	if batch == nil && committed.Digest != messages.NullDigest {
		r.c.t.Fatalf("replica %d committed %d without its batch", r.self, committed.Seq)
	}
	r.c.local(r, func() []pbft.Effect { return r.execute(committed.Seq, entry{committed.Digest, committed.View, batch}) })
}

// batch finds a batch where any replica would: among what it served or holds.
func (r *node) batch(d messages.Digest) *messages.Batch {
	for _, b := range r.c.batches {
		if b.Digest() == d {
			return b
		}
	}
	return nil
}

// execute runs what is next in order, once.
func (r *node) execute(seq messages.Seq, e entry) (effects []pbft.Effect) {
	if seq > r.state.seq {
		r.ready[seq] = e
	}
	for {
		next, ok := r.ready[r.state.seq+1]
		if !ok {
			return effects
		}
		delete(r.ready, r.state.seq+1)
		effects = append(effects, r.apply(next)...)
	}
}

func (r *node) apply(e entry) []pbft.Effect {
	r.state = r.state.execute(e.digest)
	r.ledger = append(r.ledger, e)
	for _, other := range r.c.replicas { // agreement
		if len(other.ledger) >= len(r.ledger) && other.ledger[len(r.ledger)-1].digest != e.digest {
			r.c.t.Fatalf("replicas %d and %d executed two digests at %d", r.self, other.self, len(r.ledger))
		}
	}
	effects := r.core.OnExecuted(r.state.seq, e.view, e.digest, r.state.head)
	if r.state.seq%params().CheckpointInterval == 0 {
		r.states[r.state.seq] = r.state
		effects = append(effects, r.core.OnCheckpointReached(r.state.seq, r.state.digest())...)
	}
	return effects
}

// stable makes a checkpoint durable, with the ledger below it, and says so.
func (r *node) stable(cp pbft.StableCheckpoint) []pbft.Effect {
	if cp.Seq <= r.disk.stable.Seq {
		return nil
	}
	r.disk.stable, r.disk.state, r.disk.beside = cp, r.states[cp.Seq], r.core.ViewRecords()
	r.disk.keep(r.ledger[:cp.Seq])
	return r.core.OnStable(cp)
}

// heartbeat ticks, tells everybody, and the leader proposes what is left.
func (r *node) heartbeat() {
	r.perform(r.core.OnTick())
	r.tellViews()
	st := r.core.Status()
	if err := st.Validate(); err != nil {
		r.c.t.Fatalf("replica %d: status %+v: %v", r.self, st, err)
	}
	r.c.others(r.self, func(to messages.Index) {
		other := r.c.replicas[to]
		r.c.send(to, func(s *pbft.Sequencer) []pbft.Effect {
			other.pull(r, st)
			return s.OnStatus(r.self, st)
		})
	})
	r.propose()
}

// pull fetches what a peer executed and this replica did not, with its
// certificate: it executes and does nothing else.
func (r *node) pull(from *node, st *messages.Status) {
	for seq := r.state.seq + 1; seq <= min(st.Executed, r.state.seq+8, messages.Seq(len(from.ledger))); seq++ {
		e := from.ledger[seq-1]
		r.c.pending = append(r.c.pending, event{to: r, life: r.life, deliver: func() { r.perform(r.execute(seq, e)) }})
	}
}

// propose gives the leader one more batch that it does not know to have a
// sequence.
func (r *node) propose() {
	if !r.core.Leads() || r.c.faults.equivocate {
		return
	}
	held := func(b *messages.Batch) bool {
		d := b.Digest()
		if r.c.faults.views > 0 { // what a view lost must be proposed again
			return r.asked[d] == r.core.View()+1 || slices.ContainsFunc(r.ledger, func(e entry) bool { return e.digest == d })
		}
		return r.asked[d] > 0 || slices.ContainsFunc(r.ledger, func(e entry) bool { return e.digest == d }) ||
			slices.ContainsFunc(r.disk.records, func(rec pbft.Record) bool {
				return rec.Kind == pbft.RecordAccepted && rec.Vote.Digest == d
			})
	}
	for _, b := range r.c.batches {
		if !held(b) {
			effects, ok := r.core.Propose(b)
			if ok {
				r.asked[b.Digest()] = r.core.View() + 1
			}
			r.perform(effects)
			return
		}
	}
}

// restart is a crash at this very moment, and the start from what is on disk.
func (r *node) restart() {
	r.life++
	d := r.disk
	r.slots = make(map[messages.Seq]*pbft.Slot)
	r.asked, r.views = make(map[messages.Digest]messages.View), views{}
	r.ready, r.states = make(map[messages.Seq]entry), make(map[messages.Seq]state)
	r.state, r.ledger = d.state, slices.Clone(d.ledger[:d.stable.Seq])
	r.core = pbft.NewSequencer(config(r.self, r.n), d.stable, d.state.head)
	for _, rec := range d.beside {
		r.core.Restore(rec)
	}
	for _, rec := range d.records {
		if rec.Vote.Seq > d.stable.Seq {
			r.core.Restore(rec)
		}
	}
	var effects []pbft.Effect
	for _, e := range d.ledger[d.stable.Seq:] {
		effects = append(effects, r.apply(e)...)
	}
	r.perform(append(effects, r.core.Resume()...))
	if r.core.Head() != r.state.head || r.core.Executed() != r.state.seq {
		r.c.t.Fatalf("replica %d restarted at %d, its state is at %d", r.self, r.core.Executed(), r.state.seq)
	}
}
