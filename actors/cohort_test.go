package actors

import (
	"testing"
	"time"
)

const (
	cohortTick  = 100 * time.Microsecond
	cohortRound = 8 * time.Millisecond // a sequence takes as long
)

// lead plays a leader with one sequence in flight for two seconds. arrive says how
// many vertices come at a tick; freed is told of those that became final. It gives the
// sizes of the batches, and how long vertices waited at most while nothing was in
// flight.
func lead(arrive func(now time.Time) int, freed func(now time.Time, n int)) (batches []int, idle time.Duration) {
	var (
		k        cohort
		pool     backlog
		flying   flight
		closes   time.Time
		idleFrom = time.Unix(0, 0)
	)
	for now, end := idleFrom, time.Unix(2, 0); now.Before(end); now = now.Add(cohortTick) {
		n := arrive(now)
		pool.vertices, pool.arrived = pool.vertices+n, pool.arrived+uint64(n)
		if flying.vertices > 0 && now.Sub(flying.cut) >= cohortRound {
			if window := k.completed(now, flying, pool); window > 0 {
				closes = now.Add(window)
			}
			freed(now, flying.vertices)
			flying = flight{}
		}
		if !now.Before(closes) {
			k.close(k.opened, pool)
		}
		if flying.vertices > 0 || pool.vertices == 0 {
			idleFrom = now.Add(cohortTick)
			continue
		}
		idle = max(idle, now.Sub(idleFrom))
		if !k.waits(pool.vertices) {
			flying = flight{pool.vertices, now}
			pool.vertices = 0
			batches = append(batches, flying.vertices)
		}
	}
	return batches, idle
}

// returning are callers in a closed loop: each is back some time after its vertex
// became final.
type returning struct {
	after func(caller int) time.Duration
	back  map[time.Time]int
}

func (r *returning) freed(now time.Time, n int) {
	for i := range n {
		r.back[now.Add(r.after(i))]++
	}
}

func (r *returning) arrive(now time.Time) int { return r.back[now] }

// TestB1_WhoComesBackTogetherSharesABatch: of callers in a closed loop some miss the
// batch of the others. Cut at each completion they would be in another one for ever.
func TestB1_WhoComesBackTogetherSharesABatch(t *testing.T) {
	for _, callers := range []int{2, 60, 1500} {
		r := returning{back: map[time.Time]int{time.Unix(0, 0): callers - callers/2, time.Unix(0, int64(cohortTick)): callers / 2}}
		r.after = func(caller int) time.Duration { return time.Duration(1+caller%10) * cohortTick }
		batches, _ := lead(r.arrive, r.freed)
		for _, n := range batches[20:] {
			if n != callers {
				t.Errorf("of %d callers a batch holds %d", callers, n)
				break
			}
		}
	}
}

// TestB1_WhoDoesNotComeBackIsNotWaitedFor: neither where load comes from elsewhere, nor
// where callers take their time. What waits while nothing is in flight would wait for
// nothing.
func TestB1_WhoDoesNotComeBackIsNotWaitedFor(t *testing.T) {
	nobody := func(time.Time, int) {}
	slow := returning{back: map[time.Time]int{time.Unix(0, 0): 30, time.Unix(0, int64(cohortTick)): 30}}
	slow.after = func(caller int) time.Duration { return cohortRound/2 + time.Duration(caller%10)*cohortTick }
	for _, c := range []struct {
		name   string
		arrive func(time.Time) int
		freed  func(time.Time, int)
	}{
		{"one at each tick", every(cohortTick), nobody},
		{"some in a round", every(cohortRound / 8), nobody},
		{"one in three rounds", every(3 * cohortRound), nobody},
		{"callers who are slow", slow.arrive, slow.freed},
	} {
		if _, idle := lead(c.arrive, c.freed); idle > 0 {
			t.Errorf("%s: vertices waited for %v with nothing in flight", c.name, idle)
		}
	}
}

// every is a vertex that arrives so often, whatever becomes of the others.
func every(d time.Duration) func(time.Time) int {
	return func(now time.Time) int {
		if now.UnixNano()%int64(d) == 0 {
			return 1
		}
		return 0
	}
}

// TestB1_NobodyIsWaitedForLongerThanAQuarterOfARound: when callers who used to come
// back go away, what others propose waits that long, and soon no more.
func TestB1_NobodyIsWaitedForLongerThanAQuarterOfARound(t *testing.T) {
	r := returning{back: map[time.Time]int{time.Unix(0, 0): 100}}
	r.after = func(int) time.Duration { return cohortTick }
	gone, others := time.Unix(1, 0), every(cohortRound/8)
	batches, idle := lead(func(now time.Time) int {
		if now.Before(gone) {
			return r.arrive(now)
		}
		return others(now)
	}, r.freed)
	if idle == 0 || idle > cohortRound/cohortWindow {
		t.Errorf("vertices waited for %v with nothing in flight, a round is %v", idle, cohortRound)
	}
	if want := 8; batches[len(batches)-1] != want {
		t.Errorf("in the end a batch holds %d of %d vertices that come in a round", batches[len(batches)-1], want)
	}
}

// TestB1_ALoneCallerOpensNoWindow: the first to come is everybody there is.
func TestB1_ALoneCallerOpensNoWindow(t *testing.T) {
	var k cohort
	now := time.Unix(0, 0)
	for range 10 {
		cut := now
		now = now.Add(cohortRound)
		if window := k.completed(now, flight{1, cut}, backlog{}); window != 0 || k.waits(0) {
			t.Fatalf("a window of %v for one caller", window)
		}
	}
}

// TestB1_ABatchOfAnotherLifeSaysNothing: neither how long a round is, nor who comes back.
func TestB1_ABatchOfAnotherLifeSaysNothing(t *testing.T) {
	var k cohort
	if window := k.completed(time.Unix(100, 0), flight{}, backlog{50, 50}); window != 0 || k.round != 0 {
		t.Errorf("a window of %v, rounds of %v", window, k.round)
	}
}
