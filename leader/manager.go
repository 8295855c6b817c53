package leader

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// ManagerConfig is what the Manager needs to know of the chain and the replica.
type ManagerConfig struct {
	Self   messages.Index
	N      int
	Quorum int          // messages.Quorum(N)
	Window messages.Seq // L
	// Optimistic: the chain is in optimistic mode.
	Optimistic bool
	Timeout    TimeoutConfig
	// Heartbeat is the time between two Status of a member, default 100 ms.
	Heartbeat time.Duration
	// HeartbeatTimeout is how long a leader may be silent before it is suspected,
	// default 400 ms. Below two heartbeats, one lost Status suspects.
	HeartbeatTimeout time.Duration
}

// Manager decides when a view is left, what the next one takes over, and which
// NewView may be entered. The voter owns the view: the Manager asks, and learns by
// OnStanding what became of it. It is not safe for concurrent use.
//
// Everything it is given was verified. Each method takes one input and returns
// what is to be done, in order.
type Manager struct {
	cfg      ManagerConfig
	rules    Rules
	schedule Schedule
	tracker  *Tracker
	timeout  *Timeout
	finality *finality

	standing  Standing
	certified pbft.StableCheckpoint // the highest certificate that came with anything
	load      Load
	asked     messages.View // asked to change to since the last heartbeat
	told      Suspects
	timer     newViewTimer
	ticked    time.Time // the last heartbeat
	calm      time.Time // since when no vertex has waited longer than the base timeout
	halted    bool

	own       *ViewChange // the highest of this replica's that was released
	collected *collection
	exams     []*examination // by leader
	prepared  map[messages.Claim]Prepared
	wanted    []messages.Claim // by the own plan
	replan    bool             // something new may decide it

	built   *EnterView // the own NewView, decided once
	proved  *EnterView // the highest of others, not entered yet
	entered *EnterView // the one of the active view or the last

	peers []peerView
	out   []Effect
}

// NewManager begins in view 0, which is active. Resume takes it elsewhere.
func NewManager(cfg ManagerConfig, now time.Time) *Manager {
	if cfg.Quorum != messages.Quorum(cfg.N) {
		panic(fmt.Sprintf("a quorum of %d members is not %d", cfg.N, cfg.Quorum))
	}
	return &Manager{
		cfg:       cfg,
		rules:     Rules{Members: cfg.N, Quorum: cfg.Quorum, Window: cfg.Window, Optimistic: cfg.Optimistic},
		schedule:  NewSchedule(cfg.N),
		tracker:   NewTracker(cfg.Self, cfg.N, cfg.Heartbeat, now),
		timeout:   NewTimeout(cfg.Timeout),
		finality:  newFinality(cfg.N),
		standing:  Standing{Active: true},
		collected: newCollection(cfg.N),
		exams:     make([]*examination, cfg.N),
		prepared:  make(map[messages.Claim]Prepared),
		peers:     make([]peerView, cfg.N),
	}
}

// Resume takes up after a restart what the journal held: where the voter stands,
// the own ViewChange for that view, if it is signed, and the NewView of the last
// view entered with what it rests on. They are resent as they were: nothing is
// rebuilt. What has to be signed again comes by OnViewChange and OnNewView. [V7]
func (m *Manager) Resume(now time.Time, standing Standing, own *ViewChange, nv *NewView, s []ViewChange, marks []Prepared) {
	m.standing, m.certified, m.replan = standing, standing.Stable, true
	m.tracker.Enter(now, standing.View, standing.Active)
	m.collected.aim(m.target())
	if own != nil {
		m.own = own
		m.collected.add(own)
	}
	if nv != nil {
		m.entered = &EnterView{*nv, s, marks}
	}
}

// Seen is the view of the highest ViewChange that ever came from a member.
func (m *Manager) Seen(member messages.Index) messages.View {
	if int(member) >= len(m.collected.members) {
		return 0
	}
	return m.collected.members[member].seen
}

// OnHalted ends everything after a safety alarm: a replica that contradicted a
// certificate changes no view and helps nobody to.
func (m *Manager) OnHalted() { m.halted = true }

// Timeout is the present view's timeout, without jitter.
func (m *Manager) Timeout() time.Duration { return m.timeout.Current() }

// target is the view whose ViewChanges matter most: the pending one, or the next.
func (m *Manager) target() messages.View {
	if m.standing.Active {
		return m.standing.View + 1
	}
	return m.standing.View
}

// OnStanding takes the voter's word on where it stands now: it left for a view,
// entered one, or has a new stable checkpoint.
func (m *Manager) OnStanding(now time.Time, s Standing) []Effect {
	if m.halted || s.View < m.standing.View || s.View == m.standing.View && m.standing.Active && !s.Active {
		return nil // said before something that is known already
	}
	before := m.standing
	m.standing = s
	m.learn(s.Stable)
	if s.View != before.View || s.Active != before.Active {
		m.moved(now, before)
	}
	m.progress(now)
	return m.take()
}

// moved follows the voter to another view, or into the pending one.
func (m *Manager) moved(now time.Time, before Standing) {
	view := m.standing.View
	if view > before.View {
		// Whatever the reason: it did not last. Who only came late to a change of
		// views counts one failure, however many views passed. [L1]
		m.timeout.Failed()
		m.timeout.Measured(m.finality.p99(m.schedule.Leader(view)))
		m.timer.stop()
		m.wanted = nil
	}
	m.replan = true
	m.load.OldestVertex = 0 // vertex timers start anew with the view
	m.calm = now
	m.tracker.Enter(now, view, m.standing.Active)
	m.collected.aim(m.target())
	for _, e := range [2]*EnterView{m.built, m.proved} {
		if m.standing.Active && e != nil && e.NewView.Body.View == view {
			m.entered = e
		}
	}
	if m.built != nil && !m.enterable(m.built.NewView.Body.View) {
		m.built = nil
	}
	if m.proved != nil && !m.enterable(m.proved.NewView.Body.View) {
		m.proved = nil
	}
	if m.standing.Active {
		m.timer.stop()
		m.wanted = nil
	}
	m.dropExaminations()
}

// learn keeps the highest verified certificate of a checkpoint.
func (m *Manager) learn(c pbft.StableCheckpoint) {
	if c.Seq > m.certified.Seq {
		m.certified, m.replan = c, true
	}
}

// OnTick is a heartbeat. What was asked for and not answered is asked again.
func (m *Manager) OnTick(now time.Time, load Load) []Effect {
	if m.halted {
		return nil
	}
	m.load, m.asked, m.ticked = load, 0, now
	if load.OldestVertex > m.timeout.Base() {
		m.calm = now
	}
	for i := range m.peers {
		m.peers[i].served = 0
	}
	for _, ex := range m.exams {
		if ex != nil && !ex.refused {
			m.ask(ex)
		}
	}
	for _, e := range [2]*EnterView{m.built, m.proved} {
		if e != nil {
			m.emit(*e)
		}
	}
	m.progress(now)
	m.askClaimants(m.wanted)
	return m.take()
}

// WantsViewChange says whether a ViewChange is worth verifying. from is its
// bundle's. [H6]
func (m *Manager) WantsViewChange(from messages.Index, view messages.View, digest messages.Digest) bool {
	if m.halted || from == m.cfg.Self || int(from) >= m.cfg.N {
		return false
	}
	for _, ex := range m.exams {
		if ex != nil && !ex.refused && ex.view() == view && ex.place(from, digest) >= 0 {
			return true
		}
	}
	return m.collected.wants(from, view)
}

// OnViewChange takes a verified ViewChange of another member, or the own one when
// it may be sent.
func (m *Manager) OnViewChange(now time.Time, vc ViewChange) []Effect {
	if m.halted || int(vc.From) >= m.cfg.N {
		return nil
	}
	if vc.From == m.cfg.Self {
		m.released(now, &vc)
	}
	for _, ex := range m.exams {
		if ex == nil || ex.refused || ex.view() != vc.Body.View {
			continue
		}
		if i := ex.place(vc.From, vc.digest()); i >= 0 {
			ex.parts[i] = &vc // even an invalid one: it shows that the NewView is, too
		}
	}
	if CheckViewChange(vc.Body, m.cfg.Window) == nil {
		m.tracker.Asked(vc.From, vc.Body.View)
		m.collected.add(&vc)
		m.replan = true
		m.learn(vc.Stable)
	}
	m.progress(now)
	return m.take()
}

// released broadcasts the own ViewChange, as it was recorded. [V7]
func (m *Manager) released(now time.Time, vc *ViewChange) {
	if m.own != nil && m.own.Body.View >= vc.Body.View {
		return
	}
	m.own = vc
	for i := range m.peers {
		m.peers[i].viewChange = resend{at: now}
	}
	m.emit(BroadcastViewChange{*vc})
}

// OnPrepared takes a verified prepared certificate that was asked for.
func (m *Manager) OnPrepared(now time.Time, p Prepared) []Effect {
	if m.halted || !m.WantsPrepared(p.Claim) {
		return nil
	}
	m.prepared[p.Claim], m.replan = p, true
	m.progress(now)
	return m.take()
}

// WantsPrepared reports whether a claim's certificate is of use: to the own plan,
// or for a NewView that marks it.
func (m *Manager) WantsPrepared(c messages.Claim) bool {
	if slices.Contains(m.wanted, c) {
		return true
	}
	for _, ex := range m.exams {
		if ex != nil && !ex.refused && slices.Contains(ex.nv.Body.Marks, c) {
			return true
		}
	}
	return false
}

// OnInvalidPrePrepare notes that the leader of a view signed a pre-prepare that no
// correct leader would.
func (m *Manager) OnInvalidPrePrepare(now time.Time, view messages.View) []Effect {
	if m.halted {
		return nil
	}
	m.tracker.Hold(view, InvalidPrePrepare)
	m.progress(now)
	return m.take()
}

// OnExecuted notes that a batch was executed. took is how long its vertices waited
// for it, zero if that was not measured.
func (m *Manager) OnExecuted(p Progress, took time.Duration) {
	if p.Proposed && took > 0 {
		m.finality.add(m.schedule.Leader(m.standing.View), took)
	}
	// Vertex timers begin anew with every view, so that at its beginning nothing
	// looks late. A cluster that is slower than the base timeout would fall back to
	// it after each change of views, and so go on changing for ever. [L2]
	if m.ticked.Sub(m.calm) >= m.timeout.Current() {
		m.timeout.Executed(p)
	}
}

// progress draws all conclusions that what is known now allows.
func (m *Manager) progress(now time.Time) {
	m.judgeNewViews()
	m.build()
	m.judgeLeader(now)
}

// judgeLeader says whom this replica suspects, and leaves its view when a quorum
// suspects it or enough members ask for higher ones. [H1, H7]
func (m *Manager) judgeLeader(now time.Time) {
	view := m.standing.View
	if !m.standing.Active {
		if m.collected.reached() >= m.cfg.Quorum {
			m.timer.start(now, m.timeout.Jittered(jitter(m.cfg.Self, view)))
		}
		if m.timer.expired(now) {
			m.tracker.Hold(view, NewViewOverdue)
		}
	}
	s := m.tracker.Suspect(Observation{
		Now: now, OldestVertex: m.load.OldestVertex, Timeout: m.timeout.Current(),
		Silence: m.timeout.Scaled(m.cfg.HeartbeatTimeout), Convicted: m.convicted(m.schedule.Leader(view)),
	})
	m.tell(s)
	if view == math.MaxUint64 {
		return
	}
	if joined, ok := m.collected.join(view, messages.Weak(m.cfg.N)); ok {
		m.change(joined, "asked for by f+1 members")
	}
	if counts := m.tracker.Counts(now, view); counts.All() >= m.cfg.Quorum && view >= m.asked {
		m.change(view+1, fmt.Sprintf("%d own, %d amplified suspicions, %d left; own: %v", counts.Own, counts.Amplified, counts.Hard, s.Reasons))
	}
}

func (m *Manager) convicted(member messages.Index) bool {
	return int(member) < len(m.load.Convicted) && m.load.Convicted[member]
}

func (m *Manager) tell(s Suspicion) {
	told := Suspects{Suspicion: s}
	if !m.standing.Active {
		told.Held = m.collected.held()
	}
	if told != m.told {
		m.told = told
		m.emit(told)
	}
}

func (m *Manager) change(view messages.View, reason string) {
	if view > m.asked {
		m.asked = view
		m.emit(ChangeView{view, reason})
	}
}

func (m *Manager) emit(e Effect) { m.out = append(m.out, e) }

func (m *Manager) take() []Effect {
	out := m.out
	m.out = nil
	return out
}
