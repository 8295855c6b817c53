package pbft

import "github.com/cretoai/consensus/messages"

// Marks are the current watermarks.
func (s *Sequencer) Marks() Watermarks { return s.voter.Marks() }

// View is the current view.
func (s *Sequencer) View() messages.View { return s.voter.View() }

// Leads reports whether this replica leads its view and may propose.
func (s *Sequencer) Leads() bool { return s.voter.Leads() }

// Active reports whether this replica votes in its view.
func (s *Sequencer) Active() bool { return s.voter.Active() }

// Head is the ledger head after the last executed sequence.
func (s *Sequencer) Head() messages.Digest { return s.head }

// Executed is the last executed sequence.
func (s *Sequencer) Executed() messages.Seq { return s.executed }

// StableCheckpoint is the last stable checkpoint, the low watermark.
func (s *Sequencer) StableCheckpoint() StableCheckpoint { return s.stable }

// Highest is the highest sequence accepted in the current view, or executed: what
// lies between Executed and it is in flight. Votes do not count, for any member can
// send some for every sequence of the window.
func (s *Sequencer) Highest() messages.Seq {
	for seq := s.highest; seq > s.executed; seq-- {
		if _, ok := s.voter.AcceptedAt(seq); ok {
			return seq
		}
	}
	return s.executed
}

// Certified is the highest checkpoint certificate known, perhaps of a state this
// replica has yet to execute.
func (s *Sequencer) Certified() StableCheckpoint { return s.certified }

// ViewRecords are the records that say where the voter stands: with them a
// restart needs none of the older ones about views.
func (s *Sequencer) ViewRecords() []Record {
	var records []Record
	if nv := s.voter.Entered(); nv != nil {
		records = append(records, Record{Kind: RecordNewView, NewView: nv})
	}
	if left := s.voter.Left(); left != nil && left.View == s.voter.View() && !s.voter.Active() {
		records = append(records, Record{Kind: RecordViewChange, ViewChange: left})
	}
	return records
}

// ViewsBeside are the ViewRecords that belong beside the state at a checkpoint that is
// about to be taken over, far above the window. What is recorded of views from now on
// is stamped above it: a restart from it reads both. [V7, R4]
func (s *Sequencer) ViewsBeside(seq messages.Seq) []Record {
	s.beside = max(s.beside, seq)
	return s.ViewRecords()
}

// Underway is a batch on its way to being executed.
type Underway struct {
	Seq   messages.Seq
	Batch *messages.Batch
}

// Underway lists the batches at hand that were accepted in the current view and
// are not executed yet, by sequence.
func (s *Sequencer) Underway() []Underway {
	var list []Underway
	for _, pp := range s.voter.Accepted() {
		if batch := s.bodies.Get(pp.Digest); batch != nil && pp.Seq > s.executed {
			list = append(list, Underway{pp.Seq, batch})
		}
	}
	return list
}

// Entered is the NewView the current view, or the last one before it, was
// entered with; nil if none ever was.
func (s *Sequencer) Entered() *NewView { return s.voter.Entered() }

// AcceptedAt is the digest accepted at a sequence in the current view.
func (s *Sequencer) AcceptedAt(seq messages.Seq) (messages.Digest, bool) {
	return s.voter.AcceptedAt(seq)
}

// Settled is where the current view's NewView ends: fresh pre-prepares lie
// above it.
func (s *Sequencer) Settled() messages.Seq { return s.voter.settled }

// NextSeq is the sequence this replica would propose at, if it leads.
func (s *Sequencer) NextSeq() messages.Seq { return s.voter.NextSeq() }

// Sent lists the votes that may be sent again.
func (s *Sequencer) Sent() []messages.Vote { return s.voter.Sent() }
