package runtime

import "sync"

// Dispatchers are those of the actors that last, by their names. An actor that is
// started anew gets the one of its predecessor. The zero value has none yet.
type Dispatchers struct {
	mu     sync.Mutex
	byName map[string]*Dispatcher
}

// Of gives the dispatcher of an actor, which handles so many messages before it lets
// others run.
func (d *Dispatchers) Of(name string, throughput int) *Dispatcher {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.byName[name]
	if s == nil {
		s = &Dispatcher{work: make(chan func()), throughput: throughput}
		if d.byName == nil {
			d.byName = make(map[string]*Dispatcher)
		}
		d.byName[name] = s
		go s.run()
	}
	return s
}

// End ends the goroutines, once the actors have ended. What is scheduled after that
// runs all the same.
func (d *Dispatchers) End() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.byName {
		s.work <- nil
	}
	d.byName = nil
}

// Dispatcher runs an actor's mailbox on a goroutine that stays. proto.actor's own
// starts one each time there is a message, whose stack then grows, step by step, under
// what the actor calls: to 64 KiB for a signature. That was a tenth of the time of a cluster
// that finalises vertex by vertex.
type Dispatcher struct {
	work       chan func()
	throughput int
}

func (s *Dispatcher) run() {
	for f := <-s.work; f != nil; f = <-s.work {
		f()
	}
}

// Schedule implements actor.Dispatcher. The goroutine may be about to wait for the next
// run still, or have ended: then another takes this one.
func (s *Dispatcher) Schedule(f func()) {
	select {
	case s.work <- f:
	default:
		go f()
	}
}

// Throughput implements actor.Dispatcher.
func (s *Dispatcher) Throughput() int { return s.throughput }
