package replica

import (
	"context"
	"errors"

	"github.com/cretoai/consensus/actors"
)

// Submission is vertices that were handed to a replica together, and are on their
// way.
type Submission struct {
	// Refused says by place why a vertex was not taken; it is nil if all were.
	Refused []error
	// Done is closed when Wait would not wait any more.
	Done <-chan struct{}
	// Wait returns the receipts of what was taken, as ProposeAll does, each at the
	// place of its vertex, and a NotFinalError if some are missing; those of refused
	// ones are zero. It is called once.
	Wait func(context.Context) ([]Receipt, error)
}

// Submit hands vertices to the replica and returns when all wait there to be
// finalised, or were refused: it stands still while the pool is full, which is how
// whoever reads them from somewhere should stand still, too. Unlike ProposeAll it
// takes the others if some are refused. If it is an error, a NotProposedError, a
// HaltedError, or ErrStopped, nothing was taken. When ctx, or the replica, ends after
// some were taken, the submission is of these, and Wait tells so. The vertices and
// their payloads are the caller's again when it returns.
func (r *Replica) Submit(ctx context.Context, vertices []Vertex) (*Submission, error) {
	if err := r.admit(ctx); err != nil {
		return nil, err
	}
	s, n := &Submission{}, len(vertices)
	d := r.draft(vertices, func(i int, err error) {
		if s.Refused == nil {
			s.Refused = make([]error, n)
		}
		s.Refused[i] = err
	})
	taken := len(d.encoded)
	if taken == 0 {
		done := make(chan struct{})
		close(done)
		s.Done = done
		s.Wait = func(context.Context) ([]Receipt, error) { return make([]Receipt, n), nil }
		return s, nil
	}
	w := actors.NewWaiter(taken)
	if err := r.feed(ctx, d, w); err != nil && !errors.As(err, new(*NotFinalError)) {
		return nil, err
	}
	s.Done = w.Done
	s.Wait = func(ctx context.Context) ([]Receipt, error) {
		receipts, err := r.collect(ctx, w)
		return s.spread(receipts), err
	}
	return s, nil
}

// spread leaves room among the receipts for what was refused.
func (s *Submission) spread(receipts []Receipt) []Receipt {
	if s.Refused == nil {
		return receipts
	}
	all := make([]Receipt, len(s.Refused))
	for i, refused := range s.Refused {
		if refused == nil {
			all[i], receipts = receipts[0], receipts[1:]
		}
	}
	return all
}
