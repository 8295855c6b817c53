package actors

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// Runtime is what a simulator replaces to own every step of every actor: who
// runs mailboxes, and the mailboxes themselves. The zero value is production.
type Runtime struct {
	Dispatcher actor.Dispatcher
	Mailbox    actor.MailboxProducer
	// Middleware sees every message before the actor it is for; tests use it to
	// make actors fail.
	Middleware []actor.ReceiverMiddleware
	// Sending sees every message an actor sends, likewise.
	Sending []actor.SenderMiddleware
	// Drive runs actors until there is something in the channel, for a
	// dispatcher that runs none by itself.
	Drive func(until <-chan error)
	// System is where the actors are, nil for a system of the replica's own. Who
	// brings one shuts it down.
	System *actor.ActorSystem
}

// await waits for the root's word on how starting went.
func (r *Runtime) await(opened chan error) error {
	if r.Drive != nil {
		r.Drive(opened)
	}
	return <-opened
}

// throughput is how many messages an actor handles before it lets others run.
const throughput = 300

// props is the one place where Props are made: every actor gets the runtime's
// dispatcher and mailbox, and no supervisor is left at the library's default,
// which restarts children with an empty memory and stops them silently once a
// budget is used up.
func (t *Tree) props(produce func() actor.Actor, strategy actor.SupervisorStrategy, watch ...actor.MailboxMiddleware) *actor.Props {
	options := []actor.PropsOption{actor.WithSupervisor(strategy), actor.WithReceiverMiddleware(t.cfg.Runtime.Middleware...)}
	if m := t.cfg.Runtime.Sending; len(m) > 0 {
		options = append(options, actor.WithSenderMiddleware(m...))
	}
	if d := t.cfg.Runtime.Dispatcher; d != nil {
		options = append(options, actor.WithDispatcher(d))
	} else {
		options = append(options, actor.WithDispatcher(actor.NewDefaultDispatcher(throughput)))
	}
	if m := t.cfg.Runtime.Mailbox; m != nil {
		options = append(options, actor.WithMailbox(m))
	} else {
		options = append(options, actor.WithMailbox(actor.Unbounded(watch...)))
	}
	return actor.PropsFromProducer(actor.Producer(produce), options...)
}

// lastingProps are those of an actor that lasts as long as the tree.
func (t *Tree) lastingProps(name string, produce func() actor.Actor, strategy actor.SupervisorStrategy, watch ...actor.MailboxMiddleware) *actor.Props {
	props := t.props(produce, strategy, watch...)
	if t.cfg.Runtime.Dispatcher == nil {
		props.Configure(actor.WithDispatcher(t.dispatchers.Of(name, throughput)))
	}
	return props
}

// depth counts the messages that wait in a mailbox.
type depth struct{ waiting atomic.Int64 }

// MailboxStarted implements actor.MailboxMiddleware.
func (*depth) MailboxStarted() {}

// MessagePosted implements actor.MailboxMiddleware.
func (d *depth) MessagePosted(any) { d.waiting.Add(1) }

// MessageReceived implements actor.MailboxMiddleware.
func (d *depth) MessageReceived(any) { d.waiting.Add(-1) }

// MailboxEmpty implements actor.MailboxMiddleware.
func (*depth) MailboxEmpty() {}

// rootProps are the root's: above it there is only the library's guardian,
// which must neither restart it nor take the process down.
func (t *Tree) rootProps(produce func() actor.Actor) *actor.Props {
	return t.props(produce, t.superviseChildren()).Configure(actor.WithGuardian(stopReplica{t}))
}
