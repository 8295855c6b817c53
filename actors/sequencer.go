package actors

import (
	"fmt"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// greet asks for an immediate Status to a peer that just came up.
type greet struct{ peer messages.Index }

// sequencer drives the pure pbft.Sequencer: the window, the voter, and the
// trackers, which are its children. It performs effects in their order.
//
// One that follows on a panic must not start from an empty memory: it knows
// nothing and takes no part until it is rebuilt from disk, see rebuild.go.
type sequencer struct {
	t        *Tree
	life     int             // 1 for the first
	core     *pbft.Sequencer // nil until it is rebuilt
	trackers map[messages.Seq]*actor.PID
	reopened int  // trackers made for executed sequences
	ending   bool // this actor does, and the trackers with it
	suspects suspicion
	release  release
	left     *viewChangeReleased // the last own ViewChange that was released
	served   []int               // bytes of batches sent to each member since the last heartbeat
	answered []bool              // members whose Status was answered since the last heartbeat
	recalled []bool              // likewise their Recall
}

// release joins the two halves of a group: it leaves when it is durable and
// signed.
type release struct {
	id      groupID
	bundles [][]messages.Vote
	durable bool
	signed  *signed
}

func newSequencer(t *Tree, life int) *sequencer {
	s := &sequencer{t: t, life: life, trackers: make(map[messages.Seq]*actor.PID), answered: make([]bool, t.n), recalled: make([]bool, t.n), served: make([]int, t.n)}
	if life == 1 {
		s.core = t.recovered.core
	}
	return s
}

func (s *sequencer) Receive(c actor.Context) {
	if s.ending {
		return // a tracker started now would not be stopped, and this actor wait for it
	}
	if s.core == nil {
		s.awaitRebuilt(c)
		return
	}
	switch m := c.Message().(type) {
	case *begin:
		if r := s.t.recovered; r != nil {
			s.t.recovered = nil
			s.resume(c, r.effects)
		}
	case *proposal:
		effects, ok := s.core.Propose(m.batch)
		if !ok {
			c.Send(s.t.links.proposer, &proposalRefused{m.batch})
			return
		}
		s.perform(c, effects)
	case *verifiedVotes:
		s.perform(c, s.core.OnVotes(m.votes))
	case *ownVotes:
		s.perform(c, s.core.OnOwnVotes(m.votes))
	case *batchArrived:
		s.perform(c, s.core.OnBatch(m.from, m.batch))
	case *proposeVote:
		s.perform(c, s.core.OnProposeVote(m.vote))
	case *waited:
		s.perform(c, s.core.OnWaited(m.seq, m.late))
	case *pbft.NeedBatch:
		s.perform(c, s.core.OnNeedBatch(m.Seq, m.Digest, m.Holders))
	case *flushed:
		if m.id == s.release.id {
			s.release.durable = true
			s.tryRelease(c)
		}
	case *signed:
		if m.id == s.release.id {
			s.release.signed = m
			s.tryRelease(c)
		}
	case *signAgain:
		if s.release.id != (groupID{}) && s.release.signed == nil {
			c.Send(s.t.links.signers, &signGroup{s.release.id, s.release.bundles})
		}
	case *executed:
		if m.batch != nil {
			s.core.Hold(m.seq, m.batch)
		}
		s.perform(c, s.core.OnExecuted(m.seq, m.view, m.digest, m.head))
	case *installed:
		s.perform(c, s.core.OnInstalled(m.stable, m.head))
		s.t.quarantine.forget(m.stable.Seq)
		s.announce(c)
	case *viewsWanted:
		c.Send(s.t.links.executor, &viewsBeside{m.seq, *encodeViews(s.core.ViewsBeside(m.seq))})
	case *checkpointReached:
		s.perform(c, s.core.OnCheckpointReached(m.seq, m.state))
	case *certificateArrived:
		s.perform(c, s.core.OnStableCheckpoint(m.checkpoint))
	case *stableDurable:
		s.perform(c, s.core.OnStable(m.checkpoint))
		s.t.quarantine.forget(m.checkpoint.Seq)
		s.announce(c)
	case *statusArrived:
		if !s.answered[m.from] { // whoever asks more than once a heartbeat gets no more
			s.answered[m.from] = true
			s.perform(c, s.core.OnStatus(m.from, m.status))
		}
	case *changeView:
		s.perform(c, s.core.ChangeView(m.view))
	case *enterView:
		s.perform(c, s.core.EnterView(m.newView))
	case *preparedWanted:
		s.perform(c, s.core.OnFetchPrepared(m.from, m.claim))
	case *halt:
		s.core.Halt()
		s.announce(c)
	case *batchWanted:
		s.perform(c, s.core.OnFetchBatch(m.from, m.digests))
	case *suspicion:
		news := s.suspects.view != m.view || s.suspects.kind != m.kind
		if s.suspects = *m; news {
			c.Send(s.t.links.egress, &broadcast{cluster.LaneVotes, s.status()})
		}
	case *greet:
		c.Send(s.t.links.egress, &send{m.peer, cluster.LaneVotes, s.status()})
		s.askAgain(c)
	case *recallWanted:
		s.recall(c, m)
	case *recallArrived:
		s.onRecalled(c, m)
	case *tick:
		s.askAgain(c)
		clear(s.answered)
		clear(s.recalled)
		clear(s.served)
		s.core.Shun(s.t.detector.banned())
		s.perform(c, s.core.OnTick())
		c.Send(s.t.links.egress, &broadcast{cluster.LaneVotes, s.status()})
	case *trackerRestarted:
		for _, e := range s.core.Replay(m.seq) {
			s.toSlot(c, &e)
		}
	default:
		s.onLife(c)
	}
}

// servedBytesPerBeat bounds the batches one member is sent between two
// heartbeats, however often it asks.
const servedBytesPerBeat = 8 << 20

const _ = uint(servedBytesPerBeat/bannedShare - messages.BatchBytesMax) // a banned member gets one

// status is the core's Status with the view-change manager's opinion.
func (s *sequencer) status() *messages.Status {
	st := s.core.Status()
	if s.suspects.view == st.View && !st.Active {
		st.ViewChanges = s.suspects.held
	}
	if s.suspects.kind != 0 && s.suspects.view == st.View {
		st.Suspects, st.Suspicion = s.suspects.view, messages.Suspicion(s.suspects.kind)
	}
	return st
}

// perform does what the core asks for, in order.
func (s *sequencer) perform(c actor.Context, effects []pbft.Effect) {
	s.t.highest.Store(uint64(s.core.Highest()))
	for _, e := range effects {
		switch e := e.(type) {
		case pbft.ToSlot:
			s.toSlot(c, &e)
		case pbft.StopSlot:
			if pid := s.trackers[e.Seq]; pid != nil {
				delete(s.trackers, e.Seq)
				c.Stop(pid)
			}
		case pbft.Flush:
			s.flush(c, e.Group)
		case pbft.Broadcast:
			s.count(e.Bundles)
			for bundles := range slices.Chunk(e.Bundles, messages.FrameBundlesMax) {
				c.Send(s.t.links.egress, &broadcast{cluster.LaneVotes, &messages.Bundles{Bundles: bundles}})
			}
		case pbft.Resend:
			c.Send(s.t.links.egress, &send{e.To, cluster.LaneVotes, &messages.Bundles{Bundles: e.Bundles}})
		case pbft.BroadcastBatch:
			c.Send(s.t.links.egress, &broadcast{cluster.LaneBatches, &messages.BatchBody{Body: e.Batch.Bytes()}})
		case pbft.SendBatch:
			if s.served[e.To] += len(e.Batch.Bytes()); s.served[e.To] > s.t.share(e.To, servedBytesPerBeat) {
				s.t.cfg.Metrics.Dropped("over budget", 1)
				s.t.cfg.Metrics.LimitReached("served_batches")
				continue
			}
			c.Send(s.t.links.egress, &send{e.To, cluster.LaneBatches, &messages.BatchBody{Body: e.Batch.Bytes()}})
		case pbft.FetchBatches:
			c.Send(s.t.links.egress, &send{e.To, cluster.LaneVotes, &messages.FetchBatch{Digests: e.Digests}})
		case pbft.SendStable:
			k := e.Checkpoint
			c.Send(s.t.links.egress, &send{e.To, cluster.LaneVotes, &messages.StableCheckpoint{Seq: k.Seq, Digest: k.Digest, Certificate: k.Bundles}})
		case pbft.BecameStable:
			c.Send(s.t.links.executor, &becameStable{e.Checkpoint})
		case pbft.Moved:
			s.moved(c)
		case pbft.ViewChangeReleased:
			s.left = &viewChangeReleased{e}
			c.Send(s.t.links.viewchange, s.left)
		case pbft.NewViewReleased:
			c.Send(s.t.links.viewchange, &newViewReleased{e.NewView})
		case pbft.SendPrepared:
			s.sendPrepared(c, e)
		case pbft.Proposed:
			s.t.log.Debug().Uint64("seq", uint64(e.Seq)).Stringer("digest", e.Batch.Digest()).Int("vertices", e.Batch.Len()).Msg("proposed")
		case pbft.Refused:
			s.refused(c, e)
		case pbft.Diverged:
			s.diverged(c, e)
		case pbft.Doubled:
			s.doubled(c, e)
		case pbft.Admissible:
			s.admit(c, e)
		}
	}
}

// toSlot passes an event to the tracker of its sequence, made on first sight.
func (s *sequencer) toSlot(c actor.Context, e *pbft.ToSlot) {
	if s.t.quarantine.holds(e.Event) {
		return
	}
	pid := s.trackers[e.Seq]
	if pid == nil {
		produce := incarnations(func(life int) actor.Actor { return newPhaseTracker(s.t, e.Seq, life) })
		var err error
		pid, err = c.SpawnNamed(s.t.props(produce, stopReplica{s.t}), s.trackerName(e.Seq))
		if err != nil {
			s.t.fail(fmt.Errorf("start the tracker of sequence %d: %w", e.Seq, err))
			return
		}
		s.trackers[e.Seq] = pid // not watched: a parent is told anyway, and would be told twice
	}
	c.Send(pid, e)
}

// trackerName names a tracker: phase-<seq>, and another name for the one of a
// sequence that is voted on again, for the first may not have quite ended.
func (s *sequencer) trackerName(seq messages.Seq) string {
	name := "phase-" + itoa(int(seq))
	if seq <= s.core.Executed() {
		s.reopened++
		name += "." + itoa(s.reopened)
	}
	return name
}

// flush has a group made durable and signed side by side. A group without
// records (votes sent again after a restart) needs only the signature.
func (s *sequencer) flush(c actor.Context, group pbft.Group) {
	id := groupID{s.life, group.Number}
	s.release = release{id: id, bundles: group.Bundles, durable: len(group.Records) == 0}
	if !s.release.durable {
		c.Send(s.t.links.journal, &flushGroup{id, group.Records})
	}
	c.Send(s.t.links.signers, &signGroup{id, group.Bundles})
}

func (s *sequencer) tryRelease(c actor.Context) {
	if r := s.release; r.durable && r.signed != nil {
		s.release = release{}
		s.perform(c, s.core.OnReleased(r.signed.bundles, r.signed.votes))
	}
}

// announce tells the others where the sequencer stands now.
func (s *sequencer) announce(c actor.Context) {
	view, st := s.core.View(), s.standing()
	for _, pid := range []*actor.PID{s.t.links.ingress, s.t.links.proposer, s.t.links.viewchange, s.t.links.detector} {
		c.Send(pid, st)
	}
	s.t.cfg.Metrics.SetView(uint64(view))
	s.t.cfg.Metrics.SetLeader(int(st.leader))
	s.t.cfg.Metrics.SetStableCheckpoint(uint64(s.core.StableCheckpoint().Seq))
	s.t.show(s.core)
}

func (s *sequencer) standing() *standing {
	view := s.core.View()
	return &standing{
		life: s.life, view: view, active: s.core.Active(), leader: s.t.schedule.Leader(view), leads: s.core.Leads(), marks: s.core.Marks(),
		certified: s.core.Certified(), settled: s.core.Settled(), underway: s.core.Underway(),
	}
}

// moved says that the view was left or entered. What a restart needs of it goes
// beside the next checkpoint, before any record of it is written, so that no
// checkpoint is ever newer than what stands beside it.
func (s *sequencer) moved(c actor.Context) {
	s.t.views.Store(encodeViews(s.core.ViewRecords()))
	s.announce(c)
	view, name := s.core.View(), s.t.schedule.Leader(s.core.View())
	if s.core.Active() {
		s.t.log.Info().Uint64("view", uint64(view)).Int("leader", int(name)).Msg("view entered")
		s.t.hub.publish(messages.ViewChanged{View: view, Leader: name})
	} else {
		s.t.log.Info().Uint64("view", uint64(view)).Int("leader", int(name)).Msg("changing views")
		s.t.cfg.Metrics.ViewChangeStarted()
	}
	c.Send(s.t.links.egress, &broadcast{cluster.LaneVotes, s.status()})
}

// sendPrepared answers who asked for a prepared certificate: another member, or
// the manager beside.
func (s *sequencer) sendPrepared(c actor.Context, e pbft.SendPrepared) {
	p := leader.Prepared{Claim: e.Proof.Claim, Bundles: e.Proof.Bundles}
	if e.To == s.t.cfg.Self {
		c.Send(s.t.links.viewchange, &preparedArrived{p})
		return
	}
	c.Send(s.t.links.egress, &send{e.To, cluster.LaneViewChange, preparedCertificate(p)})
}

// refused notes a vote that was not let through. Only a leader that signs two
// batches for one place, or one where its NewView had decided, is suspected for
// it.
func (s *sequencer) refused(c actor.Context, e pbft.Refused) {
	s.t.log.Debug().Int("peer", int(e.From)).Stringer("vote", e.Vote).Stringer("reason", e.Refusal).Msg("vote refused")
	s.t.cfg.Metrics.Dropped("refused", 1)
	if e.From != s.t.cfg.Self && (e.Refusal == pbft.OtherDigestAccepted || e.Refusal == pbft.SettledByNewView) {
		c.Send(s.t.links.viewchange, &invalidPrePrepare{e.Vote.View})
	}
}

func (s *sequencer) count(bundles []*messages.Bundle) {
	prepares, commits := 0, 0
	for _, b := range bundles {
		for _, v := range b.Votes {
			switch v.Kind {
			case messages.Prepare:
				prepares++
			case messages.Commit:
				commits++
			}
		}
	}
	s.t.cfg.Metrics.PreparesSent(prepares)
	s.t.cfg.Metrics.CommitsSent(commits)
}

func (s *sequencer) diverged(c actor.Context, e pbft.Diverged) {
	s.t.log.Error().Uint64("seq", uint64(e.Seq)).Stringer("own", e.Own).Stringer("certified", e.Certified).
		Msg("SAFETY ALARM: this replica's state differs from the one a quorum signed; it stops voting and executing and keeps its data")
	s.t.halt("the state differs from a quorum's")
	s.announce(c)
}

func (s *sequencer) doubled(c actor.Context, e pbft.Doubled) {
	s.t.log.Error().Stringer("vote", e.Vote).
		Msg("SAFETY ALARM: a vote signed with this replica's key is not in its record: the key is in use elsewhere, or the folder is an old copy, " +
			"or the disk lost what was flushed; this replica stops voting and executing and keeps its data. Make sure that one replica alone runs with the key")
	s.t.tellKeyElsewhere(e.Vote)
	s.t.halt("a vote signed with this replica's key is not in its record: the key is in use elsewhere, or the folder is an old copy")
	s.announce(c)
}
