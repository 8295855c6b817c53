package sim

import (
	"errors"
	"fmt"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// foundDecided takes what a start executed from the disk and nobody had executed
// before: votes of several lives may make a certificate that none of them saw. By it
// the sequence is decided for all.
func (s *simulation) foundDecided(m *member) {
	from := m.last
	for ; from > 0; from-- {
		if _, known := s.oracle.ledger[from]; known {
			break
		}
	}
	head := s.oracle.ledger[from].head
	for seq := from + 1; seq <= m.last; seq++ {
		d, err := m.replica.Decided(seq)
		if err == nil {
			err = s.keyring.OpenDecision(d.View, d.Seq, d.Digest, d.Certificate)
		}
		if err != nil {
			s.oracle.violated("agreement", "%v starts at sequence %d, and %d nobody has executed: %v", m, m.last, seq, err)
			return
		}
		head = pbft.NextHead(head, seq, d.Digest)
		s.oracle.finalized(m.index, messages.Finalized{Seq: seq, Digest: d.Digest, Head: head})
	}
}

// readLedgers pulls the plug of every replica at the end of a run and reads what
// was finalised from the disks: every sequence up to the stable checkpoint, with
// its batch and its certificate, as all agreed on.
func (s *simulation) readLedgers() {
	for _, m := range s.members {
		if m.faulty || m.replica == nil {
			continue
		}
		stable := m.replica.Status().StableCheckpoint
		if err := s.readLedger(m, stable); err != nil {
			s.oracle.violated("the ledger is on disk", "%v: %v", m, err)
		}
	}
}

func (s *simulation) readLedger(m *member, stable messages.Seq) (err error) {
	fs := m.disk.crashed(s.rng.faults, losesAll)
	id := storage.Identity{Chain: s.keyring.Chain(), Member: s.genesis.MemberID(messages.Index(m.index))}
	journal, err := storage.OpenJournal(journalDir, id, storage.Options{FS: fs, SegmentBytes: segmentBytes})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	state, err := storage.OpenState(stateDir, fs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, state.Close()) }()
	ledger, last, err := actors.ReadLedger(journal, state, s.genesis)
	if err != nil {
		return err
	}
	if last < stable {
		return fmt.Errorf("it ends at sequence %d, below the stable checkpoint %d", last, stable)
	}
	base, head := ledger.Base()
	if agreed := s.oracle.ledger[base]; base > 0 && agreed.head != head {
		return fmt.Errorf("it begins behind sequence %d with head %v, others have %v", base, head, agreed.head)
	}
	for seq := base + 1; seq <= last; seq++ {
		d, ok, err := ledger.Decided(seq)
		switch {
		case err != nil:
			return err
		case !ok:
			return fmt.Errorf("sequence %d is missing, of %d", seq, last)
		}
		s.oracle.decided(m.index, seq, d.Digest)
		if err := s.keyring.OpenDecision(d.View, d.Seq, d.Digest, d.Certificate); err != nil {
			return fmt.Errorf("sequence %d: %w", seq, err)
		}
		if d.Digest == messages.NullDigest {
			continue
		}
		batch, err := messages.ParseBatch(d.Body, s.genesis.Params)
		if err != nil {
			return fmt.Errorf("sequence %d: %w", seq, err)
		}
		if batch.Digest() != d.Digest {
			return fmt.Errorf("sequence %d: the batch is %v, decided was %v", seq, batch.Digest(), d.Digest)
		}
	}
	return nil
}
