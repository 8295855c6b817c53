package testkit

import (
	"path"
	"strings"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// faults makes actors of one replica panic.
type faults struct {
	mu    sync.Mutex
	rules []*Fault
}

// Fault makes actors panic at messages, a number of times.
type Fault struct {
	pattern string
	is      func(message any) bool
	left    int
	done    chan struct{}
	c       *Cluster
}

// Await waits until the fault has struck as often as it was to.
func (f *Fault) Await() {
	f.c.t.Helper()
	f.c.await(f.done, "the fault in %s has yet to strike %d times", f.pattern, f.left)
}

// PanicOn makes the actors of replica i whose name matches pattern, such as
// "phase-*" or "executor" (see path.Match), panic at the next times messages
// that is accepts; a nil is accepts all. The message is lost, as in a real
// panic.
func (c *Cluster) PanicOn(i int, pattern string, times int, is func(message any) bool) *Fault {
	c.t.Helper()
	if _, err := path.Match(pattern, ""); err != nil || times < 1 {
		c.t.Fatalf("panic on %q, %d times: %v", pattern, times, err)
	}
	f := &Fault{pattern: pattern, is: is, left: times, done: make(chan struct{}), c: c}
	c.faults[i].mu.Lock()
	defer c.faults[i].mu.Unlock()
	c.faults[i].rules = append(c.faults[i].rules, f)
	return f
}

func (f *faults) middleware(next actor.ReceiverFunc) actor.ReceiverFunc {
	return func(c actor.ReceiverContext, envelope *actor.MessageEnvelope) {
		if f.strikes(c.Self().Id, envelope.Message) {
			panic("injected by testkit")
		}
		next(c, envelope)
	}
}

func (f *faults) strikes(id string, message any) bool {
	switch message.(type) {
	case actor.SystemMessage, actor.AutoReceiveMessage:
		return false // the library's own, whose loss no restart survives
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	name := id[strings.LastIndexByte(id, '/')+1:]
	for _, rule := range f.rules {
		if ok, _ := path.Match(rule.pattern, name); ok && rule.left > 0 && (rule.is == nil || rule.is(message)) {
			if rule.left--; rule.left == 0 {
				close(rule.done)
			}
			return true
		}
	}
	return false
}
