package actors

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// What a panic out of the application leaves in its memory nobody knows: half a
// batch, an index without its entries. Trying again on top of that would give a
// state of this replica's own. So it has its second chance at the state as it
// was: that of the last durable checkpoint, which is read back from disk and
// compared with what a quorum signed, and the ledger behind it, executed again
// up to the last applied sequence. What is wrong on one replica for a moment is
// mended by that. What panics again is the application's word, and execution
// ends. [X5]

// apply executes a batch, and once more from the last applied sequence if the
// application panics. After an error nothing is known about the state.
func (x *execution) apply(t *Tree, d *decided) (outcomes []pbft.Outcome, ops []Operation, err error) {
	outcomes, ops, err = x.state.apply(d)
	if err == nil {
		return outcomes, ops, nil
	}
	t.cfg.Metrics.ApplicationRetried()
	t.log.Error().Uint64("seq", uint64(d.commit.Seq)).Err(err).
		Msg("the application panicked: going back to the last checkpoint, to execute what follows once more")
	if failed := x.goBack(t); failed != nil {
		return nil, nil, fmt.Errorf("go back to sequence %d: %w\nafter a panic at sequence %d: %w", x.state.seq, failed, d.commit.Seq, err)
	}
	if outcomes, ops, err = x.state.apply(d); err != nil {
		return nil, nil, fmt.Errorf("executing sequence %d failed twice: %w", d.commit.Seq, err)
	}
	t.log.Info().Uint64("seq", uint64(d.commit.Seq)).Msg("the application executed it at the second try")
	return outcomes, ops, nil
}

// goBack makes the state anew as it was after the last applied sequence. Nothing
// is told to anyone: what is executed again was delivered the first time. The
// images that wait are taken again, too, for the client table and an application
// in buckets note what was written since the last one; and they must be the same.
func (x *execution) goBack(t *Tree) (err error) {
	x.store.Lock() // no checkpoint replaces the state on disk meanwhile
	defer x.store.Unlock()
	was, images, changing := x.state, x.images, x.changing
	x.changing = true
	defer func() {
		if x.changing = changing; err != nil {
			x.state, x.images = was, images
		}
	}()
	if x.state, err = x.lastStable(t); err != nil {
		return err
	}
	x.images = nil
	for from := x.state.seq; x.state.seq < was.seq; {
		d, err := t.ledger.executed(x.state.seq + 1)
		if err != nil {
			return err
		}
		if _, _, err := x.state.apply(d); err != nil {
			return fmt.Errorf("execute sequence %d again, from %d: %w", d.commit.Seq, from, err)
		}
		if x.state.seq%t.cfg.Genesis.Params.CheckpointInterval == 0 {
			if err := x.takeImage(); err != nil {
				return err
			}
		}
	}
	if x.state.head != was.head || x.state.total != was.total {
		return fmt.Errorf("the ledger leads to head %v and %d vertices, not to %v and %d", x.state.head, x.state.total, was.head, was.total)
	}
	return sameStates(x.images, images)
}

// lastStable reads the state of the last durable checkpoint, or that of genesis,
// into memory.
func (x *execution) lastStable(t *Tree) (state *executedState, err error) {
	failed := recovered(func() {
		var stable pbft.StableCheckpoint
		if stable, err = recoverStable(t.cfg.State); err != nil {
			return
		}
		if stable.Seq == 0 {
			if err = x.beginning.restore(x.state.app); err != nil {
				return
			}
		}
		_, state, _, err = t.recoverState()
	})
	return state, errors.Join(failed, err)
}

// sameStates compares images that were taken again with those of the first time.
func sameStates(again, before []*image) error {
	for _, a := range again {
		for _, b := range before {
			if a.seq == b.seq && a.digest != b.digest {
				return fmt.Errorf("executed again, sequence %d leads to the state %v, not to %v: the application is not deterministic", a.seq, a.digest, b.digest)
			}
		}
	}
	return nil
}

// executed gives what was decided at a sequence that was executed here.
func (l *Ledger) executed(seq messages.Seq) (*decided, error) {
	d, err := l.decided(seq)
	if err == nil && d == nil {
		err = fmt.Errorf("the ledger lacks sequence %d, which was executed", seq)
	}
	return d, err
}

// beginning is the application as it came to the replica, for as long as there is
// no checkpoint to go back to.
type beginning struct {
	snapshot []byte
	digest   messages.Digest
}

func takeBeginning(app StateMachine) (b *beginning, err error) {
	failed := recovered(func() {
		var snapshot bytes.Buffer
		err = app.Snapshot(&snapshot)
		b = &beginning{snapshot.Bytes(), app.Digest()}
	})
	if err = errors.Join(failed, err); err != nil {
		return nil, fmt.Errorf("snapshot of the application at the start: %w", err)
	}
	return b, nil
}

func (b *beginning) restore(app StateMachine) error {
	if b == nil {
		return errors.New("there is no checkpoint on disk, and the beginning is not at hand")
	}
	if err := app.Restore(bytes.NewReader(b.snapshot)); err != nil {
		return fmt.Errorf("restore the application to its beginning: %w", err)
	}
	if got := app.Digest(); got != b.digest {
		return fmt.Errorf("restored to its beginning, the application has digest %v, not %v", got, b.digest)
	}
	return nil
}
