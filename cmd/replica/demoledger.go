package main

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// demoLedger is what the folder of a stopped replica proves.
type demoLedger struct {
	*replica.LedgerSummary
	batches []messages.Digest // from sequence 1 on
}

// readLedgers reads every ledger from its folder, all at once.
func (c *demoCluster) readLedgers() ([]*demoLedger, error) {
	ledgers, errs := make([]*demoLedger, len(c.Homes)), make([]error, len(c.Homes))
	var all sync.WaitGroup
	for i, h := range c.Homes {
		all.Go(func() {
			l := &demoLedger{}
			var err error
			l.LedgerSummary, err = replica.ReadLedger(h.Config.Storage.Path, c.Genesis, messages.Index(i), func(d *messages.Decided) error {
				l.batches = append(l.batches, d.Digest)
				return nil
			})
			if err != nil {
				errs[i] = fmt.Errorf("read the ledger of replica %d: %w", i, err)
			}
			ledgers[i] = l
		})
	}
	all.Wait()
	return ledgers, errors.Join(errs...)
}

// agreement is how ledgers compare.
type agreement uint8

const (
	equal    agreement = iota
	prefixes           // as far as they go; some do not go as far
	differ             // two have different batches at a sequence
)

func (a agreement) String() string {
	return [...]string{"all heads agree", "all ledgers agree as far as they go", "THE LEDGERS DIFFER"}[a]
}

// compare finds the worst there is between any two of the ledgers.
func compare(ledgers []*demoLedger) agreement {
	longest := ledgers[0]
	for _, l := range ledgers {
		if len(l.batches) > len(longest.batches) {
			longest = l
		}
	}
	worst := equal
	for _, l := range ledgers {
		for i, digest := range l.batches {
			if digest != longest.batches[i] {
				return differ
			}
		}
		switch {
		case len(l.batches) < len(longest.batches):
			worst = prefixes
		case l.Head != longest.Head: // it covers the batches
			return differ
		}
	}
	return worst
}

// lengths are the last sequences of the shortest and of the longest ledger.
func lengths(ledgers []*demoLedger) (shortest, longest messages.Seq) {
	shortest = ledgers[0].Seq
	for _, l := range ledgers {
		shortest, longest = min(shortest, l.Seq), max(longest, l.Seq)
	}
	return shortest, longest
}
