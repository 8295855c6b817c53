package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"

	"github.com/cretoai/consensus/messages"
)

// Remote carries frames by proto.actor's remote over mutual TLS.
//
// It has an actor system of its own: no name that comes from a peer can ever
// mean an actor of the replica, whatever the gate would overlook.
type Remote struct {
	cfg       RemoteConfig
	ids       *identities
	system    *actor.ActorSystem
	server    *remote.Remote
	links     []*link    // by member; nil for ourselves
	mailboxes []*mailbox // by member; nil for ourselves
	byAddress map[string]*link
	deliver   func(msg any)
	refusals  refusals

	mu      sync.Mutex
	started bool
	stopped bool
}

// NewRemote makes the transport of one member; Start opens it.
func NewRemote(cfg RemoteConfig) (*Remote, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("network configuration: %w", err)
	}
	ids, err := newIdentities(&cfg)
	if err != nil {
		return nil, err
	}
	r := &Remote{
		cfg: cfg, ids: ids, byAddress: make(map[string]*link),
		links: make([]*link, len(cfg.Peers)), mailboxes: make([]*mailbox, len(cfg.Peers)),
	}
	for i := range r.cfg.Peers {
		if peer := messages.Index(i); peer != r.cfg.Self {
			l := newLink(r, peer)
			r.links[i], r.byAddress[l.address] = l, l
			r.mailboxes[i] = &mailbox{remote: r, peer: peer, credit: credit{max: r.cfg.Limits.InboundBytes}}
		}
	}
	return r, nil
}

// Start implements Transport.
func (r *Remote) Start(deliver func(msg any)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started || r.stopped {
		return errors.New("a transport starts once")
	}
	r.deliver = deliver
	r.system = newSystem(r.cfg.Logger)
	config, err := r.remoteConfig()
	if err != nil {
		return err
	}
	r.server = remote.NewRemote(r.system, config)
	for _, m := range r.mailboxes {
		if m != nil {
			m.pid, _ = r.system.ProcessRegistry.Add(m, fmt.Sprintf("%s/%d", ingressID, m.peer))
		}
	}
	if err := r.listen(); err != nil {
		r.system.Shutdown()
		return err
	}
	r.started = true
	for _, l := range r.links {
		if l != nil {
			l.connect()
		}
	}
	return nil
}

// listen starts proto.actor's server, which panics if the address is taken.
func (r *Remote) listen() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("listen on %s: %v", r.cfg.Listen, p)
		}
	}()
	r.server.Start()
	return nil
}

// remoteConfig hardens proto.actor's remote: see the gate for the rest.
func (r *Remote) remoteConfig() (*remote.Config, error) {
	host, port, err := hostPort(r.cfg.Listen)
	if err != nil {
		return nil, err
	}
	limits := &r.cfg.Limits
	const receiveMax = messages.FrameBytesMax + batchOverhead
	caller := newCaller(r)
	config := remote.Configure(host, port,
		remote.WithAdvertisedHost(r.cfg.Peers[r.cfg.Self].Address),
		remote.WithEndpointWriterBatchSize(batchEnvelopes),
		remote.WithEndpointWriterQueueSize(1024),
		remote.WithServerOptions(
			grpc.Creds(newDoor(r)),
			grpc.ConnectionTimeout(limits.HandshakeTimeout),
			grpc.UnaryInterceptor(r.refuseUnary),
			grpc.StreamInterceptor(r.guardStream),
			grpc.ForceServerCodecV2(newFrugalCodec()),
			grpc.MaxConcurrentStreams(1),
			grpc.MaxRecvMsgSize(receiveMax),
			grpc.MaxSendMsgSize(4<<10), // an answer to a greeting
			grpc.MaxHeaderListSize(8<<10),
			grpc.InitialWindowSize(1<<20),
			grpc.InitialConnWindowSize(1<<20),
			grpc.KeepaliveParams(keepalive.ServerParameters{Time: limits.Keepalive, Timeout: limits.Keepalive}),
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: limits.Keepalive / 2}),
			grpc.WaitForHandlers(true),
		),
		remote.WithDialOptions(
			grpc.WithTransportCredentials(caller),
			grpc.WithContextDialer(caller.dial),
			grpc.WithStreamInterceptor(r.openStream),
			grpc.WithDisableServiceConfig(),
			grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: limits.HandshakeTimeout}),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: max(limits.Keepalive, 10*time.Second), Timeout: limits.Keepalive}),
			grpc.WithIdleTimeout(0),
		),
		remote.WithCallOptions(
			grpc.ForceCodecV2(newFrugalCodec()),
			grpc.MaxCallRecvMsgSize(4<<10),
			grpc.MaxCallSendMsgSize(receiveMax),
		),
	)
	config.MaxRetryCount = 1 // the links connect again, with a growing pause
	return config, nil
}

// Send implements Transport.
func (r *Remote) Send(to messages.Index, lane Lane, frame []byte) {
	if int(to) >= len(r.links) || r.links[to] == nil {
		return
	}
	if len(frame) == 0 || len(frame) > messages.FrameBytesMax || lane >= laneCount {
		r.cfg.Observer.dropped(to, lane.String(), "malformed")
		return
	}
	r.links[to].send(queued{lane, frame})
}

// Connected implements Transport.
func (r *Remote) Connected(peer messages.Index) bool {
	return int(peer) < len(r.links) && r.links[peer] != nil && r.links[peer].connected()
}

// Stop implements Transport.
func (r *Remote) Stop() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return nil
	}
	r.stopped = true
	if !r.started {
		return nil
	}
	for _, l := range r.links {
		if l != nil {
			l.close()
		}
	}
	for _, m := range r.mailboxes {
		if m != nil {
			m.credit.close()
		}
	}
	// proto.actor's graceful shutdown sends on channels that its readers close:
	// a panic when a peer leaves at the same time. So the server is stopped the
	// hard way, and what it leaves behind here.
	r.server.Shutdown(false)
	var errs []error
	for _, name := range []string{"EndpointSupervisor", "activator"} {
		if err := r.system.Root.StopFuture(r.system.NewLocalPID(name)).Wait(); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", name, err))
		}
	}
	r.system.Shutdown()
	return errors.Join(errs...)
}

// linkTo finds the member with an address; nil if there is none.
func (r *Remote) linkTo(address string) *link { return r.byAddress[address] }

// newSystem makes the actor system that proto.actor's remote lives in. Its dead
// letters are frames for a connection that broke, which the link has counted:
// they are not printed.
func newSystem(logger *slog.Logger) *actor.ActorSystem {
	quiet := slog.New(demoted{logger.Handler()})
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		actor.WithDeadLetterThrottleCount(0),
		actor.WithDeadLetterThrottleInterval(100*time.Millisecond),
	)
}

// demoted makes every line of proto.actor a line for debugging: it calls a peer
// that is down an error, every time. What operators need, we tell ourselves.
type demoted struct{ slog.Handler }

func (d demoted) Enabled(ctx context.Context, _ slog.Level) bool {
	return d.Handler.Enabled(ctx, slog.LevelDebug)
}

func (d demoted) Handle(ctx context.Context, record slog.Record) error {
	record.Level = slog.LevelDebug
	return d.Handler.Handle(ctx, record)
}

func (d demoted) WithAttrs(attrs []slog.Attr) slog.Handler {
	return demoted{d.Handler.WithAttrs(attrs)}
}
func (d demoted) WithGroup(name string) slog.Handler { return demoted{d.Handler.WithGroup(name)} }
