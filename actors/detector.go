package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/detector"
	"github.com/cretoai/consensus/messages"
)

// Detector answers questions about the members' conduct, from any goroutine.
// The detector actor is the only one to change it, operators excepted.
type Detector struct {
	mu   sync.Mutex
	core *detector.Detector
}

// IsBanned reports whether this replica has banned a member. A ban takes
// privileges; the member's valid votes count as ever.
func (d *Detector) IsBanned(member messages.Index) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.core.IsBanned(member)
}

// Convicted tells, by member, against whom evidence is held. Alone of all bans
// that is a reason to suspect a leader.
func (d *Detector) Convicted() []bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	convicted := make([]bool, len(d.core.Stats().Members))
	for i := range convicted {
		convicted[i] = d.core.IsConvicted(messages.Index(i))
	}
	return convicted
}

// Reputation is a member's score, 1.0 at first, banned below 0.3.
func (d *Detector) Reputation(member messages.Index) float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.core.Reputation(member)
}

// Stats gives every member's score and what was counted.
func (d *Detector) Stats() detector.Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.core.Stats()
}

// Lift ends a member's ban and clears its record: an operator's decision.
func (d *Detector) Lift(member messages.Index) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.core.Lift(member)
}

// detectorActor is the Byzantine detector around package detector. It sees
// every verified vote and every complaint about a channel.
type detectorActor struct {
	t *Tree
}

func (a *detectorActor) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *verifiedVotes:
		a.observe(m.votes)
	case *misbehaved:
		a.charge(m)
	case *standing:
		a.with(func(d *detector.Detector) { d.Forget(m.marks.Low) })
	case *stableDurable:
		a.with(func(d *detector.Detector) { d.CheckpointStable() })
	case *tick:
		now := a.t.cfg.Clock.Now()
		a.with(func(d *detector.Detector) { d.Decay(now) })
	}
}

func (a *detectorActor) with(f func(*detector.Detector)) {
	a.t.detector.mu.Lock()
	defer a.t.detector.mu.Unlock()
	f(a.t.detector.core)
}

func (a *detectorActor) observe(votes []crypto.Verified[messages.Vote]) {
	var found []detector.Violation
	a.with(func(d *detector.Detector) {
		for _, v := range votes {
			found = append(found, d.Observe(v)...)
		}
	})
	a.report(found)
}

func (a *detectorActor) charge(m *misbehaved) {
	var found []detector.Violation
	a.with(func(d *detector.Detector) {
		switch m.what {
		case sentInvalidSignature:
			found = d.InvalidSignature(m.peer)
		case sentMalformed:
			found = d.Malformed(m.peer)
		case sentOversized:
			found = d.Oversized(m.peer)
		}
	})
	a.report(found)
}

// report tells metrics, log and embedders about violations.
func (a *detectorActor) report(found []detector.Violation) {
	if len(found) == 0 {
		return
	}
	banned := 0
	a.with(func(d *detector.Detector) { banned = d.Stats().Banned })
	a.t.cfg.Metrics.SetBanned(banned)
	for _, v := range found {
		a.t.cfg.Metrics.Violation(v.Type.String())
		a.t.log.Warn().Int("peer", int(v.Member)).Stringer("reason", v.Type).Int("score", v.Score).Bool("banned", v.Banned).Msg("violation")
		a.t.hub.publish(messages.ViolationDetected{Member: v.Member, Type: v.Type.String(), Score: v.Score, Banned: v.Banned})
	}
}
