package actors

import (
	"fmt"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// Inspection is what lies in the folder of a replica that is not running, as it
// stands there: nothing is verified but checksums.
type Inspection struct {
	// Segments are the journal's, oldest first.
	Segments []storage.SegmentInfo
	// Stable is the last stable checkpoint, Seq 0 without one; Head and Vertices
	// are the ledger's there.
	Stable   pbft.StableCheckpoint
	Head     messages.Digest
	Vertices uint64
	// Clients and App are the bytes of the client table and of the application's
	// state at that checkpoint, Index those of the index of vertices.
	Clients, App, Index int64
	// First and Last are the ledger's sequences, 0 without any; LastHead is its
	// head after Last. First is above 1 if the ledger was trimmed, or the state
	// below came from the others, and Last may then be First-1.
	First, Last messages.Seq
	LastHead    messages.Digest
	// Entered is the newest view with a NewView on disk, LeftFor the newest that
	// the replica left another one for. It is changing views if that is higher.
	Entered, LeftFor messages.View
	// Accepted, Prepared and Voted count the records above the checkpoint that a restart votes by.
	Accepted, Prepared, Voted int
	// Observes says that a start would not vote until the others have told what it may
	// have voted before, unless it is the member's first. [D4]
	Observes bool
}

// Inspect reads the folder of a replica that is not running.
func Inspect(journal *storage.Journal, state *storage.State, g *messages.Genesis) (*Inspection, error) {
	in := &Inspection{Segments: journal.Segments()}
	if err := in.readCheckpoint(state); err != nil {
		return nil, err
	}
	var err error
	if in.Observes, err = observes(journal, state, in.Stable.Seq); err != nil {
		return nil, err
	}
	ledger, last, err := ReadLedger(journal, state, g)
	if err != nil {
		return nil, err
	}
	if err := in.readLedger(ledger, last); err != nil {
		return nil, err
	}
	views, err := recoverViews(state)
	if err != nil {
		return nil, err
	}
	replay := newReplay(g, in.Stable.Seq)
	if err := replay.read(journal); err != nil {
		return nil, err
	}
	for _, r := range append(views, replay.records...) {
		in.count(r)
	}
	return in, nil
}

func (in *Inspection) readCheckpoint(state *storage.State) error {
	stable, err := recoverStable(state)
	if err != nil || stable.Seq == 0 {
		return err
	}
	in.Stable = stable
	head, err := state.Get(keyHead)
	if err != nil {
		return fmt.Errorf("read the head: %w", err)
	}
	if _, in.Head, in.Vertices, err = decodeHead(head); err != nil {
		return err
	}
	gen, err := readGeneration(state)
	if err != nil {
		return err
	}
	for _, part := range []struct {
		prefix []byte
		bytes  *int64
	}{{sectionPrefix(gen, false), &in.Clients}, {sectionPrefix(gen, true), &in.App}, {keyVertex, &in.Index}} {
		if err := state.Prefix(part.prefix, func(_, value []byte) error { *part.bytes += int64(len(value)); return nil }); err != nil {
			return err
		}
	}
	return nil
}

func (in *Inspection) readLedger(l *Ledger, last messages.Seq) error {
	in.Last, in.LastHead = last, in.Head
	if last == 0 {
		return nil
	}
	base, _ := l.Base()
	in.First = base + 1
	for seq := in.Stable.Seq + 1; seq <= last; seq++ {
		d, ok, err := l.Decided(seq)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("the ledger has no sequence %d, but %d", seq, last)
		}
		in.LastHead = pbft.NextHead(in.LastHead, seq, d.Digest)
	}
	return nil
}

func (in *Inspection) count(r pbft.Record) {
	switch r.Kind {
	case pbft.RecordAccepted:
		in.Accepted++
	case pbft.RecordPrepared:
		in.Prepared++
	case pbft.RecordVote:
		in.Voted++
	case pbft.RecordViewChange:
		in.LeftFor = max(in.LeftFor, r.ViewChange.View)
	case pbft.RecordNewView:
		in.Entered = max(in.Entered, r.NewView.Body.View)
	}
}
