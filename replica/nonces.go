package replica

import (
	"context"

	"github.com/cretoai/consensus/messages"
)

// Nonces says which nonces a creator may use, as of what this replica has executed.
// What is still on its way is not counted: who has vertices there counts on by
// itself, and asks when it begins.
type Nonces struct {
	// Next is one above the highest nonce executed: using them in ascending order
	// from here on is always right.
	Next uint64 `json:"next"`
	// Base is the lowest that may still execute.
	Base uint64 `json:"base"`
	// Window is how many from Base on may be used in any order. A higher one moves
	// Base up, and what falls below is spent; from Base+2·Window on none execute.
	Window uint64 `json:"window"`
	// Sequence is the last one executed here. Vertices that expire below it are too
	// late.
	Sequence messages.Seq `json:"sequence"`
}

// Nonces tells where a creator stands. For one that never executed anything, or
// nothing for a million sequences, it begins at 0.
// A replica that executes nothing any more says so with a HaltedError.
func (r *Replica) Nonces(ctx context.Context, creator [32]byte) (Nonces, error) {
	if err := r.readers.enter(); err != nil {
		return Nonces{}, err
	}
	defer r.readers.leave()
	if err := r.works(); err != nil {
		return Nonces{}, err
	}
	s, err := r.tree.CreatorStanding(ctx, creator)
	return Nonces{s.Next, s.Base, s.Window, s.Seq}, err
}
