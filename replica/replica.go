package replica

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/metrics"
	"github.com/cretoai/consensus/storage"
)

// Replica is one running member.
type Replica struct {
	genesis  *messages.Genesis
	keyring  *crypto.Keyring
	self     messages.Index
	tree     *actors.Tree
	metrics  *metrics.Metrics
	identity *identity
	system   *actor.ActorSystem

	readers  *readers      // of the disk
	stopping chan struct{} // holds one Stop at a time, and what follows is its own
	ended    bool
	stopErr  error
	closers  []io.Closer // closed in reverse order, after the tree stopped
}

// NotMemberError says that a key belongs to no member of the genesis.
type NotMemberError struct {
	Key     messages.MemberID
	ChainID string
}

func (e *NotMemberError) Error() string {
	return fmt.Sprintf("key %v is no member's of chain %q: use the key whose fingerprint the genesis lists", e.Key, e.ChainID)
}

// rememberedBundles is how many verified bundles of each member are remembered,
// at 100 bytes: more than a window holds of one.
const rememberedBundles = 1024

// Start recovers the replica from its folder and lets it take part. ctx bounds
// the start only. The replica runs until Stop, or until it fails: see Done.
func Start(ctx context.Context, cfg Config, opts ...Option) (*Replica, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("replica configuration: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o, err := newOptions(opts)
	if err != nil {
		return nil, fmt.Errorf("replica options: %w", err)
	}
	keyring, err := o.keyring(cfg.Genesis)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	keyring = keyring.Remember(rememberedBundles)
	self, ok := keyring.IndexOfKey(cfg.Key.Public())
	if !ok {
		return nil, &NotMemberError{messages.NewMemberID(cfg.Genesis.Scheme, cfg.Key.Public().Bytes()), cfg.Genesis.ChainID}
	}
	r := &Replica{
		genesis: cfg.Genesis, keyring: keyring, self: self, readers: newReaders(), stopping: make(chan struct{}, 1),
		metrics: metrics.New(metrics.Options{Members: keyring.N(), Quorum: keyring.Quorum(), Version: o.version, Now: o.clock.Now}),
	}
	if err := r.start(&cfg, &o); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// start opens the disk, then the tree, which opens the network.
func (r *Replica) start(cfg *Config, o *options) error {
	id := storage.Identity{Chain: r.keyring.Chain(), Member: r.genesis.MemberID(r.self)}
	f, err := openFolder(o.fs, cfg.Home, id, storage.Options{
		SegmentBytes: cfg.SegmentBytes, Sync: cfg.WALSync, Now: o.clock.Now, Rand: o.rand,
		Observer: storage.Observer{Flushed: r.metrics.ObserveFlush},
	})
	if err != nil {
		return err
	}
	r.closers = append(r.closers, f)
	log := libraryLog(o.log.With().Int("replica", int(r.self)).Logger())
	if r.system = o.runtime.System; r.system == nil {
		r.system = newSystem(log)
		r.onClose(func() error { r.system.Shutdown(); return nil })
	}
	transport := o.transport
	if transport == nil {
		if transport, err = r.remote(cfg, log); err != nil {
			return err
		}
	}
	if o.wrap != nil {
		transport = o.wrap(transport)
	}
	var fresh [16]byte
	if _, err := o.rand.Read(fresh[:]); err != nil {
		return fmt.Errorf("draw a creator id: %w", err)
	}
	r.identity = newIdentity(r.genesis.MemberID(r.self), fresh)
	r.metrics.SetWALSyncDisabled(cfg.WALSync != storage.SyncAlways)
	if cfg.WALSync != storage.SyncAlways {
		o.log.Warn().Msg("wal_sync is not \"always\": a power cut makes this replica forget votes and counts as a faulty member")
	} else if !f.journal.Direct() {
		o.log.Info().Msg("the journal is written through the page cache, since its file system has no other way (O_DIRECT)")
	}
	r.tree, err = actors.Start(r.system, actors.Config{
		Genesis: r.genesis, Keyring: r.keyring, Self: r.self, Key: cfg.Key,
		Transport: transport, Journal: f.journal, State: f.state, App: o.app,
		Metrics: r.metrics, Log: o.log, Clock: o.clock, Rand: o.rand, Version: o.version,
		FrameBytesMax: int(cfg.SegmentBytes / 4), PipelineDepth: cfg.PipelineDepth, MaxPending: cfg.MaxPendingVertices, LedgerRetain: cfg.LedgerRetain,
		FinalityTimeout: cfg.FinalityTimeout, Heartbeat: cfg.Heartbeat, HeartbeatTimeout: cfg.HeartbeatTimeout,
		Detection: cfg.ByzantineDetection, FirstStart: cfg.FirstStart, Export: evidenceFiles(o.fs, cfg.Home), Signers: cfg.Signers, Custom: o.custom, Runtime: o.runtime,
	})
	if err == nil {
		r.tree.Pool().RenewNonces(r.identity.renew)
	}
	return err
}

func (r *Replica) onClose(f func() error) { r.closers = append(r.closers, closer(f)) }

type closer func() error

func (c closer) Close() error { return c() }

// close ends what start opened, the last first.
func (r *Replica) close() error {
	var errs []error
	for i := len(r.closers) - 1; i >= 0; i-- {
		errs = append(errs, r.closers[i].Close())
	}
	r.closers = nil
	return errors.Join(errs...)
}

// Done is closed when the replica ends: by Stop, or by itself after a failure
// that Err then tells. Stop is still to be called to free what it holds.
func (r *Replica) Done() <-chan struct{} { return r.tree.Done() }

// Err says, once Done is closed, what ended the replica; nil after Stop.
func (r *Replica) Err() error { return r.tree.Err() }

// Self is this replica's index in the genesis.
func (r *Replica) Self() messages.Index { return r.self }

// Metrics is the replica's Prometheus registry. It has the Go and process collectors,
// too, so registered as it is beside others that have them it collides: register it
// with prometheus.WrapRegistererWith, under a label of its own for each replica, or
// gather it beside your own, with prometheus.Gatherers.
func (r *Replica) Metrics() *prometheus.Registry { return r.metrics.Registry() }

// Detector tells about the members' conduct.
func (r *Replica) Detector() *actors.Detector { return r.tree.Detector() }

// Subscribe gives the replica's events from now on; one that lets more than
// buffer of them wait misses the next ones, and is told how many.
func (r *Replica) Subscribe(buffer int) *actors.Subscription { return r.tree.Subscribe(buffer) }

// IsLeader reports whether this replica leads the current view.
func (r *Replica) IsLeader() bool { return r.tree.Standing().Leads }

// CurrentView is the view the replica is in, or changing to.
func (r *Replica) CurrentView() messages.View { return r.tree.Standing().View }

// CurrentSequence is the last executed sequence.
func (r *Replica) CurrentSequence() messages.Seq { return r.tree.Progress().Seq }
