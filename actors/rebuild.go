package actors

import (
	"fmt"
	"maps"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/pbft"
)

// How a sequencer comes back from a panic: as the replica does from a crash. Its
// memory was the voter's, and a voter that forgot would vote twice. So a new one
// asks the journal, which is done with everything it was sent before when it
// takes the question; the journal passes it on to the executor, which answers
// with what it executed above the stable checkpoint; and then the sequencer
// reads the disk, by the code that a start does. Nothing its predecessor granted
// can leave any more but what the disk holds: groups carry the life that made
// them. Until then it takes part in nothing; Status brings again what it misses.
// [D1, D5]

// awaitRebuilt is all a sequencer without a memory does.
func (s *sequencer) awaitRebuilt(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started, *executorRestarted:
		c.Send(s.t.links.journal, &rebuild{s.life})
	case *proposal:
		c.Send(s.t.links.proposer, &proposalRefused{m.batch})
	case *rebuilt:
		if m.life == s.life {
			s.rebuild(c, m)
		}
	case *actor.Restarting, *actor.Stopping:
		s.ending = true
	}
}

// rebuild reads the disk and takes part again.
func (s *sequencer) rebuild(c actor.Context, m *rebuilt) {
	core, effects, err := s.t.rebuildCore(m)
	if err != nil {
		s.t.fail(fmt.Errorf("rebuild the sequencer: %w", err))
		return
	}
	s.core, s.t.recovered = core, nil
	s.keepViews(c)
	s.t.log.Info().Uint64("view", uint64(core.View())).Uint64("stable", uint64(core.StableCheckpoint().Seq)).
		Uint64("executed", uint64(core.Executed())).Msg("sequencer rebuilt from disk")
	s.resume(c, effects)
	c.Send(s.t.links.egress, &broadcast{cluster.LaneVotes, s.status()})
}

// resume takes up the work, with what a start or a rebuilding left to do.
func (s *sequencer) resume(c actor.Context, effects []pbft.Effect) {
	s.tellViews(c)
	s.perform(c, effects)
	s.announce(c)
}

// keepViews has what a restart needs to know of views written with the next
// checkpoint. While there was no sequencer to know it, none was.
func (s *sequencer) keepViews(c actor.Context) {
	s.t.views.Store(encodeViews(s.core.ViewRecords()))
	c.Send(s.t.links.executor, &rebuildDone{})
}

// tellViews lets a new view-change manager begin, whoever lost the old one. What
// the old one suspected ends with it.
func (s *sequencer) tellViews(c actor.Context) {
	s.suspects = suspicion{}
	standing := leader.Standing{View: s.core.View(), Active: s.core.Active(), Stable: s.core.Certified()}
	left := s.left
	if left != nil && (standing.Active || left.released.Body.View != standing.View) {
		left = nil
	}
	c.Send(s.t.links.viewchange, &viewState{standing, s.core.Entered(), left})
}

// onLife handles what comes of the lives and deaths of actors, the own included.
func (s *sequencer) onLife(c actor.Context) {
	switch m := c.Message().(type) {
	case *standingWanted:
		if m.who.Equal(s.t.links.viewchange) {
			s.tellViews(c)
		}
		c.Send(m.who, s.standing())
	case *executorRestarted:
		for _, seq := range slices.Sorted(maps.Keys(s.trackers)) {
			c.Send(s.trackers[seq], &reportAgain{})
		}
		s.perform(c, s.core.ReportAgain())
	case *rebuilt: // asked for twice; the executor waits again
		s.keepViews(c)
	case *actor.Restarting, *actor.Stopping:
		s.ending = true
	case *actor.Terminated:
		s.onTerminated(m)
	}
}

// onTerminated notices a tracker that ended without having been told to.
func (s *sequencer) onTerminated(m *actor.Terminated) {
	for seq, pid := range s.trackers {
		if pid.Equal(m.Who) {
			delete(s.trackers, seq)
			s.t.fail(errTrackerGone(seq))
		}
	}
}

// rebuildCore makes the sequencer's core from disk, and from what was executed
// above the checkpoint that is stable there.
func (t *Tree) rebuildCore(m *rebuilt) (*pbft.Sequencer, []pbft.Effect, error) {
	stable, err := recoverStable(t.cfg.State)
	if err != nil {
		return nil, nil, err
	}
	replay, err := t.replay(stable.Seq)
	if err != nil {
		return nil, nil, err
	}
	t.quorums.reset() // the votes that made them are lost
	core, effects, err := t.standUp(stable, m.head, replay, m.executed, m.states)
	if err == nil {
		if _, halted := t.Halted(); halted {
			core.Halt()
		}
		if _, observing := t.Observing(); observing {
			core.Observe()
		}
	}
	return core, effects, err
}
