package replica

import (
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// LedgerSummary is what the folder of a stopped replica proves.
type LedgerSummary struct {
	// Base is where the ledger on disk begins: behind this sequence, with BaseHead.
	// They are zero for one that begins at genesis. Otherwise the head there is the
	// folder's word, on which Head rests: what led to it is not in the folder.
	Base     messages.Seq
	BaseHead messages.Digest
	Seq      messages.Seq    // the last finalised sequence on disk
	Head     messages.Digest // recomputed from the batches above Base
	Vertices uint64          // in all these batches, no-ops included
}

// ReadLedger reads every finalised batch in the folder of a replica that is not
// running, and trusts nothing it finds there: each batch is hashed again, each
// certificate verified, and the head recomputed. visit, if not nil, is
// given every batch with its certificate, in order. A ledger that was trimmed
// begins above sequence 1, see LedgerSummary.
func ReadLedger(home string, genesis *messages.Genesis, member messages.Index, visit func(*messages.Decided) error) (*LedgerSummary, error) {
	return readLedger(vfs.Default, home, genesis, member, visit)
}

func readLedger(fs vfs.FS, home string, genesis *messages.Genesis, member messages.Index, visit func(*messages.Decided) error) (summary *LedgerSummary, err error) {
	keyring, err := crypto.NewKeyring(genesis)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	f, err := openStopped(fs, home, keyring, genesis, member, func() (io.Closer, error) { return storage.LockToReadOn(fs, home) })
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	ledger, last, err := actors.ReadLedger(f.journal, f.state, genesis)
	if err != nil {
		return nil, err
	}
	base, head := ledger.Base()
	summary = &LedgerSummary{Base: base, BaseHead: head, Seq: base, Head: head}
	for seq := base + 1; seq <= last; seq++ {
		d, ok, err := ledger.Decided(seq)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("the ledger in %s has no sequence %d, but %d", home, seq, last)
		}
		if err := summary.add(keyring, genesis.Params, d); err != nil {
			return nil, fmt.Errorf("the ledger in %s: %w", home, err)
		}
		if visit != nil {
			if err := visit(d); err != nil {
				return nil, err
			}
		}
	}
	return summary, nil
}

// add checks one finalised batch and moves the head on.
func (s *LedgerSummary) add(k *crypto.Keyring, params messages.Params, d *messages.Decided) error {
	if err := k.OpenDecision(d.View, d.Seq, d.Digest, d.Certificate); err != nil {
		return err
	}
	if d.Digest != messages.NullDigest {
		batch, err := messages.ParseBatch(d.Body, params)
		if err != nil {
			return fmt.Errorf("batch of sequence %d: %w", d.Seq, err)
		}
		if batch.Digest() != d.Digest {
			return fmt.Errorf("batch of sequence %d hashes to %v, its certificate is for %v", d.Seq, batch.Digest(), d.Digest)
		}
		s.Vertices += uint64(batch.Len())
	}
	s.Seq, s.Head = d.Seq, pbft.NextHead(s.Head, d.Seq, d.Digest)
	return nil
}
