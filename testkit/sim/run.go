package sim

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// Bounds of a run: how long the cluster may take, in its own time, to finalise
// everything and be of one mind once the faults have stopped, how long there
// are faults at least, and how many steps a run may take, which only one that
// goes round in circles does.
const (
	recoveryMax = 30 * time.Second
	// recoverySlow is that on a network slower than the first timeouts: what waits
	// is finalised a batch a second there, and the last timeouts are long.
	recoverySlow = 2 * time.Minute
	// leaderlessMax is how long a run goes on of which no progress is expected.
	leaderlessMax = 2 * time.Second
	// faultyMax is how long there are faults at most for want of events.
	faultyMax    = 10 * time.Second
	faultyMin    = 3 * time.Second
	proposalMean = 50 * time.Millisecond
	retryPeriod  = 300 * time.Millisecond
	stepsMax     = 5_000_000
)

// EventfulSequences, a view change and a crash make a run eventful: one that had
// the chance to find something.
const EventfulSequences = 20

// Eventful reports whether the run was.
func (r *Result) Eventful() bool {
	return r.Sequences >= EventfulSequences && r.View > 0 && r.Crashes > 0
}

// Result is what came of a run.
type Result struct {
	Seed     uint64
	Replicas int
	Faults   Faults
	// Hash covers every step and every frame: runs of one seed have the same.
	Hash [32]byte
	// Err is the first property that was violated, a *Violation; nil if none. The run
	// ends there.
	Err error
	// Story is the end of what was done to the cluster and what came of it, one line
	// each, with the cluster's time.
	Story []string

	Steps     int           // messages handled by actors
	Time      time.Duration // in the cluster
	Sequences messages.Seq  // finalised
	Vertices  int           // proposed
	Crashes   int           // of replicas
	Transfers int           // of whole states
	View      messages.View // the highest any honest replica entered
	// Charges counts what honest replicas charged misbehaving members with.
	Charges map[string]int
}

// simulation is one run.
type simulation struct {
	cfg       Config
	faults    Faults
	ctx       context.Context
	genesis   *messages.Genesis
	keyring   *crypto.Keyring
	scheme    crypto.Scheme
	clock     *runtime.Virtual
	scheduler *scheduler
	network   *network
	trace     *trace
	oracle    *oracle
	load      *load
	members   []*member
	deferred  []deferred
	view      messages.View
	charges   map[string]int
	transfers int           // of states
	forced    bool          // a crash, for want of one
	played    bool          // the script is over
	starting  func(*member) // of tests, before a life begins; nil for none
	invalid   error         // what is wrong with a configuration that Configure made
	calm      bool          // the faults have stopped
	spoken    bool          // clients propose, or did
	deadline  time.Time
	rng       struct{ faults, panics, replicas, hardships *rand.Rand }
}

// Run simulates a cluster from one seed: first with faults, then without, until
// everything is final everywhere. The error is about the configuration or the context;
// what the cluster did wrong is in the Result, as its Err. Runs may be parallel.
//
// When the context ends, Run soon does, with its error, and a Result of what was until
// then, which is no verdict. The Result is nil if nothing was run.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := newSimulation(ctx, cfg)
	s.run()
	r := s.finish()
	if s.invalid != nil {
		return nil, s.invalid
	}
	return r, ctx.Err()
}

// newSimulation draws what the seed decides, from a stream for each purpose, so
// that a change in one does not change all others.
func newSimulation(ctx context.Context, cfg Config) *simulation {
	streams := uint64(0)
	stream := func() *rand.Rand {
		streams++
		return rand.New(rand.NewPCG(cfg.Seed, streams))
	}
	s := &simulation{cfg: cfg, ctx: ctx, charges: make(map[string]int), faults: drawFaults(stream())}
	s.faults.Byzantine = drawRoles(stream(), cfg.Replicas)
	s.faults.Signed = cfg.Seed%4 == 3 // not drawn: the other seeds give the runs they gave before
	// Apart, for what was drawn before there were state transfers to stay the same.
	s.faults.drawTransfers(rand.New(rand.NewPCG(cfg.Seed, transferStream)), cfg.Replicas)
	s.faults.drawHardships(rand.New(rand.NewPCG(cfg.Seed, hardshipStream)))
	s.faults.drawLateRoles(rand.New(rand.NewPCG(cfg.Seed, lateRolesStream)), cfg.Replicas)
	if cfg.Faults != nil {
		s.faults = *cfg.Faults
	}
	s.faults.without(cfg.Without)
	s.clock = runtime.NewVirtual(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	s.trace = newTrace(s.clock, cfg.Trace)
	s.scheme = cryptotest.NewHMAC()
	genesis, keys, _ := cryptotest.NewMembers(cfg.Replicas, cfg.Seed, s.scheme)
	p := &genesis.Params
	p.CheckpointInterval, p.Window, p.SnapshotInterval = s.faults.CheckpointInterval, 2*s.faults.CheckpointInterval, 4*s.faults.CheckpointInterval
	if s.faults.Retain > 0 {
		p.SnapshotInterval = s.faults.CheckpointInterval
	}
	p.BatchBytes = 2048
	if s.faults.Signed {
		p.RequireVertexSignatures, p.BatchBytes = true, 16<<10
	}
	p.OptimisticMode = cfg.OptimisticMode
	s.genesis = genesis
	var err error
	s.keyring, err = crypto.NewKeyringWithScheme(genesis, s.scheme)
	must(err)
	s.oracle = newOracle(*p, cfg.Replicas)
	s.load = &load{rng: stream(), left: cfg.Vertices}
	if s.faults.Signed {
		for c := range s.load.creators {
			s.load.creators[c] = replica.NewCreator(genesis, s.creatorKey(c))
		}
	}
	s.oracle.load = s.load
	s.scheduler = &scheduler{rng: stream(), clock: s.clock, trace: s.trace, hurry: s.faults.Hurry, lazy: s.faults.Lazy}
	s.network = newNetwork(s.faults.identities(cfg.Replicas), stream(), s.clock, s.trace, s.oracle, s.faults)
	s.rng.faults, s.rng.panics, s.rng.replicas = stream(), stream(), stream()
	for slot, i := range s.faults.identities(cfg.Replicas) {
		s.members = append(s.members, &member{index: i, slot: slot, key: keys[i], disk: newDisk(vfs.NewCrashableMem())})
	}
	s.prepareHardships()
	s.assign(stream())
	return s
}

// creatorKey is the key of a creator: of a client, or, above those, of what a
// member invents.
func (s *simulation) creatorKey(n int) crypto.PrivateKey {
	key, err := s.scheme.NewKey(bytes.Repeat([]byte{byte(n), 0xc7}, s.scheme.SeedSize()/2))
	must(err)
	return key
}

func (s *simulation) run() {
	// What this leads to is in the hash, not that it was meant to.
	s.trace.remark(sprint("seed %d: %d replicas, %v", s.cfg.Seed, s.cfg.Replicas, s.faults))
	for _, m := range s.members {
		s.start(m)
	}
	s.unleash()
	s.mortality()
	if len(s.cfg.Script) > 0 {
		s.play(0)
	}
	if s.spoken = !s.faults.Silent; s.spoken {
		s.clock.AfterFunc(proposalMean, s.propose)
	}
	s.clock.AfterFunc(retryPeriod, s.retry)
	begin := s.clock.Now()
	for s.oracle.err == nil && s.invalid == nil && s.ctx.Err() == nil {
		p, ok := s.scheduler.turn()
		switch {
		case !ok:
			s.oracle.violated("liveness", "nothing is left to do")
		case s.scheduler.swamped != nil:
			s.oracle.violated("bounded memory", "more than %d messages wait for actor %s", backlogMax, s.scheduler.swamped.name)
		case s.scheduler.steps > stepsMax:
			s.oracle.violated("liveness", "%d steps and no end", stepsMax)
		case p != nil:
			if m := s.members[p.member]; m.process == p {
				s.look(m)
			}
		case !s.calm:
			if (s.load.left == 0 || !s.spoken) && s.eventful(s.clock.Now().Sub(begin)) {
				s.stopFaults()
			}
		default:
			why := s.unsettled()
			if why == "" {
				s.readLedgers()
				return
			}
			if s.leaderless() && s.clock.Now().Sub(s.deadline) > -s.recovery()+leaderlessMax {
				s.readLedgers()
				return
			}
			if s.clock.Now().After(s.deadline) {
				s.tellStanding()
				s.oracle.violated("liveness", "%v after the faults stopped, %s", s.recovery(), why)
			}
		}
		s.runDeferred()
	}
}

func (s *simulation) recovery() time.Duration {
	if s.faults.DelayMin >= slowerBy {
		return recoverySlow
	}
	return recoveryMax
}

// eventful reports whether there were faults for long enough, and sees to it
// that there was something to see.
func (s *simulation) eventful(since time.Duration) bool {
	if len(s.cfg.Script) > 0 {
		return s.played
	}
	if since < faultyMin || !s.faults.Eventful || since > faultyMax {
		return since >= faultyMin
	}
	few := s.spoken && len(s.oracle.ledger) < EventfulSequences
	if few {
		s.load.left += 10
		s.propose()
	}
	crashed := false
	for _, m := range s.members {
		crashed = crashed || m.lives > 1
	}
	if leader := s.members[int(s.view)%s.cfg.Replicas]; !s.forced && (s.view == 0 || !crashed) && !leader.faulty && leader.process != nil && !leader.ending {
		s.forced = true
		s.crash(leader)
	}
	return !few && s.view > 0 && crashed
}

// propose lets a client propose something, sometimes at two replicas at once.
func (s *simulation) propose() {
	for range 1 + s.load.rng.IntN(3) {
		if s.load.left > 0 {
			v := s.load.next()
			if s.offer(v); v.rival != nil {
				s.offer(v.rival)
			}
		}
	}
	if s.load.left > 0 {
		s.clock.AfterFunc(time.Duration(s.load.rng.Int64N(int64(2*proposalMean))), s.propose)
	}
}

func (s *simulation) offer(v *vertex) {
	for range 1 + s.load.rng.IntN(5)/4 {
		m := s.members[s.load.rng.IntN(len(s.members))]
		if m.process == nil || v.door && v.taken {
			continue
		}
		if err := v.propose(m); err != nil && !m.faulty {
			s.oracle.violated("proposals", "%v", err)
		}
	}
}

// retry has clients propose again what no living process holds.
func (s *simulation) retry() {
	for _, v := range s.load.vertices {
		if !v.executed && !v.unsent && v.lost() && !(v.door && v.taken) {
			s.offer(v)
		}
	}
	s.clock.AfterFunc(retryPeriod, s.retry)
}

// finish ends all processes and sums up.
func (s *simulation) finish() *Result {
	r := &Result{Seed: s.cfg.Seed, Replicas: s.cfg.Replicas, Faults: s.faults, Steps: s.scheduler.steps, Time: s.trace.now(), Vertices: len(s.load.vertices)}
	r.Sequences = messages.Seq(len(s.oracle.ledger))
	for _, m := range s.members {
		r.Crashes += m.lives - 1
		if m.process == nil || m.replica == nil {
			continue
		}
		if err := m.process.audit(); err != nil {
			s.oracle.violated("one thread", "%v", err)
		}
		s.scheduler.bury(m.process)
		_ = m.replica.Stop(done)
	}
	r.Transfers = s.transfers
	r.Charges, r.View = s.charges, s.view
	r.Err, r.Hash, r.Story = s.oracle.err, s.trace.hash(), s.trace.story
	return r
}

func sprint(format string, args ...any) string { return fmt.Sprintf(format, args...) }
