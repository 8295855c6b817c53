package messages

// Event is what a replica tells those who run inside it: custom actors and
// subscribers. All are values, never pointers, so a type switch has cases such as
// messages.Finalized:
//
//	Finalized            a batch was executed
//	Checkpointed         a checkpoint is stable
//	StateInstalled       the state at a checkpoint was taken over from others
//	ViewChanged          a view is active, with its leader
//	LeaderSuspected      the leader is suspected, or no more
//	ViolationDetected    a member is charged with something
//	MemberBanned         a member lost its privileges
//	BanEnded             and has them back
//	EvidenceFound        there is proof that a member voted twice
//	InvalidNewViewFound  there is proof that a leader began a view wrongly
//	KeyUsedElsewhere     this replica's own key signed what the replica did not
//
// They tell of this replica alone: others have theirs, at other times. What they
// refer to, as a batch, is shared and must not be changed.
//
//sumtype:decl
type Event interface{ event() }

// Finalized says that the batch of Seq was executed. View is the view whose
// certificate this replica saw; replicas may differ in it. Executed counts the
// vertices executed for the first time; the others were no-ops.
type Finalized struct {
	Seq      Seq
	View     View
	Batch    *Batch // immutable, nil for the null batch
	Digest   Digest
	Head     Digest // the ledger head after Seq
	Executed int
}

// Checkpointed says that the state after Seq is stable: a quorum signed it and
// it is durable here.
type Checkpointed struct {
	Seq    Seq
	Digest Digest
}

// StateInstalled says that this replica took the state after Seq over from the
// others: there is no Finalized for what lies below, and the next one is for
// Seq+1. Vertices were executed since genesis. Checkpointed for Seq follows.
type StateInstalled struct {
	Seq      Seq
	Head     Digest // the ledger head after Seq
	Vertices uint64
}

// ViewChanged says that View is active, led by Leader.
type ViewChanged struct {
	View   View
	Leader Index
}

// LeaderSuspected says that this replica suspects the leader of its view, and
// why; an empty reason ends the suspicion. It goes on voting in the view.
type LeaderSuspected struct {
	View   View
	Leader Index
	Reason string
}

// ViolationDetected says that a member did what no correct one does, or is
// suspected of it. Type is one of the closed list the metrics use. Score is
// its reputation afterwards, in thousandths.
type ViolationDetected struct {
	Member Index
	Type   string
	Score  int
	Banned bool
}

// MemberBanned says that this replica took a member's privileges: it convicted
// it of a lie, or its score fell too low. Its votes count as ever.
type MemberBanned struct {
	Member    Index
	Score     int
	Convicted bool
}

// BanEnded says that a member has its privileges back.
type BanEnded struct {
	Member Index
	Score  int
}

// EvidenceFound says that this replica holds, from now on, proof of a lie,
// found by itself or told by a peer and judged. EncodeFrame makes its file.
type EvidenceFound struct{ Evidence *Evidence }

// InvalidNewViewFound says that this replica holds proof that a leader signed a
// NewView that does not follow from its ViewChanges. Encode makes its file.
type InvalidNewViewFound struct {
	Proof  *InvalidNewView
	Reason string
}

// KeyUsedElsewhere says that something is around which this replica's own key signed
// and the replica did not: another process has the key, or the folder is, or was, an
// older copy. Votes are one that is not in its record, after which it has halted, or
// the two of evidence, or none if it is a NewView that convicts. If it is Observing,
// for it found its disk empty, it may have signed that itself before.
type KeyUsedElsewhere struct {
	Votes     []Vote
	Observing bool
}

func (Finalized) event()           {}
func (Checkpointed) event()        {}
func (StateInstalled) event()      {}
func (ViewChanged) event()         {}
func (LeaderSuspected) event()     {}
func (ViolationDetected) event()   {}
func (MemberBanned) event()        {}
func (BanEnded) event()            {}
func (InvalidNewViewFound) event() {}
func (EvidenceFound) event()       {}
func (KeyUsedElsewhere) event()    {}
