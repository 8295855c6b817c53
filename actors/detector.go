package actors

import (
	"fmt"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/detector"
	"github.com/cretoai/consensus/messages"
)

// Detector answers questions about the members' conduct, from any goroutine.
// The detector actor is the only one to change it.
type Detector struct {
	t    *Tree
	mu   sync.Mutex
	core *detector.Detector
}

func newDetector(t *Tree) *Detector {
	return &Detector{t: t, core: detector.New(detector.Config{
		Members: t.n, Epoch: t.cfg.Keyring.Epoch(), Enabled: t.cfg.Detection,
	})}
}

// ask reads or changes the detector under its lock.
func ask[T any](d *Detector, f func(*detector.Detector) T) T {
	d.mu.Lock()
	defer d.mu.Unlock()
	return f(d.core)
}

// IsBanned reports whether this replica has banned a member. A ban takes
// privileges; the member's valid votes count as ever.
func (d *Detector) IsBanned(member messages.Index) bool {
	return ask(d, func(core *detector.Detector) bool { return core.IsBanned(member) })
}

// banned is a bit for each banned member.
func (d *Detector) banned() uint64 {
	return ask(d, func(core *detector.Detector) (mask uint64) {
		for i := range d.t.n {
			if core.IsBanned(messages.Index(i)) {
				mask |= 1 << i
			}
		}
		return mask
	})
}

// bannedShare is the part of this replica's time and bandwidth a banned member
// keeps: enough for its votes, and to catch up slowly.
const bannedShare = 8

// share is what a member gets of something others get whole of.
func (t *Tree) share(member messages.Index, whole int) int {
	if t.detector.IsBanned(member) {
		return whole / bannedShare
	}
	return whole
}

// Convicted tells, by member, against whom evidence is held. Alone of all bans
// that is a reason to suspect a leader.
func (d *Detector) Convicted() []bool {
	return ask(d, func(core *detector.Detector) []bool {
		convicted := make([]bool, d.t.n)
		for i := range convicted {
			convicted[i] = core.IsConvicted(messages.Index(i))
		}
		return convicted
	})
}

// Reputation is a member's score, 1.0 at first, banned below 0.3.
func (d *Detector) Reputation(member messages.Index) float64 {
	return ask(d, func(core *detector.Detector) float64 { return core.Reputation(member) })
}

// Stats gives every member's score and what was counted.
func (d *Detector) Stats() detector.Stats {
	return ask(d, func(core *detector.Detector) detector.Stats { return core.Stats() })
}

// Evidence gives what is held against members: at most one proof for each
// member and kind of vote.
func (d *Detector) Evidence() []*messages.Evidence {
	var list []*messages.Evidence
	for _, e := range ask(d, func(core *detector.Detector) []detector.Evidence { return core.Evidence() }) {
		list = append(list, e.Message())
	}
	return list
}

// wants reports whether evidence is worth judging.
func (d *Detector) wants(e detector.Evidence) bool {
	return ask(d, func(core *detector.Detector) bool { return core.Wants(e) })
}

// differs reports whether the signer of a bundle, to be verified yet, said something
// else before.
func (d *Detector) differs(b *messages.Bundle) bool {
	return ask(d, func(core *detector.Detector) bool { return core.Differs(b) })
}

// Lift ends a member's ban and clears its record, for good: an operator's
// decision. It returns when that is durable, and fails with ErrStopped when the
// replica has stopped.
func (d *Detector) Lift(member messages.Index) error {
	order := &lift{member, make(chan error, 1)}
	d.t.system.Root.Send(d.t.links.detector, order)
	select {
	case err := <-order.done:
		return err
	case <-d.t.done:
		return ErrStopped
	}
}

// lift is an operator's order; done gets one answer.
type lift struct {
	member messages.Index
	done   chan error
}

// evidenceArrived is evidence a peer sent, judged.
type evidenceArrived struct{ proven detector.Proven }

// detectorActor is the Byzantine detector around package detector. It sees
// every verified vote and every complaint about a channel.
type detectorActor struct {
	t      *Tree
	view   messages.View
	beat   time.Time // of the last heartbeat
	halted bool
}

func (a *detectorActor) Receive(c actor.Context) {
	d := a.t.detector
	switch m := c.Message().(type) {
	case *actor.Started:
		a.beat = a.t.cfg.Clock.Now()
		a.judgeAll(c)
	case *verifiedVotes:
		a.report(c, a.observe(m.votes))
		a.openKept(c, m.votes)
	case *evidenceArrived:
		a.report(c, ask(d, func(core *detector.Detector) []detector.Violation { return core.Believe(m.proven) }))
	case *newViewRefused:
		a.onNewViewRefused(c, m)
	case *newViewProven:
		a.report(c, ask(d, func(core *detector.Detector) []detector.Violation { return core.BelieveNewView(m.proven) }))
	case *misbehaved:
		a.report(c, a.charge(m))
	case *standing:
		a.onStanding(c, m)
	case *stableDurable:
		a.bans(ask(d, func(core *detector.Detector) detector.Bans { return core.CheckpointStable() }))
	case *greet:
		a.tellAll(c, m.peer)
	case *lift:
		a.lift(m)
	case *tick:
		a.onTick(c)
	}
}

func (a *detectorActor) observe(votes []crypto.Verified[messages.Vote]) []detector.Violation {
	return ask(a.t.detector, func(core *detector.Detector) (found []detector.Violation) {
		for _, v := range votes {
			found = append(found, core.Observe(v)...)
		}
		return found
	})
}

// openKept verifies what was spared and is contradicted by votes that were observed.
func (a *detectorActor) openKept(c actor.Context, votes []crypto.Verified[messages.Vote]) {
	for bundle := range bundlesOf(votes) {
		for _, kept := range a.t.unopened.contradicting(bundle) {
			opened, err := a.t.cfg.Keyring.Open(kept)
			if err != nil {
				a.report(c, a.charge(&misbehaved{kept.From, sentInvalidSignature}))
				continue
			}
			a.report(c, a.observe(opened))
		}
	}
}

func (a *detectorActor) charge(m *misbehaved) []detector.Violation {
	return ask(a.t.detector, func(core *detector.Detector) []detector.Violation {
		switch m.what {
		case sentInvalidSignature:
			return core.InvalidSignature(m.peer)
		case sentMalformed:
			return core.Malformed(m.peer)
		case sentOversized:
			return core.Oversized(m.peer)
		case sentFlood:
			return core.Flooding(m.peer)
		case sentWrongState:
			return core.ProtocolViolation(m.peer)
		case wasLate:
			return core.TimeoutViolation(m.peer)
		case wasSilent:
			return core.NonParticipation(m.peer)
		}
		panic(fmt.Sprintf("misbehaviour %d is none", m.what))
	})
}

// onStanding forgets votes below a stable checkpoint, and notes that a leader
// was replaced: it was too slow for a quorum, or the network was. [E5]
func (a *detectorActor) onStanding(c actor.Context, m *standing) {
	ask(a.t.detector, func(core *detector.Detector) bool { core.Forget(m.marks.Low); return true })
	if m.view <= a.view {
		return
	}
	leader := a.t.schedule.Leader(a.view)
	a.view = m.view
	if leader != a.t.cfg.Self {
		a.report(c, a.charge(&misbehaved{leader, wasLate}))
	}
}

// silenceMax is how many times the silence that makes a leader suspect makes a
// member one that takes no part.
const silenceMax = 10

// onTick lets suspicions fade and notes who was not heard of for long. A replica
// that was itself late heard nobody meanwhile: that is not their doing. [E5, L6]
func (a *detectorActor) onTick(c actor.Context) {
	now := a.t.cfg.Clock.Now()
	ask(a.t.detector, func(core *detector.Detector) bool { core.Decay(now); return true })
	late := now.Sub(a.beat) > a.t.cfg.HeartbeatTimeout
	a.beat = now
	for _, silent := range a.t.peers.silent(now, silenceMax*a.t.cfg.HeartbeatTimeout, late) {
		a.report(c, a.charge(&misbehaved{silent, wasSilent}))
	}
}

// report tells disk, peers, metrics, log and embedders about violations. What
// convicts is durable before anyone is told.
func (a *detectorActor) report(c actor.Context, found []detector.Violation) {
	for _, v := range found {
		a.t.cfg.Metrics.Violation(v.Type.String())
		if v.Type.Class() == detector.SuspicionOnly {
			a.t.log.Debug().Int("peer", int(v.Member)).Stringer("reason", v.Type).Int("score", v.Score).Msg("suspicion")
		} else if e := a.t.peerLog.warn(v.Member, v.Type.String()); e != nil {
			e.Stringer("class", v.Type.Class()).Int("score", v.Score).Bool("banned", v.Banned).Msg("violation")
		}
		a.t.hub.publish(messages.ViolationDetected{Member: v.Member, Type: v.Type.String(), Score: v.Score, Banned: v.Banned})
		if v.Evidence != nil {
			a.convicted(c, *v.Evidence)
			a.judgeAll(c)
		}
		if v.NewView.Valid() {
			a.convictedOfNewView(c, v.NewView)
			a.judgeAll(c)
		}
		a.bans(v.Bans)
	}
}

// bans tells of bans that began or ended.
func (a *detectorActor) bans(changes detector.Bans) {
	if len(changes.Added)+len(changes.Ended) == 0 {
		return
	}
	stats := a.t.detector.Stats()
	a.t.cfg.Metrics.SetBanned(stats.Banned)
	for _, id := range changes.Added {
		m := stats.Members[id]
		a.t.log.Warn().Int("peer", int(id)).Int("score", m.Score).Bool("convicted", m.Convicted).
			Msg("member banned: it loses privileges, its votes count")
		a.t.hub.publish(messages.MemberBanned{Member: id, Score: m.Score, Convicted: m.Convicted})
	}
	for _, id := range changes.Ended {
		a.t.log.Info().Int("peer", int(id)).Int("score", stats.Members[id].Score).Msg("ban ended")
		a.t.hub.publish(messages.BanEnded{Member: id, Score: stats.Members[id].Score})
	}
}

// judgeAll stops voting and executing when more members are convicted than may
// be faulty: nothing that was promised holds any more. The replica stays up, for
// the evidence to be read and, if that is the answer, pardons to be given.
func (a *detectorActor) judgeAll(c actor.Context) {
	stats := a.t.detector.Stats()
	a.t.cfg.Metrics.SetBanned(stats.Banned)
	if a.halted || !stats.TooManyConvicted() {
		return
	}
	a.halted = true
	reason := fmt.Sprintf("%d members are convicted of lies, %d may be faulty", stats.Convicted, messages.MaxFaulty(a.t.n))
	a.t.log.Error().Str("reason", reason).
		Msg("SAFETY ALARM: this replica stops voting and executing and keeps its data; read the evidence, and restart it after pardons")
	a.t.halt(reason)
	c.Send(a.t.links.sequencer, &halt{})
}
