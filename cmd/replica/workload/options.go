package workload

import (
	"errors"
	"fmt"
	"time"
)

// Options say what load to put on a target.
type Options struct {
	// Outstanding is how many payloads a closed loop keeps on their way.
	Outstanding int
	// Rate makes the loop an open one of so many payloads a second.
	Rate float64
	// Group is how many payloads are submitted together at most; 0 lets the
	// outstanding ones decide, see GroupOf.
	Group int
	// Payload is the size of each in bytes.
	Payload int
	// Warmup is the time before the window of measurement.
	Warmup time.Duration
	// Vertices ends the window when so many were finalised in it; 0 leaves its end
	// to Duration.
	Vertices int
	// Duration is the length of the window.
	Duration time.Duration
	// LeaderOnly submits all at the leader's door instead of at all doors in turn.
	LeaderOnly bool
	// Patience is how long the end waits for what is on its way; 0 means 30 s. An open
	// loop gives up when what falls due in that time waits.
	Patience time.Duration
	// Series is how long the intervals are that the window is cut in; 0 leaves it whole.
	Series time.Duration
	// Usage, if not nil, is asked what the target holds at the end of each of them.
	Usage func() Usage
	// Opened, if not nil, is told when the window of measurement opens.
	Opened func()
	// Progress, if not nil, is told how many were finalised, warm-up included.
	Progress func(vertices int)
}

const patienceDefault = 30 * time.Second

// Validate joins every complaint.
func (o Options) Validate() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Rate < 0 || o.Outstanding < 0 || o.Group < 0 || o.Vertices < 0 || o.Warmup < 0 || o.Series < 0 {
		complain("a load is not negative")
	}
	if o.Rate == 0 && o.Outstanding == 0 {
		complain("neither a number of vertices outstanding nor a rate")
	}
	if o.Payload < 1 {
		complain("a payload of %d bytes: a vertex carries at least one", o.Payload)
	}
	if o.Vertices == 0 && o.Duration <= 0 {
		complain("a measurement of %v, and no number of vertices to end it", o.Duration)
	}
	return errors.Join(errs...)
}

// How a closed loop's vertices are divided: each door gets some submitters, so
// that their groups do not all fall due at once, and no group is larger than a
// small part of a batch, for its latency is that of its last vertex.
const (
	submittersPerDoor = 16
	groupMax          = 32
)

// GroupOf is how many vertices a submitter has finalised together.
func (o Options) GroupOf(doors int) int {
	if o.Group > 0 {
		return o.Group
	}
	if o.Rate > 0 {
		return groupMax
	}
	return min(max(o.Outstanding/(doors*submittersPerDoor), 1), groupMax)
}
