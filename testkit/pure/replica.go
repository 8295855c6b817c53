package pure

import (
	"fmt"
	"time"

	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// Replica is one member's. Each method takes one input, lets everything follow
// from it, and gives what leaves.
type Replica struct {
	Self  messages.Index
	chain *Chain

	core    *pbft.Sequencer
	slots   map[messages.Seq]*pbft.Slot
	manager *leader.Manager // nil if somebody else decides about views
	backlog *pbft.Backlog[pbft.Committed]
	record  record // what a crash leaves
	state   state
	ledger  []pbft.Committed // executed; sequence 1 first
	told    leader.Suspects
	alarm   string // why it stopped voting

	now   time.Time
	queue []func() // empty between inputs
	out   []Message
}

// state is what was executed, as far as members compare it.
type state struct {
	seq  messages.Seq
	head messages.Digest
}

func (s state) digest() messages.Digest {
	return pbft.StateDigest(s.seq, s.head, 0, messages.Digest{}, messages.Digest{})
}

// New makes a member's replica at genesis, without a manager.
func New(chain *Chain, self messages.Index) *Replica {
	r := &Replica{chain: chain, Self: self}
	r.reset()
	return r
}

// NewManaged makes one that decides about views, too. now is when.
func NewManaged(chain *Chain, self messages.Index, now time.Time) *Replica {
	r := New(chain, self)
	r.now = now
	r.manager = leader.NewManager(r.managerConfig(), now)
	return r
}

// Heartbeat is the time between two Status of a managed replica.
const Heartbeat = 100 * time.Millisecond

func (r *Replica) managerConfig() leader.ManagerConfig {
	return leader.ManagerConfig{
		Self: r.Self, N: r.chain.N, Quorum: r.chain.Quorum, Window: r.chain.Params.Window,
		Optimistic: r.chain.Params.OptimisticMode,
		Timeout:    leader.DefaultTimeoutConfig(), Heartbeat: Heartbeat, HeartbeatTimeout: 4 * Heartbeat,
	}
}

func (r *Replica) reset() {
	r.slots = make(map[messages.Seq]*pbft.Slot)
	r.state, r.ledger = state{}, nil
	r.backlog = pbft.NewBacklog[pbft.Committed](0)
	r.core = pbft.NewSequencer(r.chain.config(r.Self), pbft.StableCheckpoint{}, messages.Digest{})
	r.told = leader.Suspects{}
}

// View is where the voter stands.
func (r *Replica) View() messages.View { return r.core.View() }

// Active reports whether it votes in that view.
func (r *Replica) Active() bool { return r.core.Active() }

// Core is the sequencer, to be looked at.
func (r *Replica) Core() *pbft.Sequencer { return r.core }

// Manager is what decides about views, nil if somebody else does.
func (r *Replica) Manager() *leader.Manager { return r.manager }

// Executed are the decisions executed so far; sequence 1 first.
func (r *Replica) Executed() []pbft.Committed { return r.ledger }

// Alarm says why it stopped voting, "" if it did not.
func (r *Replica) Alarm() string { return r.alarm }

// later runs something when what is being done is done.
func (r *Replica) later(f func()) { r.queue = append(r.queue, f) }

// settle runs everything that follows, and gives what leaves.
func (r *Replica) settle() []Message {
	for i := 0; i < len(r.queue); i++ {
		r.queue[i]()
	}
	r.queue = nil
	out := r.out
	r.out = nil
	return out
}

func (r *Replica) say(to messages.Index, b Body) { r.out = append(r.out, Message{to, b}) }

// Propose has the leader propose a batch, if it may.
func (r *Replica) Propose(digest messages.Digest) []Message {
	effects, _ := r.core.Propose(r.chain.Batch(digest))
	r.perform(effects)
	return r.settle()
}

// Hurry has the tracker of a sequence, if there is one, wait for nobody.
func (r *Replica) Hurry(seq messages.Seq) []Message {
	if r.slots[seq] != nil {
		r.step(pbft.ToSlot{Seq: seq, Event: pbft.Hurry{}})
	}
	return r.settle()
}

// Leave has the voter leave for a view, whatever the manager thinks.
func (r *Replica) Leave(view messages.View) []Message {
	r.perform(r.core.ChangeView(view))
	return r.settle()
}

// Enter has the voter enter a view, whatever the manager thinks. One without a
// bundle is this replica's own.
func (r *Replica) Enter(nv *pbft.NewView) []Message {
	r.perform(r.core.EnterView(nv))
	return r.settle()
}

// Hear takes what a member said.
func (r *Replica) Hear(now time.Time, from messages.Index, b Body) []Message {
	r.now = now
	r.hear(from, b)
	return r.settle()
}

func (r *Replica) hear(from messages.Index, b Body) {
	switch b := b.(type) {
	case Votes:
		r.perform(r.core.OnVotes(b.Votes))
		r.perform(r.core.OnOwnVotes(b.Votes))
	case Batch:
		r.perform(r.core.OnBatch(from, b.Batch))
	case Stable:
		r.perform(r.core.OnStableCheckpoint(b.Checkpoint))
		r.stand()
	case Decided:
		r.committed(b.Committed)
	case FetchBatches:
		r.perform(r.core.OnFetchBatch(from, b.Digests))
	case Status:
		r.perform(r.core.OnStatus(from, b.Status))
		r.serve(from, b.Status)
		r.hearOfViews(from, b)
	case ViewChange, NewView, Prepared, FetchViewChange, FetchPrepared:
		r.hearOfViews(from, b)
	case Blame:
	}
}

// servedMax bounds the decisions one Status is answered with.
const servedMax = 8

// serve sends what a member has yet to execute: what sync does in the product.
func (r *Replica) serve(to messages.Index, st *messages.Status) {
	for seq := st.Executed + 1; seq <= min(st.Executed+servedMax, r.state.seq); seq++ {
		r.say(to, Decided{r.ledger[seq-1]})
	}
}

func (r *Replica) perform(effects []pbft.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case pbft.ToSlot:
			r.step(e)
		case pbft.StopSlot:
			delete(r.slots, e.Seq)
		case pbft.Flush:
			r.flush(e.Group)
		case pbft.Broadcast:
			r.sayBundles(Everyone, e.Bundles)
		case pbft.Resend:
			r.sayBundles(e.To, e.Bundles)
		case pbft.ViewChangeReleased:
			r.releasedViewChange(e)
		case pbft.NewViewReleased:
			r.releasedNewView(e)
		case pbft.Moved:
			r.stand()
		case pbft.SendPrepared:
			r.sayPrepared(e.To, leader.Prepared{Claim: e.Proof.Claim, Bundles: e.Proof.Bundles})
		case pbft.BroadcastBatch:
			r.say(Everyone, Batch{e.Batch})
		case pbft.SendBatch:
			r.say(e.To, Batch{e.Batch})
		case pbft.FetchBatches:
			r.say(e.To, FetchBatches{e.Digests})
		case pbft.SendStable:
			r.say(e.To, Stable{e.Checkpoint})
		case pbft.BecameStable:
			r.later(func() { r.stable(e.Checkpoint) })
		case pbft.Refused:
			r.refused(e)
		case pbft.Diverged:
			r.stop("it differs from what a quorum signed")
		case pbft.Doubled:
			r.stop("a vote of its own is not in its record")
		case pbft.Proposed, pbft.Admissible:
		}
	}
}

func (r *Replica) stop(why string) {
	r.alarm = why
	if r.manager != nil {
		r.manager.OnHalted()
	}
}

// step brings an event to its tracker.
func (r *Replica) step(e pbft.ToSlot) {
	s := r.slots[e.Seq]
	if s == nil {
		s = pbft.NewSlot(e.Seq, r.Self, r.chain.N, r.chain.Quorum)
		r.slots[e.Seq] = s
	}
	for _, e := range s.Step(e.Event) {
		switch e := e.(type) {
		case pbft.ProposeVote:
			r.later(func() { r.perform(r.core.OnProposeVote(e.Vote)) })
		case pbft.NeedBatch:
			r.later(func() { r.perform(r.core.OnNeedBatch(e.Seq, e.Digest, e.Holders)) })
		case pbft.Committed:
			r.later(func() { r.committed(e) })
		}
	}
}

// committed executes what is next, in order.
func (r *Replica) committed(c pbft.Committed) {
	r.backlog.Add(c.Seq, c)
	for {
		next, ok := r.backlog.Next()
		if !ok || r.alarm != "" {
			return
		}
		r.execute(next)
	}
}

func (r *Replica) execute(c pbft.Committed) {
	r.state = state{c.Seq, pbft.NextHead(r.state.head, c.Seq, c.Digest)}
	r.ledger = append(r.ledger[:len(r.ledger):len(r.ledger)], c)
	settled := r.core.Settled()
	r.perform(r.core.OnExecuted(c.Seq, c.View, c.Digest, r.state.head))
	if b := r.chain.Batch(c.Digest); b != nil {
		r.core.Hold(c.Seq, b)
	}
	if c.Seq%r.chain.Params.CheckpointInterval == 0 {
		r.perform(r.core.OnCheckpointReached(c.Seq, r.state.digest()))
	}
	if r.manager != nil {
		r.manager.OnExecuted(leader.Progress{Proposed: c.Seq > settled, Fresh: c.Digest != messages.NullDigest}, 0)
	}
}

func (r *Replica) sayBundles(to messages.Index, bundles []*messages.Bundle) {
	for _, b := range bundles {
		r.say(to, Votes{must(r.chain.keyring.Restore(b))})
	}
}

// Decision is what was committed at a sequence, executed or not.
func (r *Replica) Decision(seq messages.Seq) (pbft.Committed, bool) {
	if seq > 0 && seq <= messages.Seq(len(r.ledger)) {
		return r.ledger[seq-1], true
	}
	return r.backlog.Waiting(seq)
}

// String says where it stands.
func (r *Replica) String() string {
	return fmt.Sprintf("sequence %d in view %d (active: %v)", r.state.seq, r.View(), r.Active())
}
