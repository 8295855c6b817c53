package pure

import (
	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// Everyone is the receiver of what all other members are sent.
const Everyone = messages.Index(messages.MembersMax)

// Message is what leaves a replica: a Body for one member, or for Everyone.
type Message struct {
	To   messages.Index
	Body Body
}

// Body is what may be said.
//
//sumtype:decl
type Body interface{ body() }

// Votes are those of one bundle.
type Votes struct{ Votes []Vote }

// Batch is the body of a batch.
type Batch struct{ Batch *messages.Batch }

// Stable is a checkpoint with its certificate.
type Stable struct{ Checkpoint pbft.StableCheckpoint }

// Decided is a certified batch, for whoever is behind.
type Decided struct{ Committed pbft.Committed }

// ViewChange is a ViewChange with its body.
type ViewChange struct{ ViewChange leader.ViewChange }

// NewView is a NewView with its body.
type NewView struct{ NewView leader.NewView }

// Prepared is a prepared certificate.
type Prepared struct{ Prepared leader.Prepared }

// Status is a heartbeat's.
type Status struct{ Status *messages.Status }

// FetchBatches asks for batches.
type FetchBatches struct{ Digests []messages.Digest }

// FetchViewChange asks for a ViewChange that a NewView names.
type FetchViewChange struct {
	View   messages.View
	Member messages.Index
	Digest messages.Digest
}

// FetchPrepared asks for a prepared certificate.
type FetchPrepared struct{ Claim messages.Claim }

// Blame says that a member made a NewView that does not follow from what it names.
type Blame struct {
	Member messages.Index
	Why    string
}

func (Blame) body()           {}
func (Votes) body()           {}
func (Batch) body()           {}
func (Stable) body()          {}
func (Decided) body()         {}
func (ViewChange) body()      {}
func (NewView) body()         {}
func (Prepared) body()        {}
func (Status) body()          {}
func (FetchBatches) body()    {}
func (FetchViewChange) body() {}
func (FetchPrepared) body()   {}
