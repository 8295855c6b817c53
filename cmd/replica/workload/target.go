package workload

import (
	"context"
	"errors"
)

// ErrExhausted is Submit's error when a target that submits what was made before has
// nothing left. The window of measurement ends then.
var ErrExhausted = errors.New("what was made to be submitted is used up")

// Target is a system under load. Its methods are called by many goroutines at
// once.
type Target interface {
	// Doors is the number of places where payloads can be submitted: one for each
	// member of a cluster.
	Doors() int
	// Leader is the door of the member that orders. -1 says that it is not known,
	// or that there is none.
	Leader() int
	// Submit has a group of payloads finalised and returns when all are, with the
	// sequence each was finalised at: the place in the system's order that it
	// shares with its batch. The payloads are shared; they must not be changed.
	Submit(ctx context.Context, door int, payloads [][]byte) (sequences []uint64, err error)
	// Count gives what the system has spent so far.
	Count() (Counters, error)
}

// Counters are what a system spent, all members together. A field is zero where
// a system does not count it.
type Counters struct {
	// Sequences is how many batches were ordered: those of one member, not the sum.
	Sequences     float64 `json:"sequences"`
	Signatures    float64 `json:"signatures"`
	Verifications float64 `json:"verifications"`
	Flushes       float64 `json:"flushes"`
	FlushSeconds  float64 `json:"flush_seconds"`
	JournalBytes  float64 `json:"journal_bytes"`
	Messages      float64 `json:"messages"`
	NetworkBytes  float64 `json:"network_bytes"`
	// ViewChanges is how many leaders were left, by the member that left most. A
	// measurement with any is one of timeouts.
	ViewChanges float64 `json:"view_changes"`
	// CreatorVerifications are of signatures of those who submit, and CreatorKeys how
	// many of their keys were expanded for it.
	CreatorVerifications float64 `json:"creator_verifications,omitempty"`
	CreatorKeys          float64 `json:"creator_keys_expanded,omitempty"`
	// CPUSeconds is of whatever processes the members run in.
	CPUSeconds float64 `json:"cpu_seconds"`
}

// since is what was spent after before.
func (c Counters) since(before Counters) Counters {
	return Counters{
		Sequences:     c.Sequences - before.Sequences,
		Signatures:    c.Signatures - before.Signatures,
		Verifications: c.Verifications - before.Verifications,
		Flushes:       c.Flushes - before.Flushes,
		FlushSeconds:  c.FlushSeconds - before.FlushSeconds,
		JournalBytes:  c.JournalBytes - before.JournalBytes,
		Messages:      c.Messages - before.Messages,
		NetworkBytes:  c.NetworkBytes - before.NetworkBytes,
		ViewChanges:   c.ViewChanges - before.ViewChanges,
		CPUSeconds:    c.CPUSeconds - before.CPUSeconds,

		CreatorVerifications: c.CreatorVerifications - before.CreatorVerifications,
		CreatorKeys:          c.CreatorKeys - before.CreatorKeys,
	}
}
