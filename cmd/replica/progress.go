package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// How often progress is shown: as a bar on a terminal, or in a line elsewhere.
const (
	barInterval  = 100 * time.Millisecond
	lineInterval = 2 * time.Second
)

// progress says what is counted: "finalising" vertices until all are "final".
type progress struct {
	doing, items, done string
	total              int
}

// show shows how many are done until the function it returns is called, which
// shows the end.
func (p progress) show(w io.Writer, done func() int) (finish func()) {
	interval, show := lineInterval, func(n int) {
		fmt.Fprintf(w, "%d of %d %s %s (%d %%)\n", n, p.total, p.items, p.done, 100*n/p.total)
	}
	if isTerminal(w) {
		bar := progressbar.NewOptions(p.total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(p.doing),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(p.items),
			progressbar.OptionFullWidth(), progressbar.OptionOnCompletion(func() { fmt.Fprintln(w) }))
		interval, show = barInterval, func(n int) {
			// A terminal that is gone is no reason to stop.
			_ = bar.Set(n)
		}
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				show(done())
				return
			case <-tick.C:
				show(done())
			}
		}
	}()
	return func() { close(quit); <-ended }
}
