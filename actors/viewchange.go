package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/leader"
)

// viewchange is the view-change timer and manager around package leader: it
// judges the leader by its signs of life and by how long vertices wait, and
// tells the others, through Status, what it thinks. A suspicion is soft: it
// ends with its reason, and voting in the view goes on meanwhile.
type viewchange struct {
	t       *Tree
	tracker *leader.Tracker
	timeout *leader.Timeout
	last    leader.Suspicion
}

func newViewchange(t *Tree) *viewchange {
	ceiling := t.cfg.FinalityTimeout
	config := leader.DefaultTimeoutConfig()
	config.Ceiling, config.Floor = ceiling, min(config.Floor, ceiling)
	return &viewchange{
		t:       t,
		tracker: leader.NewTracker(t.cfg.Self, t.n, t.cfg.Heartbeat, t.cfg.Clock.Now()),
		timeout: leader.NewTimeout(config),
	}
}

func (v *viewchange) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *standing:
		v.tracker.Enter(v.t.cfg.Clock.Now(), m.view, true)
	case *statusArrived:
		v.tracker.Heard(v.t.cfg.Clock.Now(), m.from, m.status)
		v.t.peers.heard(m.from, m.status)
	case *tick:
		v.judge(c)
	}
}

// judge forms an opinion and reports a change of it.
func (v *viewchange) judge(c actor.Context) {
	s := v.tracker.Suspect(leader.Observation{
		Now:          v.t.cfg.Clock.Now(),
		OldestVertex: v.t.pool.Oldest(),
		Timeout:      v.timeout.Current(),
		Silence:      v.timeout.Scaled(v.t.cfg.HeartbeatTimeout),
	})
	if s == v.last {
		return
	}
	v.last = s
	v.t.log.Info().Uint64("view", uint64(s.View)).Int("leader", int(v.t.schedule.Leader(s.View))).
		Stringer("reason", s.Reasons).Msg("suspicion changed")
	c.Send(v.t.links.sequencer, &suspicion{s.View, uint8(s.Level())})
}
