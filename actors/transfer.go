package actors

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

type (
	// manifestOffered is a manifest before its certificate was verified.
	manifestOffered struct {
		in       *cluster.Inbound
		manifest *messages.Manifest
	}
	// manifestProved is one that a quorum signed.
	manifestProved struct {
		from     messages.Index
		manifest *messages.Manifest
	}
	// retainedArrived and chunkArrived are what members answered.
	retainedArrived struct {
		from     messages.Index
		retained *messages.Retained
	}
	chunkArrived struct {
		in    *cluster.Inbound
		chunk *messages.Chunk
	}
	// manifestWanted and chunkWanted are what members ask for.
	manifestWanted struct {
		from messages.Index
		seq  messages.Seq
	}
	chunkWanted struct {
		from    messages.Index
		request *messages.FetchChunk
	}
)

// Fetching is how far a state transfer has come.
type Fetching struct {
	Seq            messages.Seq // of the snapshot
	Parts, Missing int
	Bytes          int64 // fetched so far by this process
}

// keyIncoming is where the state store keeps the manifest, as a frame, of what is
// being fetched into the generation that is not in force.
var keyIncoming = []byte("incoming")

// transfer performs what pbft.Transfer decides: it keeps parts in the state store
// while others are missing, so that a transfer goes on after a restart, and hands
// the whole to the executor. [R4]
type transfer struct {
	t     *Tree
	core  *pbft.Transfer
	bytes int64
	parts breath
	rest  runtime.Timer // of parts
}

func newTransfer(t *Tree) *transfer { return &transfer{t: t, core: pbft.NewTransfer(t.cfg.Self, t.n)} }

// resume takes up a transfer a restart interrupted.
func (x *transfer) resume(c actor.Context, executed messages.Seq) {
	x.perform(c, x.core.Executed(executed))
	m, err := x.incoming()
	if err != nil {
		x.t.log.Error().Err(err).Msg("what was fetched of a snapshot is thrown away")
		x.abandon()
		return
	}
	if m == nil {
		return
	}
	have := make(map[pbft.Part]bool)
	if err := x.each(func(p pbft.Part, _ []byte) { have[p] = true }); err != nil {
		x.t.fail(err)
		return
	}
	x.t.log.Info().Uint64("seq", uint64(m.Seq)).Int("parts", m.Count()).Int("there", len(have)).Msg("state transfer taken up again")
	x.perform(c, x.core.Resume(m, have))
}

// incoming reads the manifest of the transfer on disk, nil without one, and proves
// it again: nothing on disk is believed for having been believed once.
func (x *transfer) incoming() (*messages.Manifest, error) {
	m, err := x.t.incoming()
	if m == nil || err != nil {
		return nil, err
	}
	_, err = x.t.prove(m)
	return m, err
}

// incoming reads the manifest of what is being fetched, nil without one.
func (t *Tree) incoming() (*messages.Manifest, error) {
	frame, err := t.cfg.State.Get(keyIncoming)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	message, err := messages.DecodeFrame(frame)
	if err != nil {
		return nil, err
	}
	m, ok := message.(*messages.Manifest)
	if !ok {
		return nil, fmt.Errorf("a frame of kind %v is no manifest", message.FrameKind())
	}
	return m, nil
}

// prove checks a manifest's certificate.
func (t *Tree) prove(m *messages.Manifest) (pbft.StableCheckpoint, error) {
	return pbft.ProveManifest(m, bucketsOf(t.cfg.App), t.quorum, t.cfg.Keyring)
}

// gen is where what is fetched goes.
func (x *transfer) gen() byte { return 1 - byte(x.t.generation.Load()) }

// each visits the parts on disk, with their keys.
func (x *transfer) each(visit func(p pbft.Part, key []byte)) error {
	return x.t.cfg.State.Prefix(generationPrefix(x.gen()), func(key, _ []byte) error {
		p, err := parsePartKey(key)
		if err == nil {
			visit(p, key)
		}
		return err
	})
}

// perform does what the core asks for, in order.
func (x *transfer) perform(c actor.Context, effects []pbft.TransferEffect) {
	for _, e := range effects {
		switch e := e.(type) {
		case pbft.AskManifest:
			c.Send(x.t.links.egress, &send{e.To, cluster.LaneVotes, &messages.FetchManifest{Seq: e.Seq}})
		case pbft.AskParts:
			c.Send(x.t.links.egress, &send{e.To, cluster.LaneVotes, &messages.FetchChunk{
				Manifest: e.Manifest, First: uint32(e.First), Count: uint32(e.Count),
			}})
		case pbft.BeginTransfer:
			x.begin(e)
		case pbft.StorePart:
			x.store(e)
		case pbft.FinishTransfer:
			x.finish(c, e.Manifest)
		case pbft.AbandonTransfer:
			x.abandon()
		case pbft.SentWrongPart:
			x.t.peerLog.warn(e.From, "wrong state").Msg("a member sent a part of a snapshot that is none; it is not asked any more")
			c.Send(x.t.links.detector, &misbehaved{e.From, sentWrongState})
		case pbft.ServedLate:
			x.t.log.Debug().Int("peer", int(e.From)).Msg("a member did not send what it was asked for of a snapshot in time")
			c.Send(x.t.links.detector, &misbehaved{e.From, wasLate})
		}
	}
	x.show()
}

// begin remembers what is fetched from now on, and of what is there drops all but
// what is in it.
func (x *transfer) begin(e pbft.BeginTransfer) {
	batch := x.t.cfg.State.NewBatch()
	if len(e.Keep) == 0 {
		x.clear(batch)
	} else if err := x.each(func(p pbft.Part, key []byte) {
		if !e.Keep[p] {
			batch.Delete(key)
		}
	}); err != nil {
		batch.Discard()
		x.t.fail(err)
		return
	}
	remember(batch, e.Manifest)
	x.commit(batch)
	x.bytes = 0
	x.t.cfg.Metrics.StateTransferBegan()
	x.t.log.Info().Uint64("seq", uint64(e.Manifest.Seq)).Int("parts", e.Manifest.Count()).Int("there", len(e.Keep)).
		Msg("fetching the state: the others no longer have the batches this replica lacks")
}

// remember writes what is being fetched, see incoming.
func remember(b *storage.Batch, m *messages.Manifest) {
	frame, err := messages.EncodeFrame(m)
	if err != nil {
		panic(fmt.Sprintf("a manifest that was decoded cannot be encoded: %v", err))
	}
	b.Set(keyIncoming, frame)
}

func (x *transfer) clear(b *storage.Batch) {
	gen := x.gen()
	b.DeleteRange(generationPrefix(gen), generationPrefix(gen+1))
}

// store keeps a part. It becomes durable with whatever is next, and is fetched
// again if that never comes.
func (x *transfer) store(e pbft.StorePart) {
	batch := x.t.cfg.State.NewBatch()
	batch.Set(partKey(x.gen(), e.Part), e.Data)
	x.commit(batch)
	x.bytes += int64(len(e.Data))
	x.t.cfg.Metrics.StateTransferred(len(e.Data))
}

func (x *transfer) commit(b *storage.Batch) {
	if err := b.Commit(false); err != nil {
		x.t.fail(fmt.Errorf("keep what was fetched of a snapshot: %w", err))
	}
}

func (x *transfer) abandon() {
	batch := x.t.cfg.State.NewBatch()
	x.clear(batch)
	batch.Delete(keyIncoming)
	x.commit(batch)
}

// finish hands what is whole to the executor, which installs nothing but what is
// remembered.
func (x *transfer) finish(c actor.Context, m *messages.Manifest) {
	stable, err := x.t.prove(m)
	if err != nil {
		panic(fmt.Sprintf("a manifest that was proved is not: %v", err))
	}
	batch := x.t.cfg.State.NewBatch()
	remember(batch, m)
	x.commit(batch)
	c.Send(x.t.links.executor, &install{m, stable})
}

// show tells how far it has come.
func (x *transfer) show() {
	seq, total, missing, ok := x.core.Fetching()
	x.t.cfg.Metrics.SetStateTransfer(total, missing)
	if !ok {
		x.t.fetching.Store(nil)
		return
	}
	x.t.fetching.Store(&Fetching{Seq: seq, Parts: total, Missing: missing, Bytes: x.bytes})
}

// Fetching tells of a state transfer, if there is one.
func (t *Tree) Fetching() (Fetching, bool) {
	if f := t.fetching.Load(); f != nil {
		return *f, true
	}
	return Fetching{}, false
}
