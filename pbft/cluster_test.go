package pbft_test

import (
	"crypto/sha256"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// cluster connects replicas by nothing but a bag of events, of which a seeded
// scheduler runs any one next: messages may be lost and repeated, a replica may
// crash between any two events, and what one part of a replica says to another
// takes as long as it likes.
type cluster struct {
	t        *testing.T
	rand     *rand.Rand
	faults   faults
	batches  []*messages.Batch // to be ordered
	replicas []*node
	pending  []event
	sent     map[place]messages.Digest // every vote that ever left
	trace    []traced                  // every effect, in order
}

// faults say what may happen, in thousandths of the events.
type faults struct {
	loss, repeat, crash int
	crashesMax          int
	equivocate          bool // member 0 leads and tells each member something else
	views, viewsMax     int  // how often, and how many times in all, somebody leaves its view
}

// event is something that may happen next: a message, or a word from one part
// of a replica to another, which is never lost but with its replica.
type event struct {
	to      *node
	local   bool
	life    int
	deliver func()
}

// place is where a member has one vote.
type place struct {
	from messages.Index
	kind messages.Kind
	view messages.View
	seq  messages.Seq
}

type traced struct {
	by     messages.Index
	effect pbft.Effect
}

// node is a replica with a disk and an executor.
type node struct {
	*replica
	c    *cluster
	life int // a crash begins a new one

	disk   disk
	state  state
	views  views
	ready  map[messages.Seq]entry            // committed, perhaps not next
	states map[messages.Seq]state            // at checkpoints, until one is stable
	ledger []entry                           // executed; sequence 1 first
	asked  map[messages.Digest]messages.View // batches this life of the leader proposed: one more than the view
	own    map[messages.Vote]bool            // votes whose records were ever durable
}

// disk is what survives a crash.
type disk struct {
	stable  pbft.StableCheckpoint
	state   state         // at the stable checkpoint
	beside  []pbft.Record // where the voter stood, as of the stable checkpoint
	records []pbft.Record
	ledger  []entry
}

// keep makes executed entries durable, in the order of the journal.
func (d *disk) keep(ledger []entry) {
	if len(ledger) > len(d.ledger) {
		d.ledger = slices.Clone(ledger)
	}
}

type state struct {
	seq     messages.Seq
	head    messages.Digest
	clients []byte // a stand-in: the history of digests
}

func (s state) digest() messages.Digest {
	return pbft.StateDigest(s.seq, s.head, 0, messages.Digest{}, sha256.Sum256(s.clients))
}

func (s state) execute(batch messages.Digest) state {
	seq := s.seq + 1
	return state{seq, pbft.NextHead(s.head, seq, batch), append(slices.Clone(s.clients), batch[:4]...)}
}

type entry struct {
	digest messages.Digest
	view   messages.View // of the certificate
	batch  *messages.Batch
}

func newCluster(t *testing.T, n int, seed uint64, batches int, f faults) *cluster {
	c := &cluster{t: t, rand: rand.New(rand.NewPCG(seed, 7)), faults: f, sent: make(map[place]messages.Digest)}
	for i := range uint64(batches) {
		c.batches = append(c.batches, batchOf(i))
	}
	for i := range messages.Index(n) {
		r := &node{c: c, own: make(map[messages.Vote]bool)}
		r.replica = newReplica(nil, i, n)
		r.outside, r.decided = r.effect, r.commit
		r.later = func(f func() []pbft.Effect) { c.local(r, f) }
		c.replicas = append(c.replicas, r)
		r.restart()
	}
	return c
}

// step runs one event; with none pending, and every now and then, a heartbeat
// of everybody: rarely enough for its n² messages to be heard meanwhile.
func (c *cluster) step() {
	if n := len(c.replicas); len(c.pending) == 0 || c.rand.IntN(8*n*n) == 0 {
		for _, r := range c.replicas {
			if c.lies(r) {
				c.lie()
				if c.faults.views > 0 {
					c.lieAboutViews()
				}
			} else {
				c.calmViews(r)
				r.heartbeat()
			}
		}
	}
	i := c.rand.IntN(len(c.pending))
	ev := c.pending[i]
	c.pending[i] = c.pending[len(c.pending)-1]
	c.pending = c.pending[:len(c.pending)-1]
	switch {
	case ev.life != ev.to.life: // of a replica that crashed since
	case c.lies(ev.to): // does not listen
	case !ev.local && c.chance(c.faults.loss):
	default:
		if !ev.local && c.chance(c.faults.repeat) {
			c.pending = append(c.pending, ev)
		}
		ev.deliver()
	}
	if c.faults.viewsMax > 0 && c.chance(c.faults.views) {
		c.leaveView()
	}
	if c.faults.crashesMax > 0 && c.chance(c.faults.crash) {
		c.faults.crashesMax--
		c.crash(c.replicas[c.rand.IntN(len(c.replicas))])
	}
}

// crash takes a replica down, or one of its trackers alone.
func (c *cluster) crash(r *node) {
	if seqs := slices.Sorted(maps.Keys(r.slots)); len(seqs) > 0 && c.chance(300) {
		r.forgetSlot(seqs[c.rand.IntN(len(seqs))])
		return
	}
	r.restart()
}

// lies reports whether r is the leader that equivocates.
func (c *cluster) lies(r *node) bool { return c.faults.equivocate && r.self == 0 }

// lie sends each member whatever may lead it astray: batches, and any votes
// for them in member 0's own name.
func (c *cluster) lie() {
	c.others(0, func(to messages.Index) {
		for range 3 {
			batch := c.batches[c.rand.IntN(len(c.batches))]
			seq := messages.Seq(1 + c.rand.IntN(5))
			kind := messages.PrePrepare + messages.Kind(c.rand.IntN(3))
			vote := signed(0, messages.Vote{Kind: kind, View: c.someView(), Seq: seq, Digest: batch.Digest()})
			c.send(to, func(s *pbft.Sequencer) []pbft.Effect { return s.OnBatch(0, batch) })
			c.send(to, func(s *pbft.Sequencer) []pbft.Effect { return s.OnVotes([]verifiedVote{vote}) })
		}
	})
}

// someView is one that some member is in.
func (c *cluster) someView() messages.View {
	return c.replicas[c.rand.IntN(len(c.replicas))].core.View()
}

func (c *cluster) chance(thousandths int) bool { return c.rand.IntN(1000) < thousandths }

func (c *cluster) local(r *node, f func() []pbft.Effect) {
	c.pending = append(c.pending, event{to: r, local: true, life: r.life, deliver: func() { r.perform(f()) }})
}

// send puts a message on its way. It may outlive both ends' crashes.
func (c *cluster) send(to messages.Index, f func(*pbft.Sequencer) []pbft.Effect) {
	r := c.replicas[to]
	c.pending = append(c.pending, event{to: r, life: r.life, deliver: func() { r.perform(f(r.core)) }})
}

func (c *cluster) others(self messages.Index, f func(to messages.Index)) {
	for i := range messages.Index(len(c.replicas)) {
		if i != self {
			f(i)
		}
	}
}

// run steps until every replica executed every batch, in one order.
func (c *cluster) run(stepsMax int) {
	c.t.Helper()
	for range stepsMax {
		if c.done() {
			return
		}
		c.step()
	}
	for _, r := range c.replicas {
		c.t.Errorf("replica %d executed %d of %d, window %v, status %+v", r.self, r.state.seq, len(c.batches), r.core.Marks(), r.core.Status())
	}
	c.t.Fatalf("not done after %d events", stepsMax)
}

func (c *cluster) done() bool {
	for _, r := range c.replicas {
		if int(r.state.seq) < len(c.batches) || int(r.core.Marks().Low) < len(c.batches)/4*4 {
			return false
		}
	}
	return true
}

// effect performs what leaves the core.
func (r *node) effect(e pbft.Effect) {
	c := r.c
	c.trace = append(c.trace, traced{r.self, e})
	switch e := e.(type) {
	case pbft.Flush:
		r.flush(e.Group)
	case pbft.Broadcast:
		r.check(e.Bundles)
		c.others(r.self, func(to messages.Index) { r.sendBundles(to, e.Bundles) })
	case pbft.Resend:
		r.check(e.Bundles)
		r.sendBundles(e.To, e.Bundles)
	case pbft.Moved:
	case pbft.ViewChangeReleased:
		r.released(e)
	case pbft.NewViewReleased:
		r.check([]*messages.Bundle{e.NewView.Bundle})
		c.others(r.self, func(to messages.Index) { c.sendNewView(to, e.NewView) })
	case pbft.BroadcastBatch:
		c.others(r.self, func(to messages.Index) { r.sendBatch(to, e.Batch) })
	case pbft.SendBatch:
		r.sendBatch(e.To, e.Batch)
	case pbft.FetchBatches:
		c.send(e.To, func(s *pbft.Sequencer) []pbft.Effect { return s.OnFetchBatch(r.self, e.Digests) })
	case pbft.SendStable:
		c.send(e.To, func(s *pbft.Sequencer) []pbft.Effect { return s.OnStableCheckpoint(e.Checkpoint) })
	case pbft.BecameStable:
		c.local(r, func() []pbft.Effect { return r.stable(e.Checkpoint) })
	case pbft.Proposed:
	case pbft.Refused:
		if !c.faults.equivocate && e.From != r.self {
			c.t.Fatalf("replica %d refused a correct member's vote: %+v", r.self, e)
		}
	case pbft.Diverged:
		c.t.Fatalf("replica %d diverged: %+v", r.self, e)
	default:
		c.t.Fatalf("replica %d: effect %T", r.self, e)
	}
}

func (r *node) sendBundles(to messages.Index, bundles []*messages.Bundle) {
	r.c.send(to, func(s *pbft.Sequencer) []pbft.Effect {
		var votes []verifiedVote
		for _, b := range bundles {
			verified, err := keyring.Restore(b)
			if err != nil {
				panic(err)
			}
			votes = append(votes, verified...)
		}
		return append(s.OnVotes(votes), s.OnOwnVotes(votes)...)
	})
}

func (r *node) sendBatch(to messages.Index, batch *messages.Batch) {
	r.c.send(to, func(s *pbft.Sequencer) []pbft.Effect { return s.OnBatch(r.self, batch) })
}

// check holds every vote that leaves to what was ever durable and to what ever
// left: never two digests in one place.
func (r *node) check(bundles []*messages.Bundle) {
	for _, b := range bundles {
		if b.From != r.self {
			continue // its signer's, which does not seem to know it
		}
		for _, v := range b.Votes {
			if !r.own[v] {
				r.c.t.Fatalf("replica %d sent %v before its records were durable", r.self, v)
			}
			at := place{r.self, v.Kind, v.View, v.Seq}
			if before, ok := r.c.sent[at]; ok && before != v.Digest {
				r.c.t.Fatalf("replica %d voted %v after %v", r.self, v, before)
			}
			r.c.sent[at] = v.Digest
		}
	}
}

// flush writes and signs; the group comes back some time later.
func (r *node) flush(g pbft.Group) {
	ledger := r.ledger
	bundles, votes := signGroup(r.self, g)
	r.c.local(r, func() []pbft.Effect {
		r.disk.records = append(r.disk.records, g.Records...)
		r.disk.keep(ledger)
		r.depend(g)
		return r.core.OnReleased(bundles, votes)
	})
}

// depend notes which votes may leave: those whose own record is durable, and
// what they rest on too.
func (r *node) depend(g pbft.Group) {
	has := func(kind pbft.RecordKind, v messages.Vote) bool {
		return slices.ContainsFunc(r.disk.records, func(rec pbft.Record) bool {
			same := rec.Kind == kind && rec.Vote.View == v.View && rec.Vote.Seq == v.Seq && rec.Vote.Digest == v.Digest
			return same && (kind != pbft.RecordVote || rec.Vote.Kind == v.Kind) && (kind != pbft.RecordAccepted || rec.Batch != nil)
		})
	}
	for _, votes := range g.Bundles {
		for _, v := range votes {
			if v.Kind == messages.ViewChange || v.Kind == messages.NewView {
				r.own[v] = r.own[v] || r.recordedView(v)
				continue
			}
			ok := has(pbft.RecordVote, v)
			if v.Kind != messages.Checkpoint && v.Digest != messages.NullDigest {
				ok = ok && has(pbft.RecordAccepted, v)
			}
			if v.Kind == messages.Commit {
				ok = ok && has(pbft.RecordPrepared, v)
			}
			r.own[v] = r.own[v] || ok
		}
	}
}

// recordedView reports whether the body a ViewChange or NewView signs for is
// durable.
func (r *node) recordedView(v messages.Vote) bool {
	return slices.ContainsFunc(append(r.disk.beside, r.disk.records...), func(rec pbft.Record) bool {
		return rec.ViewChange != nil && v.Kind == messages.ViewChange && rec.ViewChange.Digest() == v.Digest ||
			rec.NewView != nil && v.Kind == messages.NewView && rec.NewView.Body.Digest() == v.Digest
	})
}
