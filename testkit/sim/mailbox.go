package sim

import (
	"reflect"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox is one actor's queue. It runs nothing by itself: the scheduler takes
// one message at a time, when it is this actor's turn.
type mailbox struct {
	process   *process
	invoker   actor.MessageInvoker
	name      string
	system    []any
	user      []any
	suspended bool
	at        int // its place in scheduler.runnable, −1 when not in it
}

// PostUserMessage implements actor.Mailbox.
func (m *mailbox) PostUserMessage(message any) {
	if !m.process.buried {
		if m.user = append(m.user, message); len(m.user) > backlogMax && m.process.scheduler.swamped == nil {
			m.process.scheduler.swamped = m
		}
		m.process.scheduler.update(m)
	}
}

// PostSystemMessage implements actor.Mailbox.
func (m *mailbox) PostSystemMessage(message any) {
	if !m.process.buried {
		m.system = append(m.system, message)
		m.process.scheduler.update(m)
	}
}

// RegisterHandlers implements actor.Mailbox. An actor whose Props brought
// another dispatcher would run on goroutines of its own.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	self := invoker.(actor.Context)
	m.invoker, m.name = invoker, self.Self().Id
	if dispatcher != actor.Dispatcher(m.process) {
		m.process.escaped("actor %s has a dispatcher of its own", m.name)
	}
	m.process.adopt(m, self.ActorSystem())
}

// Start implements actor.Mailbox.
func (m *mailbox) Start() {}

// UserMessageCount implements actor.Mailbox.
func (m *mailbox) UserMessageCount() int { return len(m.user) }

// ready reports whether there is a message the actor may have now.
func (m *mailbox) ready() bool { return len(m.system) > 0 || len(m.user) > 0 && !m.suspended }

// take removes the next message, one of the library's own first.
func (m *mailbox) take() (message any, system bool) {
	queue := &m.user
	if system = len(m.system) > 0; system {
		queue = &m.system
	}
	message = (*queue)[0]
	(*queue)[0] = nil
	if *queue = (*queue)[1:]; len(*queue) == 0 {
		*queue = nil
	}
	return message, system
}

// handle lets the actor handle one message. A panic goes to its supervisor, as
// the library's own mailbox has it.
func (m *mailbox) handle(message any, system bool) {
	defer func() {
		if reason := recover(); reason != nil {
			m.invoker.EscalateFailure(reason, message)
		}
	}()
	switch message.(type) {
	case *actor.SuspendMailbox:
		m.suspended = true
	case *actor.ResumeMailbox:
		m.suspended = false
	default:
		if system {
			m.invoker.InvokeSystemMessage(message)
		} else {
			m.invoker.InvokeUserMessage(message)
		}
	}
}

// typeOf names what a message is.
func typeOf(message any) string { return reflect.TypeOf(actor.UnwrapEnvelopeMessage(message)).String() }
