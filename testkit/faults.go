package testkit

import (
	"path"
	"strings"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// faults are what is to go wrong inside one replica.
type faults struct {
	mu    sync.Mutex
	rules []*Fault
	disks []*Fault // of the journal's writes
}

// Fault is what PanicOn, PanicOnSend and CrashActor set, which has actors panic at
// messages, a number of times, or DiskFault, which has one write fail. It is there
// until it has struck as often as it was to, through all lives of its replica. The
// timeline tells when it strikes.
type Fault struct {
	pattern string
	sending bool
	is      func(message any) bool
	left    int
	struck  int
	done    chan struct{}
	c       *Cluster
	of      *faults
}

// Struck is how often the fault has struck so far.
func (f *Fault) Struck() int {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	return f.struck
}

// Await waits until the fault has struck as often as it was to. What comes of it may
// take a moment more: an actor is restarted beside the test, and a replica that ends
// is awaited with AwaitEnd.
func (f *Fault) Await() {
	f.c.t.Helper()
	f.c.await(f.done, "the fault in %s has yet to strike after %v", f.pattern, f.c.o.patience)
}

// PanicOn makes the actors of replica i whose name matches pattern, such as
// "phase-*" or "executor" (see path.Match), panic at the next times messages
// that is accepts; a nil is accepts all. The message is lost, as in a real panic.
// Names are listed in the package's documentation; actors of your own
// (replica.WithActor) have the name you gave them, and are told messages.Event values:
//
//	c.PanicOn(2, "audit", 1, func(message any) bool {
//		f, ok := message.(messages.Finalized)
//		return ok && f.Seq == 3
//	})
//
// What actors of the replica tell each other is not exported, but for what BringsVote
// accepts; its type's name may be asked for by reflection. For what a panic leads to
// see CrashActor.
func (c *Cluster) PanicOn(i int, pattern string, times int, is func(message any) bool) *Fault {
	c.t.Helper()
	return c.fault(i, Fault{pattern: pattern, is: is, left: times})
}

// PanicOnSend makes the actor of replica i with that name panic when it sends
// the next times messages that is accepts, in the middle of what it does. The
// message is lost.
func (c *Cluster) PanicOnSend(i int, sender string, times int, is func(message any) bool) *Fault {
	c.t.Helper()
	return c.fault(i, Fault{pattern: sender, sending: true, is: is, left: times})
}

// CrashActor makes the next actor of replica i whose name matches pattern panic,
// at the next message it gets: PanicOn, once, at whatever it is. An actor that is idle
// gets none: have something proposed before you Await the fault. It is restarted in
// place as after any panic, within milliseconds, and the replica goes on. Two things
// end a replica (AwaitEnd): a panic of the journal, and more than five within ten
// seconds of another of its own actors. One of your own is restarted ten times in ten
// seconds, then it stays away and the replica goes on.
func (c *Cluster) CrashActor(i int, pattern string) *Fault {
	c.t.Helper()
	return c.PanicOn(i, pattern, 1, nil)
}

func (c *Cluster) fault(i int, f Fault) *Fault {
	c.t.Helper()
	c.check(i)
	if _, err := path.Match(f.pattern, ""); err != nil || f.left < 1 {
		c.t.Fatalf("panic on %q, %d times: %v", f.pattern, f.left, err)
	}
	f.done, f.c, f.of = make(chan struct{}), c, c.faults[i]
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	f.of.rules = append(f.of.rules, &f)
	c.timeline.tell("actor %s of replica %d is to panic, times: %d", f.pattern, i, f.left)
	return &f
}

func (f *faults) middleware(next actor.ReceiverFunc) actor.ReceiverFunc {
	return func(c actor.ReceiverContext, envelope *actor.MessageEnvelope) {
		if f.strikes(c.Self().Id, false, envelope.Message) {
			panic("injected by testkit")
		}
		next(c, envelope)
	}
}

func (f *faults) sender(next actor.SenderFunc) actor.SenderFunc {
	return func(c actor.SenderContext, target *actor.PID, envelope *actor.MessageEnvelope) {
		if f.strikes(c.Self().Id, true, envelope.Message) {
			panic("injected by testkit, sending")
		}
		next(c, target, envelope)
	}
}

// strikesTold is how many strikes of a fault the timeline tells, the last aside.
const strikesTold = 3

func (f *faults) strikes(id string, sending bool, message any) bool {
	switch message.(type) {
	case actor.SystemMessage, actor.AutoReceiveMessage:
		return false // the library's own, whose loss no restart survives
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	name := id[strings.LastIndexByte(id, '/')+1:]
	for _, rule := range f.rules {
		if ok, _ := path.Match(rule.pattern, name); ok && rule.sending == sending && rule.left > 0 && (rule.is == nil || rule.is(message)) {
			rule.struck++
			if rule.struck <= strikesTold || rule.left == 1 {
				rule.c.timeline.tell("actor %s panics, as it was to, at %T", id, message)
			}
			if rule.left--; rule.left == 0 {
				close(rule.done)
			}
			return true
		}
	}
	return false
}
