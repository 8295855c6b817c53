package actors

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// recovery is what the sequencer begins with: at the first start of all, genesis.
type recovery struct {
	core    *pbft.Sequencer
	effects []pbft.Effect // what the core wants done once there are actors
}

// recover rebuilds everything from disk: the stable state from the state
// store, then from the journal what was accepted, prepared and voted above it,
// and what was decided, which is executed again. [D5]
func (t *Tree) recover() (*recovery, *execution, error) {
	stable, state, l, err := t.recoverState()
	if err != nil {
		return nil, nil, err
	}
	t.generation.Store(uint32(l.gen))
	if err := t.ledger.load(t.cfg.State); err != nil {
		return nil, nil, err
	}
	t.recoverSnapshot(stable, state, l)
	if err := t.release(); err != nil {
		return nil, nil, err
	}
	replay, err := t.replay(stable.Seq)
	if err != nil {
		return nil, nil, err
	}
	head := state.head
	x := newExecution(state, l, t.cfg.Genesis.Params.SnapshotInterval)
	if stable.Seq == 0 {
		if x.beginning, err = takeBeginning(state.app); err != nil {
			return nil, nil, err
		}
	}
	if err := x.again(t, replay); err != nil {
		return nil, nil, err
	}
	r := &recovery{}
	observing, err := t.recoverAdmission(stable.Seq)
	if err != nil {
		return nil, nil, err
	}
	if r.core, r.effects, err = t.standUp(stable, head, replay, x.history, x.states()); err != nil {
		return nil, nil, err
	}
	if observing {
		r.core.Observe()
		t.observe(r.core)
	}
	t.views.Store(encodeViews(r.core.ViewRecords()))
	t.log.Info().Uint64("stable", uint64(stable.Seq)).Uint64("executed", uint64(state.seq)).
		Stringer("head", state.head).Int("records", len(replay.records)).Msg("recovered from disk")
	return r, x, nil
}

// restoreProofs brings back the votes of others that prove claims P. They come
// from the own journal, which they entered verified.
func (t *Tree) restoreProofs(core *pbft.Sequencer, replay *replay) error {
	for _, b := range replay.prepares {
		votes, err := t.cfg.Keyring.Restore(b)
		if err != nil {
			return fmt.Errorf("a bundle in the journal: %w", err)
		}
		for _, v := range votes {
			core.RestoreVote(v)
		}
	}
	return nil
}

// standUp makes the core of a sequencer that stood at the stable checkpoint,
// with ledger head there or later, has on disk what the replay holds, and
// executed what is listed. Its effects are for when there are actors to see them.
// [D5]
func (t *Tree) standUp(stable pbft.StableCheckpoint, head messages.Digest, replay *replay, done []*executed, states []checkpointReached) (*pbft.Sequencer, []pbft.Effect, error) {
	core := pbft.NewSequencer(pbft.Config{
		Self: t.cfg.Self, N: t.n, Quorum: t.quorum, Leader: t.schedule.Leader,
		Params: t.cfg.Genesis.Params, PipelineDepth: t.cfg.PipelineDepth,
	}, stable, head)
	views, err := recoverViews(t.cfg.State)
	if err != nil {
		return nil, nil, err
	}
	for _, record := range append(views, replay.records...) {
		core.Restore(record)
	}
	if err := t.restoreProofs(core, replay); err != nil {
		return nil, nil, err
	}
	var effects []pbft.Effect
	for _, e := range done {
		if e.seq <= stable.Seq {
			continue
		}
		if e.batch != nil {
			core.Hold(e.seq, e.batch)
		}
		effects = append(effects, core.OnExecuted(e.seq, e.view, e.digest, e.head)...)
		for _, k := range states {
			if k.seq == e.seq {
				effects = append(effects, core.OnCheckpointReached(k.seq, k.state)...)
			}
		}
	}
	return core, append(effects, core.Resume()...), nil
}

// recoverViews reads what stood beside the last stable checkpoint about views.
func recoverViews(store *storage.State) ([]pbft.Record, error) {
	data, err := store.Get(keyView)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read where the replica stood: %w", err)
	}
	return decodeViews(data)
}

// recoverStable reads the last stable checkpoint; genesis is the zero value.
func recoverStable(store *storage.State) (pbft.StableCheckpoint, error) {
	record, err := store.Get(keyStable)
	if errors.Is(err, storage.ErrNotFound) {
		return pbft.StableCheckpoint{}, nil
	}
	var parsed messages.StableRecord
	if err == nil {
		parsed, err = messages.ParseStableRecord(record)
	}
	if err != nil {
		return pbft.StableCheckpoint{}, fmt.Errorf("read the stable checkpoint: %w", err)
	}
	return pbft.StableCheckpoint{Seq: parsed.Seq, Digest: parsed.Digest, Bundles: parsed.Certificate}, nil
}

// recoverState reads the last stable checkpoint and checks that the state read
// is the one a quorum signed.
func (t *Tree) recoverState() (pbft.StableCheckpoint, *executedState, *layout, error) {
	if err := checkBuckets(t.cfg.App); err != nil {
		return pbft.StableCheckpoint{}, nil, nil, err
	}
	gen, err := readGeneration(t.cfg.State)
	if err != nil {
		return pbft.StableCheckpoint{}, nil, nil, err
	}
	l := newLayout(gen)
	state := &executedState{clients: pbft.NewClients(t.cfg.Genesis.Params.NonceWindow), app: t.cfg.App}
	stable, err := recoverStable(t.cfg.State)
	if err != nil || stable.Seq == 0 {
		state.hashes, _ = hashApp(t.cfg.App)
		state.fresh = true
		return stable, state, l, err
	}
	head, err := t.cfg.State.Get(keyHead)
	if err == nil {
		state.seq, state.head, state.total, err = decodeHead(head)
	}
	var got messages.Digest
	if err == nil {
		got, err = state.load(t.cfg.State, l)
	}
	if err != nil {
		return stable, nil, nil, fmt.Errorf("read the state of checkpoint %d: %w", stable.Seq, err)
	}
	if state.seq != stable.Seq || got != stable.Digest {
		return stable, nil, nil, fmt.Errorf("the state on disk (sequence %d, digest %v) is not the one of the stable checkpoint (sequence %d, digest %v): "+
			"it was another application's, or the folder is damaged; restore it from another replica", state.seq, got, stable.Seq, stable.Digest)
	}
	return stable, state, l, nil
}

// load reads the client table and the application, and gives the digest of the
// whole: of what is in memory now, not of what was read.
func (s *executedState) load(store *storage.State, l *layout) (messages.Digest, error) {
	if err := loadApp(store, l, s.app); err != nil {
		return messages.Digest{}, fmt.Errorf("restore the application: %w", err)
	}
	if err := l.read(store, false, s.clients.RestoreBucket); err != nil {
		return messages.Digest{}, fmt.Errorf("restore the client table: %w", err)
	}
	clients, _ := s.clients.Digest()
	var app messages.Digest
	s.hashes, app = hashApp(s.app)
	return pbft.StateDigest(s.seq, s.head, s.total, app, clients), nil
}

// replay gathers the journal's records above the stable checkpoint.
type replay struct {
	params    messages.Params
	low       messages.Seq
	n, quorum int
	records   []pbft.Record
	views     viewReader
	prepares  []*messages.Bundle // that hold Prepares above the stable checkpoint
	batches   map[messages.Digest]heldBatch
	deciding  map[messages.Vote][]heldBundle   // by what makes a certificate, see decides
	begun     map[messages.Seq][]messages.Vote // the keys of deciding, as they came
}

type heldBatch struct {
	batch *messages.Batch
	at    storage.Place
}

type heldBundle struct {
	bundle *messages.Bundle
	at     storage.Place
}

// replay reads what the journal holds above the stable checkpoint.
func (t *Tree) replay(stable messages.Seq) (*replay, error) {
	r := newReplay(t.cfg.Genesis, stable)
	err := r.read(t.cfg.Journal)
	return r, err
}

func newReplay(g *messages.Genesis, low messages.Seq) *replay {
	return &replay{
		params: g.Params, low: low, n: g.N(), quorum: messages.Quorum(g.N()),
		batches: make(map[messages.Digest]heldBatch), deciding: make(map[messages.Vote][]heldBundle),
		begun: make(map[messages.Seq][]messages.Vote),
	}
}

// read replays the segments that hold what is above the stable checkpoint, and
// the one before: its bundles may certify what comes next. What lies further
// back is the ledger's, and costs a restart nothing.
func (p *replay) read(journal *storage.Journal) error {
	segments := journal.Segments()
	first := slices.IndexFunc(segments, func(s storage.SegmentInfo) bool { return !s.Closed || messages.Seq(s.LastSeq) > p.low })
	if first < 0 {
		return nil
	}
	if err := journal.ReplayFrom(segments[max(first-1, 0)].ID, p.visit); err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	return nil
}

// visit takes one record, in the order in which they were written. A record
// that cannot be read passed its checksum: another release wrote it.
func (p *replay) visit(_ uint64, at storage.Place, r storage.Record) error {
	if messages.Seq(r.Seq) <= p.low && messages.RecordKind(r.Kind) != messages.RecordBundle {
		return nil
	}
	var err error
	switch messages.RecordKind(r.Kind) {
	case messages.RecordBatch:
		var batch *messages.Batch
		if batch, err = messages.ParseBatch(slices.Clone(r.Data), p.params); err == nil {
			p.batches[batch.Digest()] = heldBatch{batch, at}
		}
	case messages.RecordAccepted:
		var a messages.AcceptedRecord
		if a, err = messages.ParseAcceptedRecord(r.Data); err == nil {
			vote := messages.Vote{Kind: messages.PrePrepare, View: a.View, Seq: a.Seq, Digest: a.Digest}
			p.records = append(p.records, pbft.Record{Kind: pbft.RecordAccepted, Vote: vote, Batch: p.batches[a.Digest].batch})
		}
	case messages.RecordPrepared:
		var a messages.PreparedRecord
		if a, err = messages.ParsePreparedRecord(r.Data); err == nil {
			vote := messages.Vote{Kind: messages.Commit, View: a.View, Seq: a.Seq, Digest: a.Digest}
			p.records = append(p.records, pbft.Record{Kind: pbft.RecordPrepared, Vote: vote})
		}
	case messages.RecordVote:
		var v messages.VoteRecord
		if v, err = messages.ParseVoteRecord(r.Data); err == nil {
			p.records = append(p.records, pbft.Record{Kind: pbft.RecordVote, Vote: v.Vote})
		}
	case messages.RecordBundle:
		err = p.visitBundle(at, r.Data)
	case messages.RecordViewChange, messages.RecordNewView, messages.RecordSupport:
		var record pbft.Record
		var ok bool
		if record, ok, err = p.views.read(messages.RecordKind(r.Kind), r.Data); ok {
			p.records = append(p.records, record)
		}
	default:
		err = errors.New("unknown kind")
	}
	if err != nil {
		return fmt.Errorf("record of kind %v for sequence %d: %w: was it written by a newer release?", messages.RecordKind(r.Kind), r.Seq, err)
	}
	return nil
}

func (p *replay) visitBundle(at storage.Place, data []byte) error {
	b, err := messages.ParseBundleRecord(data)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(b.Bundle.Votes, func(v messages.Vote) bool { return v.Kind == messages.Prepare && v.Seq > p.low }) {
		p.prepares = append(p.prepares, b.Bundle)
	}
	for _, v := range b.Bundle.Votes {
		v, ok := p.decides(v)
		known := p.deciding[v]
		if !ok || v.Seq <= p.low ||
			slices.ContainsFunc(known, func(h heldBundle) bool { return h.bundle.From == b.Bundle.From }) {
			continue
		}
		if len(known) == 0 {
			p.begun[v.Seq] = append(p.begun[v.Seq], v)
		}
		p.deciding[v] = append(known, heldBundle{b.Bundle, at})
	}
	return nil
}

// decides gives what a vote is counted for: a quorum's Commits decide, and in
// optimistic mode that all members accepted, by a PrePrepare or a Prepare.
func (p *replay) decides(v messages.Vote) (messages.Vote, bool) {
	accepts := v.Kind == messages.PrePrepare || v.Kind == messages.Prepare
	if accepts {
		v.Kind = messages.Prepare
	}
	return v, v.Kind == messages.Commit || accepts && p.params.OptimisticMode
}

// decided gives what a stored certificate decided at seq. There may be several, of
// views and in optimistic mode of both kinds, for one digest: the first that was begun
// is taken.
func (p *replay) decided(seq messages.Seq) (*decided, storage.LedgerEntry, bool) {
	for _, v := range p.begun[seq] {
		bundles, need := p.deciding[v], p.quorum
		if v.Kind == messages.Prepare {
			need = p.n
		}
		if len(bundles) < need {
			continue
		}
		held := p.batches[v.Digest]
		if held.batch == nil && v.Digest != messages.NullDigest {
			continue
		}
		d := &decided{commit: pbft.Committed{View: v.View, Seq: seq, Digest: v.Digest, Unanimous: v.Kind == messages.Prepare}, batch: held.batch}
		entry := storage.LedgerEntry{Seq: uint64(seq), View: uint64(v.View), Digest: v.Digest, Batch: held.at}
		for _, h := range bundles[:need] {
			d.commit.Bundles = append(d.commit.Bundles, h.bundle)
			entry.Certificate = append(entry.Certificate, h.at)
		}
		return d, entry, true
	}
	return nil, storage.LedgerEntry{}, false
}

// again executes again what was decided above the stable checkpoint.
func (x *execution) again(t *Tree, p *replay) error {
	for {
		d, entry, ok := p.decided(x.state.seq + 1)
		if !ok {
			x.backlog = pbft.NewBacklog[*decided](x.state.seq)
			x.written = x.state.seq // all of it has its places in the ledger
			return nil
		}
		outcomes, ops, err := x.apply(t, d)
		if err != nil {
			return err
		}
		t.ledger.placed(entry)
		t.ledger.vertices.add(d.commit.Seq, d.batch, outcomes, ops)
		x.note(x.executed(d, len(ops)), t.cfg.Genesis.Params.Window)
		if x.state.seq%t.cfg.Genesis.Params.CheckpointInterval == 0 {
			if err := x.takeImage(); err != nil {
				return err
			}
		}
	}
}
