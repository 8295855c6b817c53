package pbft

import (
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// Effect is what the Sequencer asks of its surroundings. Effects are performed
// in the order in which they are given.
//
//sumtype:decl
type Effect interface{ effect() }

// ToSlot steps the tracker of Seq, which is made at the first event. Batch is
// set with a BatchHeld.
type ToSlot struct {
	Seq   messages.Seq
	Event SlotEvent
	Batch *messages.Batch
}

// StopSlot ends the tracker of Seq: the sequence was executed.
type StopSlot struct{ Seq messages.Seq }

// Flush asks that the group's records become durable and its bundles be signed,
// side by side. The caller owes OnReleased when both are done.
type Flush struct{ Group Group }

// Broadcast sends own bundles to all other members.
type Broadcast struct{ Bundles []*messages.Bundle }

// Resend sends own bundles to one member that lacks them.
type Resend struct {
	To      messages.Index
	Bundles []*messages.Bundle
}

// ViewChangeReleased hands over the own ViewChange, durable and signed, with the
// certificate of the checkpoint it begins at. Package leader's manager has it
// sent, and sent again.
type ViewChangeReleased struct {
	Support
	Stable StableCheckpoint
}

// NewViewReleased hands over the own NewView, durable and signed, likewise.
type NewViewReleased struct{ NewView *NewView }

// Moved reports that the voter left its view or entered one: View, Active and
// Leads have changed.
type Moved struct{}

// SendPrepared answers a FetchPrepared.
type SendPrepared struct {
	To    messages.Index
	Proof Proof
}

// BroadcastBatch sends the bytes of a batch to all other members. They carry no
// signature, so they need not wait for the disk.
type BroadcastBatch struct{ Batch *messages.Batch }

// SendBatch answers a FetchBatch.
type SendBatch struct {
	To    messages.Index
	Batch *messages.Batch
}

// FetchBatches asks a member for the bodies of batches.
type FetchBatches struct {
	To      messages.Index
	Digests []messages.Digest
}

// SendStable sends the stable checkpoint to a member that is below it.
type SendStable struct {
	To         messages.Index
	Checkpoint StableCheckpoint
}

// BecameStable hands over a certificate for a state this replica has executed.
// The caller makes it durable, then owes OnStable. [C3]
type BecameStable struct{ Checkpoint StableCheckpoint }

// Proposed reports that the leader's batch has its sequence.
type Proposed struct {
	Seq   messages.Seq
	Batch *messages.Batch
}

// Refused reports a verified vote of a peer that a correct member would not
// have sent, or a proposal that may not be voted for.
type Refused struct {
	From    messages.Index
	Vote    messages.Vote
	Refusal Refusal
}

// Diverged is a safety alarm: what this replica did contradicts a certificate.
// It has stopped voting; the caller stops executing and says so loudly. [V5]
type Diverged struct {
	Seq            messages.Seq
	Own, Certified messages.Digest
}

// Doubled is a safety alarm: this vote was signed with the own key and is not in
// the own record. It has stopped voting; the caller says so loudly. [D3]
type Doubled struct{ Vote messages.Vote }

func (ToSlot) effect()             {}
func (Doubled) effect()            {}
func (ViewChangeReleased) effect() {}
func (NewViewReleased) effect()    {}
func (Moved) effect()              {}
func (SendPrepared) effect()       {}
func (StopSlot) effect()           {}
func (Flush) effect()              {}
func (Broadcast) effect()          {}
func (Resend) effect()             {}
func (BroadcastBatch) effect()     {}
func (SendBatch) effect()          {}
func (FetchBatches) effect()       {}
func (SendStable) effect()         {}
func (BecameStable) effect()       {}
func (Proposed) effect()           {}
func (Refused) effect()            {}
func (Diverged) effect()           {}

// verifiedVote shortens the type every vote from outside has.
type verifiedVote = crypto.Verified[messages.Vote]
