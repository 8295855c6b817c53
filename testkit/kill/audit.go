package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/httpapi"
	"github.com/cretoai/consensus/storage"
)

// audit compares all that the replicas' folders hold.
type audit struct {
	genesis  *messages.Genesis
	votes    map[place]messages.Digest
	vertices map[spot]messages.Digest
	batches  map[messages.Seq]messages.Digest
}

// place is where a member has one vote.
type place struct {
	member messages.Index
	kind   messages.Kind
	view   messages.View
	seq    messages.Seq
}

// spot is where a vertex lies in the ledger.
type spot struct {
	seq      messages.Seq
	position uint32
}

func newAudit(g *messages.Genesis) *audit {
	return &audit{
		genesis: g, votes: make(map[place]messages.Digest),
		vertices: make(map[spot]messages.Digest), batches: make(map[messages.Seq]messages.Digest),
	}
}

// ledger reads a ledger from the beginning, with every certificate in it, and
// compares it with the others' and with where its replica said to be.
func (a *audit) ledger(data string, member messages.Index, head standing) error {
	distinct := make(map[messages.Digest]bool)
	summary, err := replica.ReadLedger(data, a.genesis, member, func(d *messages.Decided) error {
		if before, ok := a.batches[d.Seq]; ok && before != d.Digest {
			return fmt.Errorf("sequence %d is batch %v, elsewhere %v", d.Seq, d.Digest, before)
		}
		a.batches[d.Seq] = d.Digest
		if d.Digest == messages.NullDigest {
			return nil
		}
		batch, err := messages.ParseBatch(d.Body, a.genesis.Params)
		if err != nil {
			return err
		}
		for i := range batch.Len() {
			a.vertices[spot{d.Seq, uint32(i)}] = batch.VertexHash(i)
			distinct[batch.VertexHash(i)] = true
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case summary.Seq != head.Sequence || summary.Head != head.LedgerHead:
		return fmt.Errorf("the ledger ends at sequence %d with head %v; the replica said %d and %v", summary.Seq, summary.Head, head.Sequence, head.LedgerHead)
	case uint64(len(distinct)) != head.Vertices:
		return fmt.Errorf("%d vertices took effect, and the ledger holds %d", head.Vertices, len(distinct))
	}
	return nil
}

// receipts finds every acknowledged vertex where its receipt says.
func (a *audit) receipts(list []httpapi.Receipt) error {
	for _, r := range list {
		if got := a.vertices[spot{r.Sequence, r.Position}]; got != r.Vertex {
			return fmt.Errorf("vertex %v was acknowledged at sequence %d, position %d; the ledgers hold %v there", r.Vertex, r.Sequence, r.Position, got)
		}
	}
	return nil
}

// journal reads what a replica recorded: its own votes, and everybody's in the
// bundles it kept. Nobody has two digests in one place.
func (a *audit) journal(data string, member messages.Index) error {
	keyring, err := crypto.NewKeyring(a.genesis)
	if err != nil {
		return err
	}
	id := storage.Identity{Chain: a.genesis.Hash(), Member: a.genesis.MemberID(member)}
	j, err := storage.OpenJournal(filepath.Join(data, "journal"), id, storage.Options{})
	if err != nil {
		return err
	}
	err = j.Replay(func(_ uint64, _ storage.Place, r storage.Record) error {
		switch messages.RecordKind(r.Kind) {
		case messages.RecordVote:
			v, err := messages.ParseVoteRecord(r.Data)
			return errors.Join(err, a.voted(member, v.Vote))
		case messages.RecordBundle:
			b, err := messages.ParseBundleRecord(r.Data)
			if err != nil {
				return err
			}
			return a.bundle(keyring, b.Bundle)
		case messages.RecordSupport:
			s, err := messages.ParseSupportRecord(r.Data)
			if err != nil {
				return err
			}
			return a.bundle(keyring, s.Bundle)
		case messages.RecordViewChange:
			v, err := messages.ParseViewChangeRecord(r.Data)
			if err != nil {
				return err
			}
			return a.voted(member, messages.Vote{Kind: messages.ViewChange, View: v.Body.View, Digest: v.Body.Digest()})
		case messages.RecordNewView:
			v, err := messages.ParseNewViewRecord(r.Data)
			if err != nil {
				return err
			}
			leader := messages.Index(uint64(v.Body.View) % uint64(a.genesis.N()))
			return a.voted(leader, messages.Vote{Kind: messages.NewView, View: v.Body.View, Digest: v.Body.Digest()})
		}
		return nil
	})
	return errors.Join(err, j.Close())
}

func (a *audit) bundle(keyring *crypto.Keyring, b *messages.Bundle) error {
	votes, err := keyring.Open(b)
	if err != nil {
		return fmt.Errorf("a bundle in the journal: %w", err)
	}
	for _, v := range votes {
		if err := a.voted(v.From(), v.Value()); err != nil {
			return err
		}
	}
	return nil
}

func (a *audit) voted(member messages.Index, v messages.Vote) error {
	at := place{member, v.Kind, v.View, v.Seq}
	if before, ok := a.votes[at]; ok && before != v.Digest {
		return fmt.Errorf("member %d signed %v, and %v in the same place", member, v, before)
	}
	a.votes[at] = v.Digest
	return nil
}
