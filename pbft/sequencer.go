package pbft

import (
	"github.com/cretoai/consensus/messages"
)

// Config is what every part of the normal case needs to know.
type Config struct {
	Self      messages.Index
	N, Quorum int
	// Leader is the schedule: who leads a view. It depends on nothing local.
	Leader func(messages.View) messages.Index
	Params messages.Params
	// PipelineDepth bounds the leader's sequences in flight, and with it the
	// bodies kept before anything refers to them.
	PipelineDepth int
}

// Sequencer orders: it owns the window and the voter, admits what may enter a
// slot, gathers granted votes into flush groups, and answers peers that lack
// something. Each method takes one input and gives the effects it has, in
// order.
type Sequencer struct {
	cfg         Config
	voter       *Voter
	log         *VoteLog
	bodies      *Bodies
	checkpoints *Checkpoints
	gatherer    Gatherer
	fetching    *fetching
	newcomer    *newcomer // nil once this replica may vote

	executed  messages.Seq
	head      messages.Digest // the ledger head after executed
	highest   messages.Seq    // the highest sequence anything was heard of
	stable    StableCheckpoint
	floor     StableCheckpoint                 // where the window begins: stable, or a NewView's min-s above it
	beside    messages.Seq                     // the highest checkpoint whose state is about to be taken over
	certified StableCheckpoint                 // the highest certificate known, perhaps of a state not executed yet
	states    map[messages.Seq]messages.Digest // own state digests above the stable checkpoint
	reopened  map[messages.Seq]bool            // executed, and voted on again in this view
	reported  messages.Seq                     // the highest checkpoint reported as BecameStable
	released  map[messages.Seq]uint64          // the tick of the last own vote's release
	stableAt  uint64                           // the tick at which stable became so
	tick      uint64
	patience  patience
	agreed    map[messages.Seq]bool // decided by all, and not executed yet
	halted    bool
	out       []Effect
}

// NewSequencer makes a sequencer at the given stable checkpoint; genesis is its
// zero value. Records of the journal are restored before anything else.
func NewSequencer(cfg Config, stable StableCheckpoint, head messages.Digest) *Sequencer {
	s := &Sequencer{
		cfg:         cfg,
		voter:       NewVoter(cfg.Self, cfg.Leader, cfg.Params),
		log:         NewVoteLog(),
		bodies:      NewBodies(cfg.PipelineDepth + 1),
		checkpoints: NewCheckpoints(cfg.N, cfg.Quorum),
		fetching:    newFetching(cfg),
		stable:      stable, floor: stable, certified: stable, reported: stable.Seq,
		executed: stable.Seq, head: head, highest: stable.Seq,
		states:   make(map[messages.Seq]messages.Digest),
		reopened: make(map[messages.Seq]bool),
		released: make(map[messages.Seq]uint64),
		agreed:   make(map[messages.Seq]bool),
	}
	s.voter.Stable(stable.Seq)
	return s
}

// take hands over the effects gathered by one input, with the next flush group
// if one may start.
func (s *Sequencer) take() []Effect {
	if group, ok := s.gatherer.Next(); ok {
		s.emit(Flush{group})
	}
	out := s.out
	s.out = nil
	return out
}

func (s *Sequencer) emit(e Effect) { s.out = append(s.out, e) }

// Propose gives the leader's batch the next sequence, remembers it as accepted
// and asks for its PrePrepare. It reports false, with no effect, when this
// replica does not lead or the window is full: the proposer keeps the batch.
func (s *Sequencer) Propose(batch *messages.Batch) ([]Effect, bool) {
	vote := messages.Vote{Kind: messages.PrePrepare, View: s.voter.View(), Seq: s.voter.NextSeq(), Digest: batch.Digest()}
	records, refusal := s.voter.Accept(s.cfg.Self, vote, batch)
	if refusal != Granted {
		return nil, false
	}
	s.highest = max(s.highest, vote.Seq)
	s.emit(Proposed{vote.Seq, batch})
	s.emit(BroadcastBatch{batch})
	s.accepted(vote, batch, records)
	s.grant(vote)
	return s.take(), true
}

// accepted tells the slot about a pre-prepare the voter accepted.
func (s *Sequencer) accepted(vote messages.Vote, batch *messages.Batch, records []Record) {
	s.gatherer.Remember(records)
	s.bodies.Bind(batch, vote.Seq)
	defer s.resolve(batch) // after the slot knows
	if !s.tracks(vote.Seq) {
		return
	}
	s.emit(ToSlot{Seq: vote.Seq, Event: Accepted{vote.View, s.cfg.Leader(vote.View), vote.Digest, s.optimism(vote.Seq)}})
	s.emit(ToSlot{Seq: vote.Seq, Event: BatchHeld{vote.Digest}, Batch: batch})
}

// tracks reports whether a sequence has a tracker: until it is executed, and
// once more when a NewView lists it, for others may need this replica's votes.
func (s *Sequencer) tracks(seq messages.Seq) bool { return seq > s.executed || s.reopened[seq] }

// OnProposeVote takes a tracker's wish to vote to the voter.
func (s *Sequencer) OnProposeVote(vote messages.Vote) []Effect {
	s.grant(vote)
	return s.take()
}

func (s *Sequencer) grant(vote messages.Vote) {
	grant, refusal := s.voter.Grant(vote)
	if refusal != Granted {
		s.emit(Refused{From: s.cfg.Self, Vote: vote, Refusal: refusal})
		return
	}
	s.gatherer.Add(grant)
}

// OnVotes admits the verified votes of one bundle: PrePrepares go to the voter,
// Prepares and Commits to their slots, Checkpoints are counted. Stale, early
// and duplicate votes have no effect and cost their sender nothing.
func (s *Sequencer) OnVotes(votes []verifiedVote) []Effect {
	for _, v := range votes {
		s.onVote(v)
	}
	return s.take()
}

func (s *Sequencer) onVote(v verifiedVote) {
	vote := v.Value()
	if vote.Kind == messages.Checkpoint {
		s.onCheckpoint(v)
		return
	}
	if vote.Kind > messages.Commit || !s.voter.Marks().Contains(vote.Seq) || !s.near(vote) {
		return
	}
	if vote.Kind == messages.PrePrepare && (v.From() != s.cfg.Leader(vote.View) || vote.Digest == messages.NullDigest) {
		// The null batch is for NewViews to list, never for a leader to propose.
		s.emit(Refused{From: v.From(), Vote: vote, Refusal: NotLeader})
		return
	}
	if !s.log.Admit(v) {
		return
	}
	s.highest = max(s.highest, vote.Seq)
	if vote.Kind == messages.PrePrepare {
		s.onPrePrepare(v)
	}
	if s.cfg.Params.OptimisticMode {
		s.hear(v)
	}
	if s.tracks(vote.Seq) && (vote.Kind != messages.PrePrepare || s.cfg.Params.OptimisticMode) {
		s.emit(ToSlot{Seq: vote.Seq, Event: VoteReceived{v}})
	}
}

// near reports whether a vote's view is worth keeping: the own view and the
// next for all kinds; of older views only Commits, which may complete a
// certificate still. [N8]
func (s *Sequencer) near(vote messages.Vote) bool {
	mine := s.voter.View()
	if vote.View < mine {
		return vote.Kind == messages.Commit && mine-vote.View <= olderViewsKept
	}
	return vote.View-mine <= 1
}

// onPrePrepare accepts a pre-prepare whose batch is at hand; another waits for
// its batch, and is asked for when it does not come by itself. One of a view
// not entered yet waits in the log. [N2]
func (s *Sequencer) onPrePrepare(v verifiedVote) {
	vote := v.Value()
	if v.From() == s.cfg.Self || vote.View != s.voter.View() || !s.voter.Active() {
		return
	}
	batch := s.bodies.Get(vote.Digest)
	if batch == nil {
		s.fetching.want(vote.Digest, vote.Seq, v.From(), s.tick)
		return
	}
	s.accept(v, batch)
}

func (s *Sequencer) accept(v verifiedVote, batch *messages.Batch) {
	vote := v.Value()
	records, refusal := s.voter.Accept(v.From(), vote, batch)
	switch {
	case refusal != Granted:
		s.emit(Refused{From: v.From(), Vote: vote, Refusal: refusal})
	case len(records) > 0:
		s.accepted(vote, batch, records)
	}
}

// OnBatch takes a valid batch that arrived from a member. One that is waited
// for goes where it is needed; else only the leader of the view may send it,
// ahead of its pre-prepare. [N7]
func (s *Sequencer) OnBatch(from messages.Index, batch *messages.Batch) []Effect {
	seqs := s.fetching.arrived(batch.Digest())
	if len(seqs) == 0 {
		if from == s.cfg.Leader(s.voter.View()) {
			s.bodies.Put(batch)
		}
		return s.take()
	}
	for _, seq := range seqs {
		s.onAwaited(batch, seq)
	}
	return s.take()
}

// resolve gives a batch that came by other ways to whoever waits for it: the
// same batch may be listed at one sequence and proposed at another.
func (s *Sequencer) resolve(batch *messages.Batch) {
	for _, seq := range s.fetching.arrived(batch.Digest()) {
		s.onAwaited(batch, seq)
	}
}

// onAwaited binds a batch to a sequence that waited for it. One that was
// accepted without its batch, from a NewView's list, is recorded with it before
// anything is voted.
func (s *Sequencer) onAwaited(batch *messages.Batch, seq messages.Seq) {
	if seq <= s.voter.Marks().Low {
		return
	}
	s.bodies.Bind(batch, seq)
	for _, v := range s.log.Votes(seq) {
		vote := v.Value()
		if vote.Kind == messages.PrePrepare && vote.Digest == batch.Digest() && vote.View == s.voter.View() && s.voter.Active() {
			s.accept(v, batch)
		}
	}
	if d, ok := s.voter.AcceptedAt(seq); ok && d == batch.Digest() {
		s.gatherer.Remember([]Record{s.acceptedRecord(seq, batch)})
	}
	if s.tracks(seq) {
		s.emit(ToSlot{Seq: seq, Event: BatchHeld{batch.Digest()}, Batch: batch})
	}
}

func (s *Sequencer) acceptedRecord(seq messages.Seq, batch *messages.Batch) Record {
	vote := messages.Vote{Kind: messages.PrePrepare, View: s.voter.View(), Seq: seq, Digest: batch.Digest()}
	return Record{Kind: RecordAccepted, Vote: vote, Batch: batch}
}

// OnNeedBatch is a tracker's word that a certificate is complete for a digest
// whose batch it does not hold. Of an executed sequence the tracker is gone, and
// its word comes too late.
func (s *Sequencer) OnNeedBatch(seq messages.Seq, digest messages.Digest, holders []messages.Index) []Effect {
	if seq <= s.executed {
		return s.take()
	}
	if batch := s.bodies.Get(digest); batch != nil {
		s.onAwaited(batch, seq)
		return s.take()
	}
	for _, h := range holders {
		s.fetching.want(digest, seq, h, s.tick)
	}
	return s.take()
}

// OnFetchBatch answers a member that lacks batches this replica holds.
func (s *Sequencer) OnFetchBatch(from messages.Index, digests []messages.Digest) []Effect {
	for _, d := range digests {
		if batch := s.bodies.Get(d); batch != nil {
			s.emit(SendBatch{from, batch})
		}
	}
	return s.take()
}

// OnReleased takes the group in flight back, durable and signed: its bundles
// leave, and only now do the own votes count. [D1]
func (s *Sequencer) OnReleased(bundles []*messages.Bundle, votes []verifiedVote) []Effect {
	s.gatherer.Released()
	if ordinary := s.announceViews(bundles); len(ordinary) > 0 {
		s.emit(Broadcast{ordinary})
	}
	for _, v := range votes {
		if seq := v.Value().Seq; seq > s.voter.Marks().Low {
			s.released[seq] = s.tick
		}
		s.onVote(v)
	}
	return s.take()
}

// Hold keeps an executed batch until seq is stable, however it came here: a
// NewView may list it again.
func (s *Sequencer) Hold(seq messages.Seq, batch *messages.Batch) {
	if seq > s.voter.Marks().Low {
		s.bodies.Bind(batch, seq)
		s.resolve(batch)
	}
}

// OnExecuted notes that seq was executed with digest, committed in view, and gave
// a new ledger head; its tracker ends.
func (s *Sequencer) OnExecuted(seq messages.Seq, view messages.View, digest, head messages.Digest) []Effect {
	s.executed, s.head, s.highest = seq, head, max(s.highest, seq)
	s.voter.Fix(seq, view, digest)
	s.fetching.executed(seq)
	delete(s.agreed, seq)
	s.emit(StopSlot{seq})
	return s.take()
}
