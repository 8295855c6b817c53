package actors

import (
	"context"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// nonceQuestion asks where a creator stands; the answer has room for one.
type nonceQuestion struct {
	creator pbft.Creator
	answer  chan<- CreatorStanding
}

// CreatorStanding is where a creator stands after a sequence.
type CreatorStanding struct {
	pbft.Nonces
	Seq messages.Seq
}

// tellNonces answers between two messages: the client table is the executor's own,
// and copies for who may ask would cost every vertex something.
func (x *executor) tellNonces(q *nonceQuestion) {
	select {
	case q.answer <- CreatorStanding{x.state.clients.Nonces(q.creator), x.state.seq}:
	default: // it was asked twice
	}
}

// CreatorStanding asks the executor where a creator stands. The error is ErrStopped,
// or why ctx ended.
func (t *Tree) CreatorStanding(ctx context.Context, creator pbft.Creator) (CreatorStanding, error) {
	answer := make(chan CreatorStanding, 1)
	t.system.Root.Send(t.links.executor, &nonceQuestion{creator, answer})
	select {
	case standing := <-answer:
		return standing, nil
	case <-t.done:
		return CreatorStanding{}, ErrStopped
	case <-ctx.Done():
		return CreatorStanding{}, context.Cause(ctx)
	}
}
