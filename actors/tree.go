package actors

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"
	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/metrics"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// Config is everything a tree works with. Package replica fills it in; every
// field is required but Export, Custom and Runtime.
type Config struct {
	Genesis   *messages.Genesis
	Keyring   *crypto.Keyring
	Self      messages.Index
	Key       crypto.PrivateKey
	Transport cluster.Transport
	Journal   *storage.Journal
	State     *storage.State
	App       StateMachine
	Metrics   *metrics.Metrics
	Log       zerolog.Logger
	Clock     runtime.Clock
	Rand      runtime.Rand
	Version   string

	FrameBytesMax    int           // the most the journal writes in one frame; a record more fits a segment
	LedgerRetain     messages.Seq  // sequences kept in the ledger, at least; 0 keeps all
	PipelineDepth    int           // the leader's sequences in flight
	MaxPending       int           // vertices the pool holds of this replica's own
	FinalityTimeout  time.Duration // the most a view's base timeout can be
	Heartbeat        time.Duration // between two Status
	HeartbeatTimeout time.Duration // silence after which a leader is suspected
	Detection        bool          // byzantine_detection_enabled
	// Export writes a file of evidence for people to keep; nil writes none. The
	// same evidence may come again.
	Export  func(name string, data []byte) error
	Signers int // worker actors that sign and verify

	// FirstStart says that this member has never run before on this chain, so that
	// it need not ask the others whether it voted.
	FirstStart bool

	Custom  []Custom
	Runtime Runtime
}

// Tree is the supervisor tree of one replica.
type Tree struct {
	cfg      Config
	n        int
	quorum   int
	schedule leader.Schedule
	system   *actor.ActorSystem
	letters  *eventstream.Subscription // of dead letters
	root     *actor.PID
	links    links
	log      zerolog.Logger
	peerLog  *peerLog // what members do wrong
	instance [16]byte

	pool        *Pool
	creators    *crypto.Creators
	ledger      *Ledger
	hub         *hub
	snapshots   *snapshots
	detector    *Detector
	peers       *peers
	recovered   *recovery // until the first sequencer took it
	execution   *execution
	quarantine  *quarantine
	quorums     quorums
	unopened    *unopened
	depths      map[string]*depth // of the children's mailboxes
	dispatchers runtime.Dispatchers
	board       atomic.Pointer[Standing]
	progress    atomic.Pointer[Progress]
	highest     atomic.Uint64 // the highest sequence the sequencer heard of
	halted      atomic.Pointer[string]
	observing   atomic.Pointer[string] // why this replica does not vote yet, nil if it does [D4]
	full        atomic.Pointer[string] // why the disk is too full, nil if it is not
	views       atomic.Pointer[[]byte] // what a restart needs to know of views, see encodeViews
	patience    atomic.Int64           // the view's timeout, nanoseconds
	generation  atomic.Uint32          // of the state in force in the store, see parts.go
	released    atomic.Uint64          // the journal's segments below are given up
	fetching    atomic.Pointer[Fetching]

	mu      sync.Mutex
	stopped bool
	err     error
	done    chan struct{}
	opened  chan error    // the root's one word on how starting went
	ended   chan struct{} // closed when all actors have stopped

	closing  sync.Once // the network
	closeErr error
}

// Standing is where the replica stands, as of the last change.
type Standing struct {
	View   messages.View
	Leader messages.Index
	Leads  bool // this replica leads the active view
	Active bool // false while changing views
	Stable messages.Seq
}

// Progress is what was executed.
type Progress struct {
	Seq      messages.Seq    // the last executed sequence
	Head     messages.Digest // the ledger head after it
	Vertices uint64          // vertices executed since genesis
}

// links are the addresses of a tree's actors. They are known before any of
// them is started, so that none has to be told.
type links struct {
	root, journal, preparer, checkpointer, signers, egress, ingress, sequencer, proposer, executor, viewchange, detector, sync *actor.PID
}

func newLinks(address, root string) links {
	at := func(name string) *actor.PID { return actor.NewPID(address, root+"/"+name) }
	return links{
		root: actor.NewPID(address, root), journal: at("journal"), preparer: at("preparer"), checkpointer: at("checkpointer"), signers: at("signers"), egress: at("egress"),
		ingress: at("ingress"), sequencer: at("sequencer"), proposer: at("proposer"), executor: at("executor"),
		viewchange: at("viewchange"), detector: at("detector"), sync: at("sync"),
	}
}

// beginning lists who waits for begin, consumers before producers.
func (l *links) beginning() []*actor.PID { return []*actor.PID{l.journal, l.executor, l.sequencer} }

// ticked lists who gets the heartbeat.
func (l *links) ticked() []*actor.PID {
	return []*actor.PID{l.ingress, l.journal, l.preparer, l.sequencer, l.proposer, l.viewchange, l.detector, l.sync}
}

// Start recovers the replica's state from disk and starts its actors; the
// network opens last. The system is the replica's own and is not shut down by
// Stop.
func Start(system *actor.ActorSystem, cfg Config) (*Tree, error) {
	n := cfg.Keyring.N()
	rootName := "replica-" + strconv.Itoa(int(cfg.Self))
	t := &Tree{
		cfg: cfg, n: n, quorum: cfg.Keyring.Quorum(), schedule: leader.NewSchedule(n),
		system: system, links: newLinks(system.Address(), rootName),
		log: cfg.Log.With().Int("replica", int(cfg.Self)).Logger(),
		hub: &hub{system: system}, peers: newPeers(n, cfg.Self, cfg.Clock), done: make(chan struct{}), opened: make(chan error, 1), ended: make(chan struct{}),
	}
	t.peerLog = newPeerLog(t.log, cfg.Clock)
	if _, err := cfg.Rand.Read(t.instance[:]); err != nil {
		return nil, fmt.Errorf("draw an instance id: %w", err)
	}
	t.ledger = newLedger(cfg.Journal, cfg.State, cfg.Genesis.Params)
	t.creators = cfg.Keyring.Creators(creatorKeys, creatorSignatures)
	cfg.Metrics.WatchCreators(func() metrics.CreatorCounts { return metrics.CreatorCounts(t.creators.Counts()) })
	t.detector, t.unopened = newDetector(t), newUnopened(n)
	t.snapshots = &snapshots{t: t}
	if err := t.recoverEvidence(); err != nil {
		return nil, err
	}
	var err error
	if t.recovered, t.execution, err = t.recover(); err != nil {
		return nil, err
	}
	t.quarantine = &quarantine{t: t, struck: make(map[memberVote]int)}
	t.depths = make(map[string]*depth)
	for _, child := range t.children() {
		t.depths[child.name] = &depth{}
	}
	t.progress.Store(t.execution.state.progress())
	t.patience.Store(int64(cfg.FinalityTimeout))
	t.highest.Store(uint64(t.recovered.core.Highest()))
	t.show(t.recovered.core)
	cfg.Metrics.SetExecutedSequence(uint64(t.execution.state.seq))
	t.pool = newPool(n, cfg.Self, cfg.MaxPending, cfg.Rand.Uint64(), cfg.Clock, func() { system.Root.Send(t.links.proposer, &wake{}) })
	t.pool.recent.last = t.execution.state.seq
	t.letters = system.EventStream.Subscribe(func(event any) {
		if _, ok := event.(*actor.DeadLetterEvent); ok {
			cfg.Metrics.Dropped("dead letter", 1)
		}
	})
	if t.root, err = system.Root.SpawnNamed(t.rootProps(func() actor.Actor { return &root{t: t} }), rootName); err != nil {
		return nil, fmt.Errorf("start the root actor: %w", err)
	}
	if err := cfg.Runtime.await(t.opened); err != nil {
		return nil, errors.Join(err, t.Stop(context.Background()))
	}
	return t, nil
}

// open opens the network, once there are actors to receive from it.
func (t *Tree) open() error {
	if err := t.cfg.Transport.Start(func(m any) { t.system.Root.Send(t.links.ingress, m) }); err != nil {
		return fmt.Errorf("open the network: %w", err)
	}
	return nil
}

// Pool is where vertices are proposed.
func (t *Tree) Pool() *Pool { return t.pool }

// Creators checks who vertices are from, and remembers.
func (t *Tree) Creators() *crypto.Creators { return t.creators }

// What is remembered of vertices' creators: keys of 75 kB, expanded, and which
// signatures held, at 100 bytes, of more vertices than are pending as a rule.
const (
	creatorKeys       = 256
	creatorSignatures = 1 << 15
)

// Ledger reads what was finalised.
func (t *Tree) Ledger() *Ledger { return t.ledger }

// Detector answers questions about the members' conduct.
func (t *Tree) Detector() *Detector { return t.detector }

// show updates what the door answers from.
func (t *Tree) show(core *pbft.Sequencer) {
	view := core.View()
	t.board.Store(&Standing{
		View: view, Leader: t.schedule.Leader(view), Leads: core.Leads(), Active: core.Active(),
		Stable: core.StableCheckpoint().Seq,
	})
}

// Standing is where the replica stands.
func (t *Tree) Standing() Standing { return *t.board.Load() }

// Progress is what was executed: never less than what receipts and events say.
func (t *Tree) Progress() Progress { return *t.progress.Load() }

// Highest is the highest sequence anything was heard of. What lies between the
// executed one and it is in flight.
func (t *Tree) Highest() messages.Seq { return max(messages.Seq(t.highest.Load()), t.Progress().Seq) }

// Halted says why the replica stopped executing, if it did.
func (t *Tree) Halted() (reason string, halted bool) {
	if r := t.halted.Load(); r != nil {
		return *r, true
	}
	return "", false
}

// Peer gives the newest Status of a member, nil before the first one.
func (t *Tree) Peer(member messages.Index) *messages.Status { return t.peers.status(member) }

// Subscribe gives the replica's events from now on. A subscriber that lets
// more than buffer events wait misses the next ones.
func (t *Tree) Subscribe(buffer int) *Subscription { return t.hub.subscribe(buffer) }

// Done is closed when the replica ends, by Stop or by a failure.
func (t *Tree) Done() <-chan struct{} { return t.done }

// Err says, once Done is closed, what ended the replica; nil after Stop.
func (t *Tree) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// fail ends the replica with an error, once: its actors stop, and who waits is
// told. What is on disk stays. The network stays up until Stop.
func (t *Tree) fail(err error) {
	t.mu.Lock()
	if t.stopped {
		t.mu.Unlock()
		return
	}
	t.stopped, t.err = true, err
	t.mu.Unlock()
	select {
	case t.opened <- err: // who waits for the start is told
	default:
	}
	t.log.Error().Err(err).Msg("the replica stops")
	t.pool.close(ErrStopped)
	t.system.Root.Send(t.links.root, &end{})
	close(t.done)
}

// Stop ends the replica: the network closes, the actors stop, and whatever
// waited for the disk gets there. It may be called again, and after a failure. If
// ctx ends first, the actors stop each as soon as it returns from what it is at:
// Ended says when all have.
func (t *Tree) Stop(ctx context.Context) error {
	t.mu.Lock()
	if !t.stopped {
		t.stopped = true
		close(t.done)
	}
	t.mu.Unlock()
	t.closing.Do(func() { t.closeErr = t.cfg.Transport.Stop() })
	err := t.closeErr
	if t.root != nil {
		t.system.Root.Send(t.links.root, &end{})
		late := t.await(ctx)
		if late == nil {
			t.dispatchers.End()
		}
		err = errors.Join(err, late)
	}
	t.system.EventStream.Unsubscribe(t.letters)
	t.pool.close(ErrStopped)
	t.hub.close()
	return err
}

// await waits until all actors have stopped.
func (t *Tree) await(ctx context.Context) error {
	select {
	case <-t.ended:
		return nil
	default:
	}
	select {
	case <-t.ended:
		return nil
	case <-ctx.Done():
		t.system.Root.Stop(t.root)
		return fmt.Errorf("stop the actors: %w", context.Cause(ctx))
	}
}

// Ended reports whether all actors have stopped, so that what they work on may be
// closed. Those that somebody else runs step by step do nothing by themselves: they
// count as stopped.
func (t *Tree) Ended() bool {
	if t.root == nil || t.cfg.Runtime.Drive != nil {
		return true
	}
	select {
	case <-t.ended:
		return true
	default:
		return false
	}
}

// Connected is how many other members' channels are open.
func (t *Tree) Connected() int {
	count := 0
	for i := range t.n {
		if m := messages.Index(i); m != t.cfg.Self && t.cfg.Transport.Connected(m) {
			count++
		}
	}
	return count
}

// ConnectedTo reports whether the channel to a member is open.
func (t *Tree) ConnectedTo(member messages.Index) bool { return t.cfg.Transport.Connected(member) }

// itoa names actors by number.
func itoa(i int) string { return strconv.Itoa(i) }
