package storage

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func ledgerEntry(seq uint64) LedgerEntry {
	e := LedgerEntry{
		Seq: seq, View: seq / 3, Digest: [32]byte{byte(seq), 31: 9},
		Batch: Place{Segment: 1 + seq>>8, Offset: math.MaxUint32, Length: uint32(seq)},
	}
	for i := range seq % 4 {
		e.Certificate = append(e.Certificate, Place{Segment: seq, Offset: uint32(i), Length: 7})
	}
	return e
}

func filledLedger(t *testing.T, seqs ...uint64) *Ledger {
	s := openState(t, vfs.NewMem())
	l := NewLedger(s)
	b := s.NewBatch()
	b.Set([]byte("ledger"), []byte("a neighbour"))
	b.Set([]byte("ledger0"), []byte("a neighbour"))
	for _, seq := range seqs {
		l.Put(b, ledgerEntry(seq))
	}
	if err := b.Commit(false); err != nil {
		t.Fatal(err)
	}
	return l
}

func checkLedger(t *testing.T, l *Ledger, from, to uint64, want ...uint64) {
	t.Helper()
	var got []uint64
	err := l.Range(from, to, func(e LedgerEntry) error {
		if !reflect.DeepEqual(e, ledgerEntry(e.Seq)) {
			t.Errorf("entry %d came back as %+v", e.Seq, e)
		}
		got = append(got, e.Seq)
		return nil
	})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("from %d to %d: %v, %v, want %v", from, to, got, err, want)
	}
}

// Byte order is number order, up to the last number.
func TestLedgerInOrder(t *testing.T) {
	l := filledLedger(t, 256, 2, 1, math.MaxUint64, 255, 1<<32)
	checkLedger(t, l, 0, math.MaxUint64, 1, 2, 255, 256, 1<<32, math.MaxUint64)
	checkLedger(t, l, 2, 256, 2, 255, 256)
	checkLedger(t, l, 3, 254)
	checkLedger(t, l, math.MaxUint64, math.MaxUint64, math.MaxUint64)
	if first, err := l.First(); err != nil || first.Seq != 1 {
		t.Errorf("first: %d, %v", first.Seq, err)
	}
	if last, err := l.Last(); err != nil || !reflect.DeepEqual(last, ledgerEntry(math.MaxUint64)) {
		t.Errorf("last: %+v, %v", last, err)
	}
	if e, err := l.Get(255); err != nil || !reflect.DeepEqual(e, ledgerEntry(255)) {
		t.Errorf("get: %+v, %v", e, err)
	}
	if _, err := l.Get(3); !errors.Is(err, ErrNotFound) {
		t.Errorf("get what is not there: %v", err)
	}
}

func TestLedgerTrim(t *testing.T) {
	l := filledLedger(t, 1, 2, 3, 4)
	b := l.state.NewBatch()
	l.Trim(b, 3)
	if err := b.Commit(false); err != nil {
		t.Fatal(err)
	}
	checkLedger(t, l, 0, math.MaxUint64, 3, 4)
	if _, err := l.state.Get([]byte("ledger")); err != nil {
		t.Errorf("trimming took a neighbour: %v", err)
	}
}

func TestEmptyLedger(t *testing.T) {
	l := filledLedger(t)
	checkLedger(t, l, 0, math.MaxUint64)
	for name, edge := range map[string]func() (LedgerEntry, error){"first": l.First, "last": l.Last} {
		if e, err := edge(); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

func TestLedgerRefusesOtherBytes(t *testing.T) {
	l := filledLedger(t, 1)
	value := encodeLedgerEntry(ledgerEntry(3))
	for _, wrong := range [][]byte{nil, value[:ledgerFixedBytes-1], value[:len(value)-1], append(value, 0)} {
		b := l.state.NewBatch()
		b.Set(ledgerKey(3), wrong)
		if err := b.Commit(false); err != nil {
			t.Fatal(err)
		}
		if e, err := l.Get(3); err == nil {
			t.Errorf("%d bytes decode to %+v", len(wrong), e)
		}
	}
}
