package workload

import (
	"fmt"
	"iter"
	"sync"
	"time"
)

// Latencies counts durations to the microsecond, each value with how often it
// came: exact quantiles. The zero value is empty. It is counted beside what is
// measured, on the same processors, so counting is an addition in an array: a
// map with a value for each vertex took 3 of a hundred of a run's time.
type Latencies struct {
	pages []*latencyPage // by the value in microseconds; nil where there is none
	total int
	sum   time.Duration
	max   time.Duration
}

// latencyPage counts a millisecond's values, nearly.
type latencyPage [latencyPageValues]int

const latencyPageValues = 1 << 10

// Record counts n equal durations.
func (l *Latencies) Record(d time.Duration, n int) {
	d = max(d, 0).Round(time.Microsecond)
	page, at := int(d/time.Microsecond)/latencyPageValues, int(d/time.Microsecond)%latencyPageValues
	if missing := page + 1 - len(l.pages); missing > 0 {
		l.pages = append(l.pages, make([]*latencyPage, missing)...)
	}
	if l.pages[page] == nil {
		l.pages[page] = new(latencyPage)
	}
	l.pages[page][at] += n
	l.total += n
	l.sum += d * time.Duration(n)
	l.max = max(l.max, d)
}

// Quantiles gives for each q the ⌈q·n⌉-th smallest of n durations, the first for
// q = 0; all are 0 if there is none. The shares must rise.
func (l *Latencies) Quantiles(shares ...float64) []time.Duration {
	out := make([]time.Duration, 0, len(shares))
	seen := 0
	for d, n := range l.ascending() {
		seen += n
		for len(out) < len(shares) && float64(seen) >= max(shares[len(out)]*float64(l.total), 1) {
			out = append(out, d)
		}
	}
	for len(out) < len(shares) {
		out = append(out, l.max)
	}
	return out
}

// ascending gives each value that came, and how often.
func (l *Latencies) ascending() iter.Seq2[time.Duration, int] {
	return func(yield func(time.Duration, int) bool) {
		for i, page := range l.pages {
			if page == nil {
				continue
			}
			for at, n := range page {
				if n > 0 && !yield(time.Duration(i*latencyPageValues+at)*time.Microsecond, n) {
					return
				}
			}
		}
	}
}

// recorder keeps what a run has shown. Its window opens after the warm-up and
// closes with the last vertex or the time.
type recorder struct {
	wanted int // vertices in the window; 0 if the time decides
	full   chan struct{}

	mu        sync.Mutex
	open      bool
	exhausted bool // nothing is left to be submitted
	from, to  time.Time
	total     int // finalised, warm-up included
	vertices  int // finalised in the window
	latencies Latencies
	batches   map[uint64]*batch
	last      time.Time     // something was final in the window, or it opened
	pause     time.Duration // the longest without
	parts     bool          // intervals are kept, too
	part      part
}

// batch is what is known of one sequence.
type batch struct {
	vertices int
	counts   bool // first heard of in the window
}

func newRecorder(wanted int) *recorder {
	return &recorder{wanted: wanted, full: make(chan struct{}), batches: make(map[uint64]*batch)}
}

func (r *recorder) begin(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open, r.from = !r.exhausted, now; r.exhausted {
		r.to = now // it was just now
		close(r.full)
	}
	r.last, r.part = now, part{from: now}
}

// anythingLeft says before the window opens whether there is anything to be measured.
func (r *recorder) anythingLeft() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.exhausted {
		return fmt.Errorf("in the warm-up: %w", ErrExhausted)
	}
	return nil
}

// end closes the window, unless it was full before.
func (r *recorder) end(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open {
		r.pause = max(r.pause, now.Sub(r.last))
		r.open, r.to = false, now
	}
}

// exhaust closes the window because nothing is left to be submitted.
func (r *recorder) exhaust(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.exhausted = true; r.open {
		r.open, r.to = false, now
		close(r.full)
	}
}

// group notes that a group was finalised. The i-th of its vertices was due at
// due(i); their latencies count if that was in the window.
func (r *recorder) group(due func(i int) time.Time, done time.Time, sequences []uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total += len(sequences)
	for i := 0; i < len(sequences); {
		at, n := due(i), 1
		for i+n < len(sequences) && due(i+n).Equal(at) {
			n++
		}
		if r.within(at) {
			r.latencies.Record(done.Sub(at), n)
		}
		if r.open && r.parts {
			r.part.latencies.Record(done.Sub(at), n)
		}
		i += n
	}
	r.sequences(sequences)
	if !r.open {
		return
	}
	r.vertices += len(sequences)
	r.part.vertices += len(sequences)
	r.pause, r.last = max(r.pause, done.Sub(r.last)), done
	if r.wanted > 0 && r.vertices >= r.wanted {
		r.open, r.to = false, done
		close(r.full)
	}
}

func (r *recorder) within(at time.Time) bool {
	return !r.from.IsZero() && !at.Before(r.from) && (r.to.IsZero() || at.Before(r.to))
}

// sequences counts the vertices of each batch, all that come from here.
func (r *recorder) sequences(list []uint64) {
	for i := 0; i < len(list); {
		n := 1
		for i+n < len(list) && list[i+n] == list[i] {
			n++
		}
		b := r.batches[list[i]]
		if b == nil {
			b = &batch{counts: r.open}
			r.batches[list[i]] = b
		}
		b.vertices += n
		i += n
	}
}

// finalised is how many vertices are final so far, warm-up included.
func (r *recorder) finalised() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}
