package explore

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// search is one on the way.
type search struct {
	w       *world
	visited *visited
	states  atomic.Uint64
	steps   atomic.Uint64
	depth   atomic.Int64

	mu      sync.Mutex
	change  *sync.Cond
	shared  []*state // to be gone on from
	idle    int
	over    bool
	bound   string
	broken  *state
	wrong   error
	expires time.Time
}

// Explore visits states, depth first, until there are none left, a bound is
// reached or a property is broken. seen is told how many there are now and then;
// nil for nobody. The error is about the configuration.
func Explore(ctx context.Context, cfg Config, seen func(states uint64)) (*Report, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	begin := time.Now()
	s := &search{w: newWorld(cfg), visited: newVisited(cfg.Memory), expires: begin.Add(cfg.Time)}
	s.change = sync.NewCond(&s.mu)
	first, err := s.w.first()
	if err != nil {
		return nil, err
	}
	s.visited.add(first.key())
	s.states.Store(1)
	s.shared = []*state{first}
	var workers sync.WaitGroup
	for range cfg.Jobs {
		workers.Go(func() { s.work(ctx, seen) })
	}
	workers.Wait()
	r := &Report{
		States: s.states.Load(), Transitions: s.steps.Load(), Depth: int(s.depth.Load()),
		Complete: s.bound == "" && s.wrong == nil, Bound: s.bound, Elapsed: time.Since(begin),
	}
	if s.wrong != nil {
		r.Violation, r.Steps = s.wrong.Error(), s.w.steps(s.broken)
	}
	return r, ctx.Err()
}

// shareEvery is how often a worker looks at the clock and at who is idle.
const shareEvery = 64

// wanderEvery is how often a worker goes on from any state of those it has found:
// of a world too large for its time, it sees something everywhere.
const wanderEvery = 32

// work goes on from one state after the other, the last found first as a rule.
func (s *search) work(ctx context.Context, seen func(uint64)) {
	var stack []*state
	wander := rand.New(rand.NewPCG(1, 1)) // the same in every search
	for turn := 0; ; turn++ {
		if len(stack) == 0 {
			next := s.next()
			if next == nil {
				return
			}
			stack = append(stack, next)
		}
		if turn%shareEvery == 0 {
			if !s.goesOn(ctx) {
				return
			}
			stack = s.share(stack)
			if seen != nil {
				seen(s.states.Load())
			}
			if len(stack) == 0 {
				continue
			}
		}
		last := len(stack) - 1
		if turn%wanderEvery == 0 {
			at := wander.IntN(len(stack))
			stack[at], stack[last] = stack[last], stack[at]
		}
		from := stack[last]
		stack = stack[:last]
		s.w.successors(from, func(next *state, wrong error) bool {
			s.steps.Add(1)
			if wrong != nil {
				s.end("", next, wrong)
				return false
			}
			fresh, full := s.visited.add(next.key())
			switch {
			case full:
				s.end("memory", nil, nil)
				return false
			case !fresh:
				return true
			}
			s.states.Add(1)
			s.deeper(next.depth)
			if wrong = next.check(s.w.cfg.Optimistic); wrong != nil {
				s.end("", next, wrong)
				return false
			}
			stack = append(stack, next)
			return true
		})
	}
}

func (s *search) deeper(depth int) {
	for {
		known := s.depth.Load()
		if int64(depth) <= known || s.depth.CompareAndSwap(known, int64(depth)) {
			return
		}
	}
}

// next waits for a state that another worker can spare; nil when all is over.
func (s *search) next() *state {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle++
	for len(s.shared) == 0 && !s.over {
		if s.idle == s.w.cfg.Jobs {
			s.over = true
			s.change.Broadcast()
			break
		}
		s.change.Wait()
	}
	if s.over {
		return nil
	}
	s.idle--
	last := len(s.shared) - 1
	next := s.shared[last]
	s.shared = s.shared[:last]
	return next
}

// share gives half of a stack, the oldest states, to whoever has none.
func (s *search) share(stack []*state) []*state {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle == 0 || len(s.shared) > 0 || len(stack) < 2 {
		return stack
	}
	half := len(stack) / 2
	s.shared = append(s.shared, stack[:half]...)
	s.change.Broadcast()
	return append([]*state(nil), stack[half:]...)
}

func (s *search) goesOn(ctx context.Context) bool {
	switch {
	case ctx.Err() != nil:
		s.end("interrupted", nil, nil)
	case time.Now().After(s.expires):
		s.end("time", nil, nil)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.over
}

// end ends the search for everybody.
func (s *search) end(bound string, at *state, wrong error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.over, s.bound, s.broken, s.wrong = true, bound, at, wrong
	s.change.Broadcast()
}
