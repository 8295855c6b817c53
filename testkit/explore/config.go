package explore

import (
	"errors"
	"fmt"
	"time"

	"github.com/cretoai/consensus/messages"
)

// The membership is the smallest there is. What is checked does not ask the
// product how many are enough.
const (
	members = 4
	quorum  = 3
	faulty  = 1

	sequencesMax = 2
	viewsMax     = 4
)

// Config bounds what is explored, and how long.
type Config struct {
	// Liar is the member that may do anything.
	Liar messages.Index
	// Sequences are those that are voted on, 1 or 2; Views and Digests how many
	// of each there are; Crashes how many in all.
	Sequences, Views, Digests, Crashes int
	// Deaf replicas never hear that something was committed: they execute nothing.
	// What may be committed is checked all the same, in far fewer states.
	Deaf bool
	// Managed replicas have their own Managers, which decide about views.
	Managed bool
	// Optimistic replicas decide by what all accepted, too.
	Optimistic bool
	// Checkpoints has every sequence end in a checkpoint, and windows move.
	Checkpoints bool
	// Time and Memory bound the search, Jobs is how many threads search.
	Time   time.Duration
	Memory uint64
	Jobs   int
}

// Validate says what is wrong with a configuration.
func (c Config) Validate() error {
	var errs []error
	within := func(name string, n, low, high int) {
		if n < low || n > high {
			errs = append(errs, fmt.Errorf("%d %s: %d to %d can be explored", n, name, low, high))
		}
	}
	within("as the liar", int(c.Liar), 0, members-1)
	within("sequences", c.Sequences, 1, sequencesMax)
	within("views", c.Views, 1, viewsMax)
	within("digests", c.Digests, 1, 3)
	if c.Deaf && c.Checkpoints {
		errs = append(errs, errors.New("who executes nothing reaches no checkpoint"))
	}
	if c.Managed && (c.Checkpoints || c.Sequences > 1) {
		errs = append(errs, errors.New("managers are explored at one sequence, without checkpoints"))
	}
	within("crashes", c.Crashes, 0, 8)
	within("jobs", c.Jobs, 1, 64)
	if c.Time <= 0 {
		errs = append(errs, fmt.Errorf("no time to explore: %v", c.Time))
	}
	if c.Memory < memoryMin {
		errs = append(errs, fmt.Errorf("%d bytes of memory: at least %d are needed", c.Memory, memoryMin))
	}
	return errors.Join(errs...)
}

// Report is what a search found.
type Report struct {
	States, Transitions uint64
	Depth               int
	// Complete says that every state within the bounds was visited.
	Complete bool
	// Bound is the one that ended the search, "" if none did.
	Bound   string
	Elapsed time.Duration
	// Violation is the first property found broken, "" if none; Steps lead there.
	Violation string
	Steps     []string
}
