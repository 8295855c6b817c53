package sim

import (
	"time"

	"github.com/cretoai/consensus/messages"
)

// deferred runs after a number of steps from now.
type deferred struct {
	at int
	f  func()
}

// afterSteps has f called between two steps, so many from now.
func (s *simulation) afterSteps(n int, f func()) {
	s.deferred = append(s.deferred, deferred{s.scheduler.steps + n, f})
}

func (s *simulation) runDeferred() {
	for i := 0; i < len(s.deferred); i++ {
		if d := s.deferred[i]; s.scheduler.steps >= d.at {
			s.deferred = append(s.deferred[:i], s.deferred[i+1:]...)
			i--
			d.f()
		}
	}
}

// every does something again and again until the faults stop, a mean time
// apart. A mean of 0 is never.
func (s *simulation) every(mean time.Duration, f func()) {
	if mean == 0 || s.calm {
		return
	}
	s.clock.AfterFunc(mean/2+time.Duration(s.rng.faults.Int64N(int64(mean))), func() {
		if !s.calm {
			f()
			s.every(mean, f)
		}
	})
}

// unleash starts what the swarm has drawn.
func (s *simulation) unleash() {
	s.every(s.faults.Partitions, s.partition)
	s.every(s.faults.Crashes, s.cutPower)
	s.every(s.faults.WriteFailures, s.failWrite)
	s.every(s.faults.Panics, s.panicSomeone)
	s.every(s.faults.Pauses, s.pauseSomeone)
	s.every(s.faults.Blackouts, s.blackout)
	if s.faults.Absent {
		s.clock.AfterFunc(absentFrom, s.absent)
	}
}

// victim is a member that is up and in no trouble yet; the leader more often
// than others, nil if there is none.
func (s *simulation) victim() *member {
	m := s.members[s.rng.faults.IntN(len(s.members))]
	if s.rng.faults.IntN(3) == 0 {
		m = s.members[0]
	}
	if m.process == nil || m.ending || m.disk.left > 0 || m.process.panics.expected || m.process.panics.target != "" {
		return nil
	}
	return m
}

// cutPower crashes a member after some steps or before some write.
func (s *simulation) cutPower() {
	m := s.victim()
	if m == nil {
		return
	}
	p := m.process
	if s.rng.faults.IntN(2) == 0 {
		s.afterSteps(s.rng.faults.IntN(200), func() {
			if m.process == p && !p.dead && !s.calm {
				s.crash(m)
			}
		})
		return
	}
	s.cutPowerAtWrite(m)
}

// cutPowerAtWrite crashes a member before one of its next writes to the journal:
// what it does in the rest of that step goes nowhere.
func (s *simulation) cutPowerAtWrite(m *member) {
	p := m.process
	m.disk.arm(1+s.rng.faults.IntN(20), func() error {
		m.image, p.dead = s.lose(m), true
		return nil
	})
}

// failWrite makes a write, a flush or a new file of the journal fail: the
// replica has to stop by itself.
func (s *simulation) failWrite() {
	m := s.victim()
	if m == nil {
		return
	}
	p := m.process
	m.disk.arm(1+s.rng.faults.IntN(20), func() error {
		s.trace.tell("a write of replica %d fails", m.index)
		p.panics.expected = true
		return errInjected
	})
}

// panicking are the actors that panic now and then, the trackers aside.
var panicking = []string{
	"journal", "preparer", "checkpointer", "signers", "signers/signer-*", "egress", "ingress", "sequencer", "proposer",
	"executor", "viewchange", "detector", "sync",
}

// fatal is the one whose panic ends a replica. All others live on.
const fatal = "journal"

func (s *simulation) panicSomeone() {
	if m := s.victim(); m != nil {
		m.process.panics.target = panicking[s.rng.faults.IntN(len(panicking))]
		s.trace.tell("actor %s of replica %d will panic", m.process.panics.target, m.index)
	}
}

// absentFrom is when a member goes away, absentPoll how often it is asked whether
// it may come back, and absentMax how long it stays away at most.
const (
	absentFrom = 300 * time.Millisecond
	absentPoll = 50 * time.Millisecond
	absentMax  = 5 * time.Second
)

// absent takes a member away until the others have gone on for so long that their
// ledgers begin above where it stopped.
func (s *simulation) absent() {
	m := s.members[s.rng.faults.IntN(len(s.members))]
	if m.faulty || m.process == nil || m.ending || m.process.dead {
		if !s.calm {
			s.clock.AfterFunc(absentPoll, s.absent)
		}
		return
	}
	stopped, since := m.last, s.clock.Now()
	m.away = true
	s.crash(m)
	var back func()
	back = func() {
		if enough := stopped + 6*s.genesis.Params.SnapshotInterval; messages.Seq(len(s.oracle.ledger)) < enough && !s.calm && s.clock.Now().Sub(since) < absentMax {
			s.clock.AfterFunc(absentPoll, back)
			return
		}
		m.away = false
		s.start(m)
	}
	s.clock.AfterFunc(absentPoll, back)
}

// pauseSomeone has a replica stand still for a while, as on a machine that does
// something else.
func (s *simulation) pauseSomeone() {
	m := s.victim()
	if m == nil {
		return
	}
	p := m.process
	s.trace.tell("%v stands still", m)
	p.pause(true)
	s.clock.AfterFunc(time.Duration(s.rng.faults.Int64N(int64(time.Second))), func() {
		if p.paused {
			s.trace.tell("%v goes on", m)
			p.pause(false)
		}
	})
}

// partition cuts links for a while.
func (s *simulation) partition() {
	group := make([]int, len(s.members))
	for i := range group {
		group[i] = s.rng.faults.IntN(2)
	}
	if s.rng.faults.IntN(3) == 0 { // one alone
		clear(group)
		group[s.rng.faults.IntN(len(group))] = 1
	}
	oneWay, noticed := s.rng.faults.IntN(3) == 0, s.rng.faults.IntN(2) == 0
	s.trace.tell("the network splits into %v, one way: %v, noticed: %v", group, oneWay, noticed)
	s.network.cutOff(group, oneWay, noticed)
	s.clock.AfterFunc(100*time.Millisecond+time.Duration(s.rng.faults.Int64N(int64(2*time.Second))), func() {
		s.trace.tell("the network heals")
		s.network.heal()
	})
}

// downtime is how long a member stays down.
func (s *simulation) downtime() time.Duration {
	if s.calm {
		return 100 * time.Millisecond
	}
	return time.Duration(s.rng.faults.Int64N(int64(800 * time.Millisecond)))
}

// stopFaults begins the second phase: the network is whole, disks and actors
// work, and whoever is down comes back.
func (s *simulation) stopFaults() {
	s.calm, s.network.calm = true, true
	s.network.heal()
	s.scheduler.hurry, s.scheduler.lazy = 0, ""
	for _, m := range s.members {
		m.disk.left = 0
		if m.mortal {
			s.strike(m)
		}
		if m.process != nil {
			m.process.panics.target, m.process.panics.tracker = "", 0
			m.process.pause(false)
		}
	}
	s.trace.tell("the faults stop")
	s.deadline = s.clock.Now().Add(s.recovery())
	if !s.spoken {
		s.deadline = s.deadline.Add(silenceMax)
		s.endSilence()
	}
}

// settled reports what is left to do before the run may end, "" if nothing.
func (s *simulation) unsettled() string {
	if !s.spoken || s.load.left > 0 {
		return "the clients have not proposed everything"
	}
	if owed, first := s.load.owed(); owed > 0 {
		return sprint("%d of %d vertices are not final, such as %v", owed, len(s.load.vertices), first)
	}
	interval := s.genesis.Params.CheckpointInterval
	var seq messages.Seq
	var head messages.Digest
	first := true
	for _, m := range s.members {
		if m.faulty {
			continue
		}
		if m.process == nil || m.ending {
			return sprint("%v is down", m)
		}
		st := m.replica.Status()
		if first {
			first, seq, head = false, st.Sequence, st.LedgerHead
		}
		switch {
		case st.Halted != "":
			s.oracle.violated("no failure", "%v stops executing: %s", m, st.Halted)
		case st.Sequence != seq:
			return sprint("%v is at sequence %d, another at %d", m, st.Sequence, seq)
		case st.LedgerHead != head:
			s.oracle.violated("agreement", "%v ends with ledger head %v, another with %v", m, st.LedgerHead, head)
		case st.StableCheckpoint != seq-seq%interval:
			return sprint("%v has its stable checkpoint at %d, of %d sequences", m, st.StableCheckpoint, seq)
		}
	}
	return ""
}

// tellStanding says where every member is, when nothing moves any more.
func (s *simulation) tellStanding() {
	for _, m := range s.members {
		if m.process == nil || m.replica == nil {
			s.trace.remark(sprint("%v is down", m))
			continue
		}
		st := m.replica.Status()
		s.trace.remark(sprint("%v is in view %d (active: %v), at sequence %d of %d, stable %d, %d vertices pending",
			m, st.View, st.Active, st.Sequence, st.HighestSequence, st.StableCheckpoint, st.Pending))
	}
}
