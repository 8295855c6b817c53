package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/cretoai/consensus/replica"
)

// transferring is where a state transfer is looked at.
type transferring interface {
	StateTransfer() (replica.StateTransfer, bool)
}

// transferBar shows state transfers while there are any, on a terminal; the
// metrics tell of them elsewhere.
type transferBar struct {
	bar *progressbar.ProgressBar
	of  replica.StateTransfer // what the bar is for
}

// watch shows what there is to see until ended is closed.
func (b *transferBar) watch(w io.Writer, r transferring, ended <-chan struct{}) {
	tick := time.NewTicker(barInterval)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
			b.show(w, r)
		}
	}
}

// show brings the bar up to date: another one for another snapshot, and none when
// there is nothing left to fetch.
func (b *transferBar) show(w io.Writer, r transferring) {
	now, under := r.StateTransfer()
	switch {
	case !under && b.bar != nil:
		_ = b.bar.Finish() // a terminal that is gone is no reason to stop
		b.bar = nil
	case under && (b.bar == nil || b.of.Seq != now.Seq || b.of.Parts != now.Parts):
		b.bar = progressbar.NewOptions(now.Parts, progressbar.OptionSetWriter(w), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("parts"), progressbar.OptionFullWidth(), progressbar.OptionOnCompletion(func() { fmt.Fprintln(w) }))
	}
	if b.of = now; under {
		b.bar.Describe(fmt.Sprintf("fetching the state of sequence %d, %d MiB so far", now.Seq, now.Bytes>>20))
		_ = b.bar.Set(now.Parts - now.Missing)
	}
}
