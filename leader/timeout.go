package leader

import (
	"errors"
	"fmt"
	"math/bits"
	"time"
)

// TimeoutConfig bounds the timeout of a view.
type TimeoutConfig struct {
	// Floor is the least a base timeout can be. Default 250 ms. Below a round
	// trip with its flushes, every view fails.
	Floor time.Duration
	// Ceiling is the most a base timeout can be, and the base while nothing
	// was measured: finality_timeout_ms. Default 500 ms. A dead leader costs this
	// long, a slow one may stretch finality to it.
	Ceiling time.Duration
	// Cap is where doubling ends. Default 30 s. It must exceed the time a view
	// change takes on the slowest network that is to be survived.
	Cap time.Duration
}

// DefaultTimeoutConfig gives the defaults above.
func DefaultTimeoutConfig() TimeoutConfig {
	return TimeoutConfig{Floor: 250 * time.Millisecond, Ceiling: 500 * time.Millisecond, Cap: 30 * time.Second}
}

// Validate checks 0 < Floor ≤ Ceiling ≤ Cap and joins every complaint.
func (c TimeoutConfig) Validate() error {
	var errs []error
	if c.Floor <= 0 {
		errs = append(errs, fmt.Errorf("the timeout's floor of %v is not above zero", c.Floor))
	}
	if c.Ceiling < c.Floor {
		errs = append(errs, fmt.Errorf("finality_timeout_ms asks for %v, below the floor of %v; raise it", c.Ceiling, c.Floor))
	}
	if c.Cap < c.Ceiling {
		errs = append(errs, fmt.Errorf("finality_timeout_ms asks for %v, above the timeout's cap of %v; lower it", c.Ceiling, c.Cap))
	}
	return errors.Join(errs...)
}

// Timeout is how long a replica waits in its view before it suspects the
// leader: a base that follows the finality measured, doubled with each view
// that failed. So views grow long enough for the network at hand, whatever it
// is, and a crash on a fast network costs little. [protocol §5 Timers, L1, L2]
type Timeout struct {
	config TimeoutConfig
	base   time.Duration
	failed uint8 // views failed since the last progress; stays at doublingsMax
}

// doublingsMax doublings of one nanosecond exceed any Duration.
const doublingsMax = 63

// NewTimeout starts at the ceiling: nothing was measured yet. config is valid.
func NewTimeout(config TimeoutConfig) *Timeout {
	return &Timeout{config: config, base: config.Ceiling}
}

// Measured sets the base to 4 × p99, the 99th percentile of finality under
// other leaders than the present one (or a leader could slow down step by step
// and be waited for ever longer), clamped to floor and ceiling. A p99 of zero
// says that nothing was measured.
func (t *Timeout) Measured(p99 time.Duration) {
	switch {
	case p99 <= 0, p99 > t.config.Ceiling/4:
		t.base = t.config.Ceiling
	default:
		t.base = max(4*p99, t.config.Floor)
	}
}

// Base is the timeout of a view that follows no failed one.
func (t *Timeout) Base() time.Duration { return t.base }

// Current is the view's timeout without jitter: the base doubled with each
// failed view, at most the cap.
func (t *Timeout) Current() time.Duration { return t.Scaled(t.base) }

// Scaled doubles d as often as views have failed, at most up to the cap. The
// wait for a leader's sign of life is scaled as well: with a fixed one, a
// network slower than it would be left without any leader for ever.
func (t *Timeout) Scaled(d time.Duration) time.Duration {
	if d > t.config.Cap>>t.failed {
		return t.config.Cap
	}
	return d << t.failed
}

// Jittered is Current and up to an eighth more, in proportion to random, an
// even choice among all uint64. Replicas that were disturbed together do not
// act together for it; it comes on top of floor and cap, which stay honoured
// by the least of the results.
func (t *Timeout) Jittered(random uint64) time.Duration {
	current := t.Current()
	extra, _ := bits.Mul64(random, uint64(current/8)+1)
	return current + time.Duration(extra)
}

// Failed notes that a view was left, whatever the reason.
func (t *Timeout) Failed() {
	if t.failed < doublingsMax {
		t.failed++
	}
}

// Progress describes the execution of a batch.
type Progress struct {
	// Proposed: the batch was first proposed in the present view, so its leader
	// does more than repeat what its NewView listed.
	Proposed bool
	// Fresh: a vertex in it was executed for the first time. A leader of empty
	// or repeated batches makes no progress. [P8]
	Fresh bool
	// OldestVertex is the age of the oldest timed vertex that still waits, zero
	// if none does. A leader that starves one caller makes none either. [L4]
	OldestVertex time.Duration
}

// Executed notes the execution of a batch and reports whether it ended the
// doubling: only progress under the present leader does, never the arrival of
// a NewView alone.
func (t *Timeout) Executed(p Progress) bool {
	if !p.Proposed || !p.Fresh || p.OldestVertex > t.base {
		return false
	}
	ended := t.failed > 0
	t.failed = 0
	return ended
}
