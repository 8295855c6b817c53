package storage

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/cockroachdb/pebble/v2"
)

const (
	ledgerPrefix     = "ledger/"
	placeBytes       = 16
	ledgerFixedBytes = 8 + 32 + placeBytes // view, digest, batch; then the certificate's places
)

// LedgerEntry says which batch was decided at a sequence and where the journal
// holds it and the bundles of its certificate: a batch reaches the disk once,
// a bundle that certifies many batches too, and the ledger refers to them.
type LedgerEntry struct {
	Seq, View   uint64
	Digest      [32]byte
	Batch       Place
	Certificate []Place
}

// Ledger is the index of decided batches by sequence. It lives in a State, under
// the keys that begin with "ledger/".
type Ledger struct{ state *State }

// NewLedger gives the ledger within state.
func NewLedger(state *State) *Ledger { return &Ledger{state: state} }

// Put adds an entry to the batch, in place of the one for its Seq.
func (l *Ledger) Put(b *Batch, e LedgerEntry) { b.Set(ledgerKey(e.Seq), encodeLedgerEntry(e)) }

// Get returns the entry for seq, or ErrNotFound.
func (l *Ledger) Get(seq uint64) (LedgerEntry, error) {
	value, err := l.state.Get(ledgerKey(seq))
	if err != nil {
		return LedgerEntry{}, fmt.Errorf("ledger entry %d: %w", seq, err)
	}
	return decodeLedgerEntry(ledgerKey(seq), value)
}

// Range calls visit for each entry with from <= Seq <= to, in order.
func (l *Ledger) Range(from, to uint64, visit func(LedgerEntry) error) error {
	return l.state.Range(ledgerKey(from), ledgerEnd(to), func(key, value []byte) error {
		e, err := decodeLedgerEntry(key, value)
		if err != nil {
			return err
		}
		return visit(e)
	})
}

// First returns the entry with the lowest Seq, or ErrNotFound.
func (l *Ledger) First() (LedgerEntry, error) { return l.edge("first", (*pebble.Iterator).First) }

// Last returns the entry with the highest Seq, or ErrNotFound.
func (l *Ledger) Last() (LedgerEntry, error) { return l.edge("last", (*pebble.Iterator).Last) }

func (l *Ledger) edge(which string, seek func(*pebble.Iterator) bool) (LedgerEntry, error) {
	key, value, err := l.state.edge(ledgerKey(0), ledgerEnd(math.MaxUint64), seek)
	if err != nil {
		return LedgerEntry{}, fmt.Errorf("%s ledger entry: %w", which, err)
	}
	return decodeLedgerEntry(key, value)
}

// Trim removes, in the batch, the entries with a Seq below before.
func (l *Ledger) Trim(b *Batch, before uint64) { b.DeleteRange(ledgerKey(0), ledgerKey(before)) }

// ledgerKey orders entries by Seq: it is big-endian.
func ledgerKey(seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(ledgerPrefix), seq)
}

// ledgerEnd is the first key behind that of seq.
func ledgerEnd(seq uint64) []byte {
	if seq == math.MaxUint64 {
		return prefixEnd([]byte(ledgerPrefix))
	}
	return ledgerKey(seq + 1)
}

func encodeLedgerEntry(e LedgerEntry) []byte {
	b := make([]byte, 0, ledgerFixedBytes+len(e.Certificate)*placeBytes)
	b = binary.BigEndian.AppendUint64(b, e.View)
	b = append(b, e.Digest[:]...)
	b = appendPlace(b, e.Batch)
	for _, p := range e.Certificate {
		b = appendPlace(b, p)
	}
	return b
}

func decodeLedgerEntry(key, value []byte) (LedgerEntry, error) {
	if len(key) != len(ledgerPrefix)+8 || len(value) < ledgerFixedBytes || (len(value)-ledgerFixedBytes)%placeBytes != 0 {
		return LedgerEntry{}, fmt.Errorf("ledger entry at key %x has %d bytes: the state is damaged or of another release", key, len(value))
	}
	e := LedgerEntry{
		Seq:    binary.BigEndian.Uint64(key[len(ledgerPrefix):]),
		View:   binary.BigEndian.Uint64(value),
		Digest: [32]byte(value[8:40]),
		Batch:  decodePlace(value[40:56]),
	}
	for value = value[ledgerFixedBytes:]; len(value) > 0; value = value[placeBytes:] {
		e.Certificate = append(e.Certificate, decodePlace(value))
	}
	return e, nil
}

func appendPlace(b []byte, p Place) []byte {
	b = binary.BigEndian.AppendUint64(b, p.Segment)
	b = binary.BigEndian.AppendUint32(b, p.Offset)
	return binary.BigEndian.AppendUint32(b, p.Length)
}

func decodePlace(b []byte) Place {
	return Place{
		Segment: binary.BigEndian.Uint64(b),
		Offset:  binary.BigEndian.Uint32(b[8:]),
		Length:  binary.BigEndian.Uint32(b[12:]),
	}
}
