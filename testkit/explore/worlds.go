package explore

import (
	"context"
	"fmt"
	"time"

	"github.com/cretoai/consensus/messages"
)

// World is a named set of bounds, to be explored with each member as the liar.
type World struct {
	Name   string
	Bounds Config // without liar, time, memory and jobs
}

// Worlds are those that together show what there is to show: every view change
// among three views, decisions that are executed, crashes, gaps between sequences,
// what managers remember, windows that move, and optimistic mode. The whole product of these has more states than can be
// visited.
func Worlds() []World {
	return []World{
		{"two views", Config{Sequences: 1, Views: 2, Digests: 2}},
		{"three views", Config{Sequences: 1, Views: 3, Digests: 2, Deaf: true}},
		{"crashes", Config{Sequences: 1, Views: 2, Digests: 2, Crashes: 1, Deaf: true}},
		{"gaps", Config{Sequences: 2, Views: 2, Digests: 1, Deaf: true}},
		{"windows", Config{Sequences: 2, Views: 2, Digests: 2, Checkpoints: true}},
		{"managers", Config{Sequences: 1, Views: 3, Digests: 1, Deaf: true, Managed: true}},
		{"restarts", Config{Sequences: 1, Views: 2, Digests: 1, Crashes: 1, Deaf: true, Managed: true}},
		{"optimistic", Config{Sequences: 1, Views: 2, Digests: 2, Optimistic: true}},
		{"optimistic views", Config{Sequences: 1, Views: 3, Digests: 2, Deaf: true, Optimistic: true}},
		{"optimistic crashes", Config{Sequences: 1, Views: 2, Digests: 2, Crashes: 1, Deaf: true, Optimistic: true}},
	}
}

// Outcome is what a World held, with one liar.
type Outcome struct {
	World  string
	Liar   messages.Index
	Report *Report
}

// Tour explores worlds with every liar, one after the other, within a time in
// all: what one leaves of its share the others have. It ends at a violation. told
// hears of every outcome; nil for nobody.
func Tour(ctx context.Context, worlds []World, limits Config, told func(Outcome)) ([]Outcome, error) {
	var all []Outcome
	ends := time.Now().Add(limits.Time)
	left := len(worlds) * members
	for _, w := range worlds {
		for liar := range messages.Index(members) {
			cfg := w.Bounds
			cfg.Liar, cfg.Memory, cfg.Jobs = liar, limits.Memory, limits.Jobs
			cfg.Time = max(time.Until(ends)/time.Duration(left), time.Millisecond)
			left--
			r, err := Explore(ctx, cfg, nil)
			if err != nil {
				return all, fmt.Errorf("explore %s with member %d as the liar: %w", w.Name, liar, err)
			}
			o := Outcome{w.Name, liar, r}
			all = append(all, o)
			if told != nil {
				told(o)
			}
			if r.Violation != "" {
				return all, nil
			}
		}
	}
	return all, nil
}
