package runtime

import "time"

// Clock tells the time and calls back later. All methods may be called from
// any goroutine.
type Clock interface {
	// Now is the current time. Differences of two results are durations on a
	// monotonic clock: setting the machine's clock does not change them.
	Now() time.Time

	// AfterFunc calls f once, not before d has passed; d ≤ 0 means as soon as
	// possible. f runs on a goroutine of its own (RealClock) or inside Advance
	// or Step (Virtual), so it must not block: an actor's timer sends the actor
	// a message and returns.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is one pending call of AfterFunc.
type Timer interface {
	// Stop cancels the call and reports whether it did: false means that the
	// function has been started, or that Stop was called before. It does not
	// wait for the function; whoever handles the timer's message compares its
	// view and generation instead of relying on Stop.
	Stop() bool
}

// RealClock is the machine's clock.
func RealClock() Clock { return realClock{} }

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
