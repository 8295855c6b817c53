package actors

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// Ledger reads what was finalised: from the journal's segments, where it lies
// once, but for the newest, which may not be there yet. The state store says
// where up to the last stable checkpoint, and memory above it. The executor writes it; anyone may read.
type Ledger struct {
	journal *storage.Journal
	index   *storage.Ledger
	params  messages.Params

	mu     sync.RWMutex
	base   ledgerBase
	recent map[messages.Seq]*decided
	places map[messages.Seq]storage.LedgerEntry

	vertices *vertexIndex
}

func newLedger(journal *storage.Journal, state *storage.State, params messages.Params) *Ledger {
	return &Ledger{
		journal: journal, index: storage.NewLedger(state), params: params,
		recent: make(map[messages.Seq]*decided), places: make(map[messages.Seq]storage.LedgerEntry),
		vertices: &vertexIndex{store: state, interval: params.CheckpointInterval},
	}
}

// ReadLedger gives the ledger in the folder of a replica that is not running,
// and the last sequence in it.
func ReadLedger(journal *storage.Journal, state *storage.State, g *messages.Genesis) (*Ledger, messages.Seq, error) {
	l := newLedger(journal, state, g.Params)
	if err := l.load(state); err != nil {
		return nil, 0, err
	}
	stable := l.base.seq
	switch last, err := l.index.Last(); {
	case err == nil:
		stable = messages.Seq(last.Seq)
	case !errors.Is(err, storage.ErrNotFound):
		return nil, 0, err
	}
	replay := newReplay(g, stable)
	if err := replay.read(journal); err != nil {
		return nil, 0, err
	}
	last := stable
	for {
		_, entry, ok := replay.decided(last + 1)
		if !ok {
			return l, last, nil
		}
		l.placed(entry)
		last++
	}
}

func (l *Ledger) add(d *decided) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d.commit.Seq > l.base.seq {
		l.recent[d.commit.Seq] = d
	}
}

// placed notes where a finalised batch lies, until the state store knows. From
// now on it is read from there.
func (l *Ledger) placed(e storage.LedgerEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if messages.Seq(e.Seq) <= l.base.seq {
		return // a state was taken over meanwhile
	}
	l.places[messages.Seq(e.Seq)] = e
	delete(l.recent, messages.Seq(e.Seq))
}

// entries lists the places at or below seq that the state store does not know
// yet, ascending.
func (l *Ledger) entries(seq messages.Seq) []storage.LedgerEntry {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var list []storage.LedgerEntry
	for _, s := range slices.Sorted(maps.Keys(l.places)) {
		if s <= seq {
			list = append(list, l.places[s])
		}
	}
	return list
}

// stored drops from memory what the state store knows now.
func (l *Ledger) stored(seq messages.Seq) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.places, func(s messages.Seq, _ storage.LedgerEntry) bool { return s <= seq })
}

// Decided gives the finalised batch of seq with its certificate; ok is
// false if this replica has not executed it.
func (l *Ledger) Decided(seq messages.Seq) (d *messages.Decided, ok bool, err error) {
	l.mu.RLock()
	recent, place := l.recent[seq], l.places[seq]
	l.mu.RUnlock()
	if recent != nil {
		d := &messages.Decided{View: recent.commit.View, Seq: seq, Digest: recent.commit.Digest, Certificate: recent.commit.Bundles}
		if recent.batch != nil {
			d.Body = recent.batch.Bytes()
		}
		return d, true, nil
	}
	if place.Seq == 0 {
		place, err = l.index.Get(uint64(seq))
		if errors.Is(err, storage.ErrNotFound) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
	d, err = l.read(place)
	return d, err == nil, err
}

func (l *Ledger) read(e storage.LedgerEntry) (*messages.Decided, error) {
	d := &messages.Decided{View: messages.View(e.View), Seq: messages.Seq(e.Seq), Digest: e.Digest}
	if e.Batch != (storage.Place{}) {
		body, err := l.journal.Read(e.Batch, nil)
		if err != nil {
			return nil, fmt.Errorf("read the batch of sequence %d: %w", e.Seq, err)
		}
		d.Body = body
	}
	for _, p := range e.Certificate {
		data, err := l.journal.Read(p, nil)
		if err != nil {
			return nil, fmt.Errorf("read the certificate of sequence %d: %w", e.Seq, err)
		}
		r, err := messages.ParseBundleRecord(data)
		if err != nil {
			return nil, fmt.Errorf("read the certificate of sequence %d: %w", e.Seq, err)
		}
		d.Certificate = append(d.Certificate, r.Bundle)
	}
	return d, nil
}

// decided gives what was decided at a sequence, from memory if it is there still; nil
// if this replica has not executed it.
func (l *Ledger) decided(seq messages.Seq) (*decided, error) {
	l.mu.RLock()
	recent := l.recent[seq]
	l.mu.RUnlock()
	if recent != nil {
		return recent, nil
	}
	d, ok, err := l.Decided(seq)
	if err != nil || !ok {
		return nil, err
	}
	return l.decision(d)
}

// decision turns what is read from the ledger back into what the executor takes.
func (l *Ledger) decision(d *messages.Decided) (*decided, error) {
	out := &decided{commit: pbft.Committed{View: d.View, Seq: d.Seq, Digest: d.Digest, Bundles: d.Certificate}}
	if d.Digest == messages.NullDigest {
		return out, nil
	}
	batch, err := messages.ParseBatch(d.Body, l.params)
	if err != nil {
		return nil, err
	}
	if batch.Digest() != d.Digest {
		return nil, fmt.Errorf("the batch of sequence %d has digest %v, not %v", d.Seq, batch.Digest(), d.Digest)
	}
	out.batch = batch
	return out, nil
}
