package httpapi

import (
	"context"
	"errors"
	"strings"

	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/replica"
)

// write writes the receipts of the groups, in their order, until there are no more.
// When it fails it goes on without waiting and writing, until the reader knows.
func (b *batchStream) write() {
	stopped := b.h.door.Done()
	for {
		var g *batchGroup
		var ok bool
		select {
		case g, ok = <-b.groups:
		default:
			b.flush()
			select {
			case g, ok = <-b.groups:
			case <-stopped:
				b.endRead()
				stopped = nil
				continue
			}
		}
		if !ok {
			b.flush()
			return
		}
		b.writeGroup(g)
		b.ahead.Add(-int64(g.n))
		select {
		case b.drained <- struct{}{}:
		default: // it knows
		}
	}
}

// flush sends what is written. What fails ends the batch.
func (b *batchStream) flush() {
	if b.out.Buffered() == 0 || b.ctx.Err() != nil {
		return
	}
	b.extendWrite()
	err := b.out.Flush()
	if err == nil {
		err = b.rc.Flush()
	}
	if err != nil {
		b.leave(err)
	}
}

// leave ends the batch of a client that is gone.
func (b *batchStream) leave(err error) {
	b.h.log.Debug().Err(err).Msg("a client left before its answer")
	b.cancel(err)
	b.endRead()
}

func (b *batchStream) writeGroup(g *batchGroup) {
	var receipts []replica.Receipt
	err := g.err
	if g.sub != nil {
		receipts, err = b.await(g)
	}
	if b.ctx.Err() != nil {
		return
	}
	b.extendWrite()
	for i := range g.n {
		r := BatchReceipt{Index: g.first + uint64(i)}
		switch {
		case g.sub != nil && g.sub.Refused != nil && g.sub.Refused[i] != nil:
			r.refuse(g.sub.Refused[i], StatusInvalid)
		case i < len(receipts) && receipts[i].Seq > 0:
			r.settle(&receipts[i])
		default:
			r.refuse(err, StatusError)
			if i < len(receipts) {
				r.Vertex = receipts[i].Vertex
			}
		}
		b.scratch = b.format.appendReceipt(b.scratch[:0], &r)
		if _, err := b.out.Write(b.scratch); err != nil {
			b.leave(err)
			return
		}
	}
}

// await waits until a group is final, its time is over, or the client is gone.
// Receipts that are written already are sent before.
func (b *batchStream) await(g *batchGroup) ([]replica.Receipt, error) {
	select {
	case <-g.sub.Done:
	default:
		b.flush()
	}
	ctx, cancel := context.WithDeadlineCause(b.ctx, g.until, errWaited)
	defer cancel()
	return g.sub.Wait(ctx)
}

// outcomeStatus are the names of pbft's outcomes, as a status.
var outcomeStatus = func() (names [pbft.TooManyCreators + 1]string) {
	for o := range names {
		names[o] = strings.ReplaceAll(pbft.Outcome(o).String(), " ", "_")
	}
	names[pbft.Fresh] = StatusFinal
	return names
}()

// settle fills in what a vertex's receipt says.
func (r *BatchReceipt) settle(receipt *replica.Receipt) {
	r.Vertex, r.Sequence, r.Position = receipt.Vertex, receipt.Seq, receipt.Position
	r.Status = outcomeStatus[receipt.Outcome]
	if receipt.Result.Failed {
		r.Status = StatusFailed
	}
	r.Detail = []byte(receipt.Result.Data)
}

// refuse says why a vertex has no receipt; otherwise is the status of an error that
// has none of its own.
func (r *BatchReceipt) refuse(err error, otherwise string) {
	var (
		bad      *malformed
		tooLarge *replica.TooLargeError
		seal     *replica.SignatureError
		notFinal *replica.NotFinalError
	)
	switch {
	case errors.As(err, &bad):
		r.Status = StatusMalformed
	case errors.As(err, &tooLarge):
		r.Status = StatusTooLarge
	case errors.As(err, &seal):
		r.Status, err = StatusSignature, seal.Cause
	case errors.Is(err, replica.ErrStopped), errors.Is(err, replica.ErrHalted):
		r.Status = StatusStopped
	case errors.Is(err, replica.ErrSkipped):
		r.Status = StatusSkipped
	case errors.As(err, &notFinal), errors.Is(err, errWaited):
		r.Status = StatusNotFinal
	case err == nil:
		r.Status, err = StatusError, errors.New("there is no receipt")
	default:
		r.Status = otherwise
	}
	text := err.Error()
	r.Detail = []byte(text[:min(len(text), reasonBytesMax)])
}
