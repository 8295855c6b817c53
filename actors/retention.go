package actors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// ledgerBase is where the ledger begins: behind a sequence, with the ledger head
// there. The zero value is genesis. What lies below was trimmed, or never was
// here: its outcome came by state transfer.
type ledgerBase struct {
	seq  messages.Seq
	head messages.Digest
}

var keyBase = []byte("base") // seq 8 ‖ ledger head 32; absent is genesis

// load reads where the ledger begins.
func (l *Ledger) load(store *storage.State) error {
	value, err := store.Get(keyBase)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("read where the ledger begins: %w", err)
	case len(value) != 8+32:
		return fmt.Errorf("where the ledger begins has %d bytes", len(value))
	}
	l.base = ledgerBase{messages.Seq(binary.BigEndian.Uint64(value)), messages.Digest(value[8:])}
	l.vertices.begin(l.base.seq)
	return nil
}

// Base is where the ledger begins: behind seq, with the ledger head there. Below,
// Decided and Find give nothing.
func (l *Ledger) Base() (seq messages.Seq, head messages.Digest) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.base.seq, l.base.head
}

// cut removes, in a batch of the state store, all up to a base: the entries and
// the index of vertices together.
func (l *Ledger) cut(b *storage.Batch, to ledgerBase) {
	l.index.Trim(b, uint64(to.seq)+1)
	from, _ := l.Base()
	l.vertices.cut(b, from, to.seq)
	b.Set(keyBase, append(binary.BigEndian.AppendUint64(nil, uint64(to.seq)), to.head[:]...))
}

// begin drops from memory what was cut.
func (l *Ledger) begin(to ledgerBase) {
	l.stored(to.seq)
	l.vertices.begin(to.seq)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.base = to
	for seq := range l.recent {
		if seq <= to.seq {
			delete(l.recent, seq)
		}
	}
}

// baseAt moves the base up to a sequence that the state store knows.
func (l *Ledger) baseAt(seq messages.Seq) (ledgerBase, error) {
	base := l.base
	err := l.index.Range(uint64(base.seq)+1, uint64(seq), func(e storage.LedgerEntry) error {
		if messages.Seq(e.Seq) != base.seq+1 {
			return fmt.Errorf("the ledger has no sequence %d, but %d", base.seq+1, e.Seq)
		}
		base = ledgerBase{messages.Seq(e.Seq), pbft.NextHead(base.head, messages.Seq(e.Seq), e.Digest)}
		return nil
	})
	if err == nil && base.seq != seq {
		err = fmt.Errorf("the ledger ends at sequence %d", base.seq)
	}
	return base, err
}

// trimmedWith gives the base that the ledger is trimmed to beside a checkpoint, in the
// same write: never above a snapshot that others may have from here, and only when
// that is as much as lies between two of them; nil otherwise. The segments the entries
// lie in are given up once it is durable. [R5]
func (x *executor) trimmedWith(stable messages.Seq) (*ledgerBase, error) {
	keep := x.t.cfg.LedgerRetain
	if keep == 0 || stable <= keep {
		return nil, nil
	}
	oldest, _ := x.t.snapshots.bounds()
	to := min(oldest, stable-keep)
	to -= to % x.t.cfg.Genesis.Params.CheckpointInterval
	if to < x.t.ledger.base.seq+x.snapshotInterval {
		return nil, nil
	}
	base, err := x.t.ledger.baseAt(to)
	if err != nil {
		return nil, fmt.Errorf("trim the ledger to sequence %d: %w", to, err)
	}
	return &base, nil
}

// trimmed is when the ledger begins behind a base, durably.
func (x *executor) trimmed(base ledgerBase) {
	x.t.ledger.begin(base)
	x.t.log.Info().Uint64("seq", uint64(base.seq)).Msg("ledger trimmed: it begins behind this sequence")
}

// releaseSegments has the preparer give up what segments it can. One that was being
// read, or that a panic kept, goes after the next checkpoint.
type releaseSegments struct{}

// release gives up the journal's segments that nothing refers to: neither the
// ledger nor, above the stable checkpoint, a restart. A bundle is written once,
// with the first sequence it certifies, and its votes reach two windows further at
// most.
func (t *Tree) release() error {
	base, _ := t.ledger.Base()
	reach := 2 * t.cfg.Genesis.Params.Window
	if base <= reach {
		return nil
	}
	segments := t.cfg.Journal.Segments()
	first := slices.IndexFunc(segments, func(s storage.SegmentInfo) bool {
		return !s.Closed || messages.Seq(s.LastSeq) > base-reach
	})
	if first <= 0 {
		return nil
	}
	t.released.Store(segments[first].ID)
	return t.cfg.Journal.Release(segments[first].ID)
}
