package floor

import (
	"time"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// received is a bundle as it is kept for a certificate.
type received struct {
	bundle    *messages.Bundle
	journaled bool
}

// release flushes and signs a group side by side, sends it and counts its votes.
func (m *member) release(g group) error {
	type outcome struct {
		bundles []*messages.Bundle
		err     error
	}
	signed := make(chan outcome, 1)
	go func() {
		bundles, err := m.sign(g)
		signed <- outcome{bundles, err}
	}()
	begin := time.Now()
	size, err := m.journal.write(g.records)
	m.f.spent.flushes.Add(1)
	m.f.spent.flushNanos.Add(int64(time.Since(begin)))
	m.f.spent.journalBytes.Add(int64(size))
	s := <-signed
	if err != nil {
		return err
	}
	if s.err != nil {
		return s.err
	}
	m.broadcast(&messages.Bundles{Bundles: s.bundles}, votes)
	m.mu.Lock()
	for _, b := range s.bundles {
		r := &received{bundle: b}
		for _, v := range b.Votes {
			m.count(v, r)
		}
	}
	cut := m.settle(g.votes)
	m.mu.Unlock()
	m.sendBodies(cut)
	return nil
}

// sign makes a bundle of the votes, and one of each checkpoint.
func (m *member) sign(g group) (bundles []*messages.Bundle, err error) {
	var lists [][]messages.Vote
	if len(g.votes) > 0 {
		lists = append(lists, g.votes)
	}
	for i := range g.checkpoints {
		lists = append(lists, g.checkpoints[i:i+1])
	}
	for _, votes := range lists {
		b, _, err := crypto.Seal(m.f.keyring, m.self, m.key, votes)
		if err != nil {
			return nil, err
		}
		m.f.spent.signatures.Add(1)
		bundles = append(bundles, b)
	}
	return bundles, nil
}

// onBundle verifies a bundle if one of its votes is still needed, and counts
// those that are.
func (m *member) onBundle(b *messages.Bundle) error {
	m.mu.Lock()
	var needed []messages.Vote
	for _, v := range b.Votes {
		if m.reserve(b.From, v) {
			needed = append(needed, v)
		}
	}
	m.mu.Unlock()
	if len(needed) == 0 {
		return nil
	}
	m.f.spent.verifications.Add(1)
	if _, err := m.f.keyring.Open(b); err != nil {
		return err
	}
	m.mu.Lock()
	r := &received{bundle: b}
	for _, v := range needed {
		m.count(v, r)
	}
	cut := m.settle(needed)
	m.mu.Unlock()
	m.sendBodies(cut)
	return nil
}

// reserve reports whether a vote of another member is needed for a quorum, given
// that the own one comes by itself, and takes its place.
func (m *member) reserve(from messages.Index, v messages.Vote) bool {
	t, need := m.tally(v)
	if t == nil || v.Kind == messages.PrePrepare && from != leader {
		return false
	}
	if t.others >= need {
		return false
	}
	t.others++
	return true
}

// tally finds where a vote counts, and how many of others make a quorum there; nil
// if it counts nowhere any more.
func (m *member) tally(v messages.Vote) (t *tally, need int) {
	if v.Kind == messages.Checkpoint {
		t := m.marks[v.Seq]
		if t == nil {
			t = &tally{}
			m.marks[v.Seq] = t
		}
		return t, m.quorum - 1
	}
	if v.Seq <= m.executed {
		return nil, 0
	}
	s := m.slot(v.Seq)
	switch v.Kind {
	case messages.PrePrepare:
		return &s.ordering, 1
	case messages.Prepare:
		if m.self == leader {
			return &s.prepares, m.preparing()
		}
		return &s.prepares, m.preparing() - 1
	case messages.Commit:
		return &s.commits, m.quorum - 1
	}
	return nil, 0
}

// preparing is how many backups have to prepare.
func (m *member) preparing() int {
	if m.f.cfg.Unanimous {
		return m.f.cfg.Replicas - 1
	}
	return m.quorum - 1
}

// count counts a valid vote.
func (m *member) count(v messages.Vote, r *received) {
	t, _ := m.tally(v)
	if t == nil {
		return
	}
	t.counted++
	if v.Kind == messages.Commit || m.f.cfg.Unanimous && v.Kind <= messages.Prepare {
		s := m.slot(v.Seq)
		s.proof = append(s.proof, r)
	}
	switch v.Kind {
	case messages.PrePrepare:
		if s := m.slot(v.Seq); m.self != leader {
			s.named, s.digest = true, v.Digest
		}
	case messages.Checkpoint:
		// It is stable: the certificate is journaled, and nothing else is kept.
		if t.counted == m.quorum {
			m.group.records = append(m.group.records, r.record())
		}
	}
}

// record is what is journaled of a bundle.
func (r *received) record() []byte {
	if r.journaled {
		return nil
	}
	r.journaled = true
	return append(r.bundle.SigningBytes(messages.Digest{}), r.bundle.Signature...)
}

// settle sees what the votes just counted have decided: accepted, prepared,
// committed, executed. It returns batches the leader cut.
func (m *member) settle(counted []messages.Vote) (cut []*batch) {
	for _, v := range counted {
		if s := m.slots[v.Seq]; s != nil {
			m.advance(v.Seq, s)
		}
	}
	return m.execute()
}

// advance votes for what follows.
func (m *member) advance(seq messages.Seq, s *slot) {
	if s.named && s.batch == nil {
		b := m.bodies[s.digest]
		if b == nil {
			return // it is on its way
		}
		delete(m.bodies, s.digest)
		s.batch = b
		m.vote(messages.Prepare, seq, s.digest, b.bytes)
	}
	if m.f.cfg.Unanimous { // others may have prepared before the leader's own word counts
		s.committed = s.batch != nil && s.ordering.counted > 0 && s.prepares.counted >= m.preparing()
		return
	}
	if s.batch != nil && !s.prepared && s.prepares.counted >= m.preparing() {
		s.prepared = true
		m.vote(messages.Commit, seq, s.digest)
	}
	if s.prepared && s.commits.counted >= m.quorum {
		s.committed = true
	}
}

// execute executes what is next in order.
func (m *member) execute() (cut []*batch) {
	for {
		seq := m.executed + 1
		s := m.slots[seq]
		if s == nil || !s.committed {
			return cut
		}
		m.executed = seq
		delete(m.slots, seq)
		for _, r := range s.proof {
			m.group.records = append(m.group.records, r.record())
		}
		if m.self == leader {
			m.f.spent.sequences.Add(1)
			m.inFlight--
			m.due = true
			m.freed(len(s.batch.offsets)-1, s.cut)
			cut = append(cut, m.cut()...)
		}
		m.door.executed(seq, s.batch)
		if interval := m.f.genesis.Params.CheckpointInterval; seq%interval == 0 {
			delete(m.marks, seq-2*interval)
			m.vote(messages.Checkpoint, seq, s.digest)
		}
	}
}

// onBody takes a batch the leader has sent.
func (m *member) onBody(data []byte) error {
	b, err := parseBatch(data)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.bodies[b.digest] = b
	for seq, s := range m.slots {
		if s.named && s.batch == nil && s.digest == b.digest {
			m.advance(seq, s)
		}
	}
	cut := m.execute()
	m.mu.Unlock()
	m.sendBodies(cut)
	return nil
}

// onForward takes another member's vertices.
func (m *member) onForward(data []byte) error {
	var list []vertex
	for len(data) > 0 {
		v, size, err := messages.ParseVertex(data)
		if err != nil {
			return err
		}
		list = append(list, vertex{v.Bytes(), v.Hash()})
		data = data[size:]
	}
	m.propose(list)
	return nil
}
