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

// showProgress shows how many of total are done until the function it returns is
// called, which shows the end.
func showProgress(w io.Writer, total int, done func() int) (finish func()) {
	interval, show := lineInterval, func(n int) {
		fmt.Fprintf(w, "%d of %d vertices final (%d %%)\n", n, total, 100*n/total)
	}
	if isTerminal(w) {
		bar := progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("finalising"),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("vertices"),
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
