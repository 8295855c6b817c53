package messages

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Status is a replica's word on where it stands, sent every heartbeat and at
// once when view, activity or suspicion change. It is authenticated by the
// channel alone and drives retransmission: it may affect liveness, never
// safety. [protocol §6]
//
// The bitmaps have bit i for member i. Bits at n and above mean nothing.
type Status struct {
	View   View
	Active bool // false: changing to View, which is then not 0

	// Suspects is the view whose leader is suspected, 0 without a suspicion.
	Suspects  View
	Suspicion Suspicion

	Low       Seq // h, the last stable checkpoint
	LowDigest Digest

	Executed   Seq
	LedgerHead Digest // after Executed

	// ViewChanges are the members whose ViewChange for the pending view is held.
	ViewChanges uint64
	// Checkpoints are those above Low of which a vote is held, ascending.
	Checkpoints []CheckpointHeld
	// Slots are the sequences in (Executed, highest seen], ascending; one of
	// which nothing is held may be left out. At most WindowMax.
	Slots []SlotHeld
}

// Suspicion says why a leader is suspected.
type Suspicion uint8

// The suspicions. Their numbers travel: they never change.
const (
	SuspicionNone      Suspicion = 0
	SuspicionOwn       Suspicion = 1 // for a reason of the sender's own
	SuspicionAmplified Suspicion = 2 // because f+1 others suspect
)

func (s Suspicion) String() string {
	switch s {
	case SuspicionNone:
		return "none"
	case SuspicionOwn:
		return "own"
	case SuspicionAmplified:
		return "amplified"
	}
	return fmt.Sprintf("suspicion(%d)", uint8(s))
}

// CheckpointHeld tells whose Checkpoint votes for Seq are held.
type CheckpointHeld struct {
	Seq     Seq
	Members uint64
}

// SlotHeld tells what is held of one sequence, in the sender's view.
type SlotHeld struct {
	Seq Seq
	// Digest8 begins the digest accepted there, see Digest.Prefix; 0 = none.
	Digest8           uint64
	HasBatch          bool
	Prepares, Commits uint64
}

// FrameKind implements Message.
func (*Status) FrameKind() FrameKind { return FrameStatus }

// Validate implements Message.
func (m *Status) Validate() error {
	switch {
	case !m.Active && m.View == 0:
		return errors.New("nobody changes to view 0")
	case m.Suspicion > SuspicionAmplified:
		return fmt.Errorf("unknown suspicion %d", uint8(m.Suspicion))
	case m.Suspicion == SuspicionNone && m.Suspects != 0:
		return fmt.Errorf("view %d is suspected without a suspicion", m.Suspects)
	case m.Low != 0 && m.LowDigest.IsZero():
		return errors.New("a stable checkpoint has a digest")
	case m.Executed != 0 && m.LedgerHead.IsZero():
		return errors.New("who has executed has a ledger head")
	case len(m.Checkpoints) > StatusCheckpointsMax:
		return fmt.Errorf("a status tells of at most %d checkpoints, not %d", StatusCheckpointsMax, len(m.Checkpoints))
	case len(m.Slots) > WindowMax:
		return fmt.Errorf("a status tells of at most %d sequences, not %d", WindowMax, len(m.Slots))
	}
	below := m.Low
	for i, c := range m.Checkpoints {
		if c.Seq <= below {
			return fmt.Errorf("checkpoint %d at sequence %d is not above %d", i, c.Seq, below)
		}
		below = c.Seq
	}
	below = m.Executed
	for i, s := range m.Slots {
		if s.Seq <= below {
			return fmt.Errorf("slot %d at sequence %d is not above %d", i, s.Seq, below)
		}
		below = s.Seq
	}
	return nil
}

// Prefix is the digest's first eight bytes as a number, which is how a Status
// tells accepted digests apart.
func (d Digest) Prefix() uint64 { return binary.BigEndian.Uint64(d[:]) }
