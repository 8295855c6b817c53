package actors

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// A replica that finds nothing on its disk, and no word that it may vote, is a
// newcomer: it may be at its first start, or have lost its disk. What it waits for
// is in pbft/newcomer.go. Its folder says so until it may vote, whatever is in it
// by then, and from then on says that. [D4]

// keyVoter is where the state store says which it is.
var keyVoter = []byte("voter")

var (
	voterObserves = []byte{1}
	voterVotes    = []byte{2}
)

// recoverAdmission reads whether this replica observes. A folder of which nothing
// is said yet is new, or an older release's, which votes by what it holds.
func (t *Tree) recoverAdmission(stable messages.Seq) (observing bool, err error) {
	if observing, err = observes(t.cfg.Journal, t.cfg.State, stable); err != nil {
		return false, err
	}
	observing = observing && !t.cfg.FirstStart
	if observing {
		return true, t.say(voterObserves)
	}
	return false, t.say(voterVotes)
}

// observes reads it from a folder, whoever looks into it.
func observes(journal *storage.Journal, state *storage.State, stable messages.Seq) (observing bool, err error) {
	unwritten := len(journal.Segments()) == 0
	said, err := state.Get(keyVoter)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		observing = unwritten && stable == 0
	case err != nil:
		return false, fmt.Errorf("read whether this replica may vote: %w", err)
	default:
		// A voter with a checkpoint has a journal. Without, it was lost, and with it
		// what the replica voted for.
		observing = string(said) != string(voterVotes) || unwritten && stable > 0
	}
	return observing, nil
}

// say makes durable whether this replica may vote.
func (t *Tree) say(what []byte) error {
	if said, err := t.cfg.State.Get(keyVoter); err == nil && string(said) == string(what) {
		return nil
	}
	batch := t.cfg.State.NewBatch()
	batch.Set(keyVoter, what)
	if err := batch.Commit(true); err != nil {
		return fmt.Errorf("write whether this replica may vote: %w", err)
	}
	return nil
}

// Observing says why the replica does not vote yet, if it does not.
func (t *Tree) Observing() (reason string, observing bool) {
	if r := t.observing.Load(); r != nil {
		return *r, true
	}
	return "", false
}

// observe tells why the replica does not vote yet.
func (t *Tree) observe(core *pbft.Sequencer) {
	reason := "its disk, or its journal, was empty: it asks the others whether it has ever voted"
	if checkpoint, above, ok := core.Bounds(); ok {
		reason = fmt.Sprintf("its disk, or its journal, was empty, and it may have voted before: it observes until the checkpoint of sequence %d is stable", checkpoint)
		if above > 0 {
			reason += fmt.Sprintf(" and a view above %d has begun", above)
		}
	}
	t.cfg.Metrics.SetObserving(true)
	if before := t.observing.Swap(&reason); before == nil || *before != reason {
		t.log.Warn().Str("reason", reason).Msg("this replica does not vote yet")
	}
}

// askAgain asks everybody, with every heartbeat and whenever a channel opens.
func (s *sequencer) askAgain(c actor.Context) {
	if s.core.Observing() {
		c.Send(s.t.links.egress, &broadcast{cluster.LaneVotes, &messages.Recall{Instance: s.t.instance}})
	}
}

// recall answers a member that asks.
func (s *sequencer) recall(c actor.Context, m *recallWanted) {
	if s.recalled[m.from] {
		return // whoever asks more than once a heartbeat gets no more
	}
	s.recalled[m.from] = true
	a := s.core.Recall(m.from)
	if m.seen > 0 {
		a.Nothing, a.View = false, max(a.View, m.seen)
	}
	a.View = max(a.View, s.t.peers.view(m.from))
	c.Send(s.t.links.egress, &send{m.from, cluster.LaneVotes, &messages.Recalled{
		Instance: m.recall.Instance, Executed: a.Executed, View: a.View, Nothing: a.Nothing,
	}})
}

func (s *sequencer) onRecalled(c actor.Context, m *recallArrived) {
	if m.recalled.Instance != s.t.instance || !s.core.Observing() {
		return // to an earlier life, or late
	}
	r := m.recalled
	s.perform(c, s.core.OnRecalled(m.from, pbft.Answer{Executed: r.Executed, View: r.View, Nothing: r.Nothing}))
	if s.core.Observing() {
		s.t.observe(s.core)
	}
}

// admit lets this replica vote, once that is durable.
func (s *sequencer) admit(c actor.Context, e pbft.Admissible) {
	if err := s.t.say(voterVotes); err != nil {
		s.t.fail(err)
		return
	}
	s.t.observing.Store(nil)
	s.t.cfg.Metrics.SetObserving(false)
	s.t.log.Info().Bool("fresh", e.Fresh).Msg("this replica votes from now on")
	s.perform(c, s.core.Admit())
	s.announce(c)
}
