package sim

import (
	"fmt"
	"math/rand/v2"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// member is one replica through all its lives: its key and its disk stay.
type member struct {
	index   int // of the identity
	slot    int // of the replica: twins are two of one identity
	key     crypto.PrivateKey
	disk    *disk
	clock   runtime.Clock
	process *process // nil while down
	replica *replica.Replica
	events  *actors.Subscription
	lives   int
	last    messages.Seq // the last sequence it reported as finalised in this life
	ending  bool         // it was seen to end by itself
	image   *vfs.MemFS   // the disk when the power was cut, nil before
	// faulty members misbehave, and nothing is expected of them. Their replica is
	// honest as any; what it says and hears goes through byzantine.
	faulty           bool
	away             bool // for long: it is not started when it crashes
	byzantine        *byzantine.Member
	amnesiac, mortal bool
}

// segmentBytes holds the largest group of a run.
const segmentBytes = 256 << 10

// start lets a member live again on what its disk holds.
func (s *simulation) start(m *member) {
	m.lives++
	p := &process{
		member: m.slot, life: m.lives, scheduler: s.scheduler, actors: make(map[string]*mailbox),
		panics: panics{rng: s.rng.panics, tracker: s.faults.TrackerPanics, struck: make(map[string]int)},
	}
	if s.calm {
		p.panics.tracker = 0
	}
	m.process, m.ending = p, false
	s.trace.tell("%v starts", m)
	cfg := replica.DefaultConfig()
	cfg.Genesis, cfg.Key, cfg.Home, cfg.SegmentBytes = s.genesis, m.key, home, segmentBytes
	cfg.LedgerRetain = s.faults.Retain
	cfg.PipelineDepth, cfg.MaxPendingVertices = s.faults.PipelineDepth, s.faults.MaxPending
	// Who forgets everything is told every second time that it never ran before,
	// and votes as if it had not; else it observes, and counts as faulty all the same.
	cfg.FirstStart = !m.amnesiac || m.lives%2 == 1
	s.faults.configure(&cfg)
	if s.cfg.Configure != nil {
		s.cfg.Configure(m.index, &cfg)
	}
	if err := cfg.Validate(); err != nil && s.invalid == nil {
		s.invalid = fmt.Errorf("configure replica %d: %w", m.index, err)
	}
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(s.rng.replicas.Uint64())
	}
	if !s.calm && s.faults.Crashes > 0 && s.rng.faults.IntN(4) == 0 {
		s.cutPowerAtWrite(m) // of its recovery, perhaps
	}
	if s.starting != nil {
		s.starting(m)
	}
	r, err := replica.Start(s.ctx, cfg,
		replica.WithTransport(m.transport(&transport{network: s.network, process: p})),
		replica.WithStorage(m.disk.fs),
		replica.WithClock(m.clock),
		replica.WithScheme(s.scheme),
		replica.WithRand(rand.NewChaCha8(seed)),
		replica.WithStateMachine(&app{oracle: s.oracle, member: m.index}),
		replica.WithRuntime(p.runtime()),
	)
	if err != nil {
		s.expelled(m, "restart", sprint("replica %d does not start: %v", m.index, err))
		return
	}
	m.replica, m.events = r, r.Subscribe(1<<10)
	status := r.Status()
	m.last = status.Sequence
	if m.faulty {
		return
	}
	s.foundDecided(m)
	if agreed := s.oracle.ledger[m.last]; m.last > 0 && agreed.head != status.LedgerHead {
		s.oracle.violated("agreement", "replica %d starts with ledger head %v at sequence %d, others have %v", m.index, status.LedgerHead, m.last, agreed.head)
	}
	s.look(m)
}

// transport is what the member's replica is connected by.
func (m *member) transport(inner cluster.Transport) cluster.Transport {
	if m.byzantine == nil {
		return inner
	}
	return m.byzantine.Transport(inner)
}

// expelled ends a member that cannot go on: a violation, if it was honest.
func (s *simulation) expelled(m *member, property, detail string) {
	if !m.faulty {
		s.oracle.violated(property, "%s", detail)
		return
	}
	s.trace.tell("%s", detail)
	s.scheduler.bury(m.process)
	m.process, m.replica, m.events = nil, nil, nil
}

// look takes what a member reports after one of its steps, and what it has come
// to.
func (s *simulation) look(m *member) {
	for len(m.events.C) > 0 {
		e, open := <-m.events.C
		if !open {
			break
		}
		s.onEvent(m, e)
	}
	if m.process.dead { // its power was cut within the step
		s.bury(m)
		return
	}
	select {
	case <-m.replica.Done():
		s.onEnd(m)
	default:
	}
}

func (s *simulation) onEvent(m *member, e messages.Event) {
	if m.faulty {
		return
	}
	switch e := e.(type) {
	case messages.Finalized:
		if e.Seq != m.last+1 {
			s.oracle.violated("order", "replica %d finalises sequence %d after %d", m.index, e.Seq, m.last)
		}
		m.last = e.Seq
		s.oracle.finalized(m.index, e)
	case messages.StateInstalled:
		if e.Seq <= m.last {
			s.oracle.violated("order", "replica %d installs the state of sequence %d after %d", m.index, e.Seq, m.last)
		}
		m.last = e.Seq
		s.transfers++
		s.oracle.installed(m.index, e)
		s.trace.tell("%v takes over the state of sequence %d", m, e.Seq)
	case messages.Checkpointed:
		s.oracle.checkpoint(m.index, e.Seq, e.Digest)
	case messages.ViewChanged:
		s.oracle.led(m.index, e)
		s.view = max(s.view, e.View)
		s.trace.tell("replica %d enters view %d, led by %d", m.index, e.View, e.Leader)
	case messages.LeaderSuspected:
		s.trace.tell("replica %d suspects the leader of view %d: %q", m.index, e.View, e.Reason)
	case messages.ViolationDetected, messages.MemberBanned, messages.BanEnded, messages.EvidenceFound, messages.InvalidNewViewFound,
		messages.KeyUsedElsewhere:
		s.onConduct(m, e)
	}
}

// onEnd takes the word of a replica that it has failed: after a fault of ours
// it must, at any other time it must not.
func (s *simulation) onEnd(m *member) {
	if m.ending {
		return
	}
	m.ending = true
	err := m.replica.Err()
	if !m.process.panics.expected && !m.faulty {
		s.oracle.violated("no failure", "replica %d ends: %v", m.index, err)
		return
	}
	s.trace.tell("%v ends: %v", m, err)
	p := m.process
	s.afterSteps(s.rng.faults.IntN(60), func() {
		if m.process == p {
			s.crash(m)
		}
	})
}

// crash ends a member's life at once.
func (s *simulation) crash(m *member) {
	m.image = s.lose(m)
	m.process.dead = true
	s.bury(m)
}

// lose is what a crash at this moment leaves of a member's disk.
func (s *simulation) lose(m *member) *vfs.MemFS {
	s.checkRecord(m)
	lose := loss(s.rng.faults.IntN(3))
	s.trace.tell("%v crashes: %v", m, lose)
	return m.disk.crashed(s.rng.faults, lose)
}

// bury clears away a process whose power was cut, and has the member started
// again later.
func (s *simulation) bury(m *member) {
	s.scheduler.bury(m.process)
	m.disk.left = 0
	_ = m.replica.Stop(done) // frees what it holds; what it still writes goes to a disk nobody reads
	if m.amnesiac {
		s.trace.tell("replica %d forgets everything", m.index)
		m.image = vfs.NewCrashableMem()
	}
	m.disk, m.image = newDisk(m.image), nil
	m.process, m.replica, m.events = nil, nil, nil
	if m.mortal {
		s.trace.tell("replica %d is dead", m.index)
		return
	}
	if m.away {
		s.trace.tell("%v stays away", m)
		return
	}
	s.clock.AfterFunc(s.downtime(), func() { s.start(m) })
}

func (m *member) String() string {
	if m.slot != m.index {
		return fmt.Sprintf("the twin of replica %d", m.index)
	}
	return fmt.Sprintf("replica %d", m.index)
}
