package replica

import (
	"errors"
	"fmt"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// Option changes what Start builds a replica from.
type Option func(*options)

type options struct {
	app       StateMachine
	custom    []actors.Custom
	log       zerolog.Logger
	clock     runtime.Clock
	rand      runtime.Rand
	scheme    crypto.Scheme // nil: the genesis names it
	transport cluster.Transport
	wrap      func(cluster.Transport) cluster.Transport // nil: as it is
	fs        vfs.FS
	version   string
	runtime   actors.Runtime
}

// keyring expands the members' keys.
func (o *options) keyring(g *messages.Genesis) (*crypto.Keyring, error) {
	if o.scheme != nil {
		return crypto.NewKeyringWithScheme(g, o.scheme)
	}
	return crypto.NewKeyring(g)
}

func newOptions(opts []Option) (options, error) {
	o := options{
		app: &actors.VertexLedger{}, log: zerolog.Nop(), clock: runtime.RealClock(), rand: runtime.SecureRand(),
		fs: vfs.Default, version: "cretoai-consensus",
	}
	for i, opt := range opts {
		if opt == nil {
			return o, fmt.Errorf("option %d is nil", i)
		}
		opt(&o)
	}
	err := o.validate()
	return o, err
}

// validate refuses what a replica cannot be built from.
func (o *options) validate() error {
	var errs []error
	needed := func(given bool, option string) {
		if !given {
			errs = append(errs, fmt.Errorf("%s(nil): leave the option out for the default", option))
		}
	}
	needed(o.app != nil, "WithStateMachine")
	needed(o.clock != nil, "WithClock")
	needed(o.rand != nil, "WithRand")
	needed(o.fs != nil, "WithStorage")
	names := make(map[string]bool)
	for _, custom := range o.custom {
		switch {
		case custom.Name == "" || strings.Contains(custom.Name, "/"):
			errs = append(errs, fmt.Errorf("WithActor: the name %q is empty or has a slash", custom.Name))
		case names[custom.Name]:
			errs = append(errs, fmt.Errorf("WithActor: two actors are named %q", custom.Name))
		case custom.Produce == nil:
			errs = append(errs, fmt.Errorf("WithActor: nothing produces the actor %q", custom.Name))
		}
		names[custom.Name] = true
	}
	return errors.Join(errs...)
}

// WithStateMachine executes finalised vertices with app instead of the vertex
// ledger. All members must run the same application. Each Start needs a fresh one, in
// the state it begins with at genesis: what it is to go on with, the replica restores
// from its disk or executes again.
func WithStateMachine(app StateMachine) Option { return func(o *options) { o.app = app } }

// WithActor adds an actor of your own to the replica's tree. It receives the
// replica's events as values, of the types that messages.Event lists, is restarted
// when it panics, and cannot take the replica down. produce is called at every start
// and restart, so what is to outlast a panic lies outside of what it makes. name is
// unique among your actors, and has no slash: Start refuses others, and a nil produce.
//
//	replica.WithActor("audit", func() actor.Actor {
//		return actor.ReceiveFunc(func(c actor.Context) {
//			switch e := c.Message().(type) {
//			case messages.Finalized:
//				log.Print(e.Seq, e.Executed)
//			case messages.StateInstalled:
//				log.Print("nothing is told of what lies between, up to ", e.Seq)
//			}
//		})
//	})
//
// Each event is delivered at most once, and those of one kind in order: a Finalized
// for every sequence, with these exceptions.
//
//   - Delivery is beside everything else. Propose may return before or after the actor
//     is told of its vertex, and an actor that is slow does not slow the replica: what
//     waits for it takes memory, without a bound. That holds while produce makes it,
//     too: it gets what happened from the replica's start on.
//   - The event at which the actor panics is lost to it. Those behind it come. A panic
//     of one of the replica's own actors may cost an event, too.
//   - Events are not stored. When the replica stops or ends, those that wait are
//     lost; after a start nothing is repeated, and what the start itself executes
//     from its disk is not told. It goes on with the first sequence that is executed
//     after that.
//   - Of sequences whose outcome is taken over by a state transfer only
//     StateInstalled tells: the Finalized after it is of the next sequence. What is
//     fetched batch by batch comes as ever.
//   - After more than ten panics in ten seconds the actor is stopped, the log says so,
//     and it is not started again before the replica is. A produce that panics, or
//     gives nil, counts as a panic. One while the actor ends, from *actor.Stopping or
//     *actor.Restarting on, is logged, and it goes on ending.
//   - Actors that it starts are stopped at their first panic.
//   - An actor that stops c.Parent() stops all custom actors, and the log says so.
//   - An actor that does not return from a message holds up Stop, see there.
//
// An actor that must miss nothing keeps the last sequence it handled, and reads the
// gap before a Finalized from the ledger (Replica.Batch), from FirstSequence on. An
// actor that must be told exactly what is executed, with it, is no actor but an
// application: see WithStateMachine.
func WithActor(name string, produce func() actor.Actor) Option {
	return func(o *options) { o.custom = append(o.custom, actors.Custom{Name: name, Produce: produce}) }
}

// WithLogger gives the replica a logger; the default is silent.
func WithLogger(log zerolog.Logger) Option { return func(o *options) { o.log = log } }

// WithClock replaces the machine's clock.
func WithClock(clock runtime.Clock) Option { return func(o *options) { o.clock = clock } }

// WithRand replaces the operating system's random numbers. They name processes
// and their vertices, and never sign: a simulator gives those of its seed.
func WithRand(rand runtime.Rand) Option { return func(o *options) { o.rand = rand } }

// WithScheme signs with a scheme that no genesis can name: a stand-in, for
// simulators and tests.
func WithScheme(s crypto.Scheme) Option { return func(o *options) { o.scheme = s } }

// WithTransport connects the replica by other means than mutual TLS over TCP.
// Start opens it, Stop closes it.
func WithTransport(t cluster.Transport) Option { return func(o *options) { o.transport = t } }

// WithTransportWrapper puts something between the replica and its transport,
// whichever that is: to watch what passes, or to have a member misbehave in a
// test.
func WithTransportWrapper(wrap func(cluster.Transport) cluster.Transport) Option {
	return func(o *options) { o.wrap = wrap }
}

// WithStorage puts the replica's data on another file system than the
// machine's. The folder is not locked there.
func WithStorage(fs vfs.FS) Option { return func(o *options) { o.fs = fs } }

// WithVersion names the embedding software to peers and in metrics.
func WithVersion(version string) Option { return func(o *options) { o.version = version } }

// WithRuntime runs the replica's actors by other means than goroutines, or
// watches every message they get: for simulators and tests.
func WithRuntime(rt actors.Runtime) Option { return func(o *options) { o.runtime = rt } }
