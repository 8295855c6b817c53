package actors

import (
	"fmt"
	"slices"
	"weak"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// journal owns all durable writes of votes and batches. It blocks in Receive
// while a group is flushed; that is its only work, and the next group gathers
// meanwhile in the sequencer.
type journal struct {
	t       *Tree
	busy    bool // with a message; still so when a panic ended it
	records []storage.Record
	notes   []note // what each record is, to learn its place
	room    []byte // for what records are encoded to, until they are written

	kept    []*decided // finalised, not yet written completely
	weight  int        // bytes that wait in kept
	reports []messages.Seq

	batches map[messages.Seq]batchPlace
	// bundles are known by their pointers, which keep none of them: whoever asks for
	// the place of one has it.
	bundles map[weak.Pointer[messages.Bundle]]storage.Place
	recent  []weak.Pointer[messages.Bundle] // the keys of bundles, oldest first
}

type batchPlace struct {
	digest messages.Digest
	at     storage.Place
}

// note ties a record to what is remembered of its place.
type note struct {
	batch  *messages.Batch
	seq    messages.Seq
	bundle *messages.Bundle
}

// keptBytesMax is how much may wait for the next group; beyond, it is written
// at once. It matters when catching up, which has no groups of its own.
const keptBytesMax = 4 << 20

// roomKept bounds the room that is kept for the next group.
const roomKept = 1 << 20

// bundlesRememberedMax bounds the bundles whose places are known: one shared by
// the certificates of many sequences is written once.
const bundlesRememberedMax = 4096

func newJournal(t *Tree) *journal {
	return &journal{t: t, batches: make(map[messages.Seq]batchPlace), bundles: make(map[weak.Pointer[messages.Bundle]]storage.Place)}
}

func (j *journal) Receive(c actor.Context) {
	if _, stopping := c.Message().(*actor.Stopping); stopping && j.busy {
		return // what is half put together must not be written
	}
	j.busy = true
	j.handle(c)
	j.busy = false
}

func (j *journal) handle(c actor.Context) {
	switch m := c.Message().(type) {
	case *begin:
		j.prepare(c)
	case *flushGroup:
		for _, r := range m.records {
			j.add(r)
		}
		if j.write(c) {
			c.Send(j.t.links.sequencer, &flushed{m.id})
		}
	case *rebuild: // whatever the sequencer sent before it panicked is on disk
		c.Send(j.t.links.executor, m)
	case *keep:
		j.kept = append(j.kept, m.decision)
		j.weight += len(m.decision.commit.Bundles) * messages.SignatureBytesMax
		if m.decision.batch != nil {
			j.weight += len(m.decision.batch.Bytes())
		}
		if j.weight > keptBytesMax {
			j.write(c)
		}
	case *report:
		j.reports = append(j.reports, m.seq)
	case *tick:
		// An idle replica still brings what was finalised to disk.
		if len(j.kept)+len(j.reports) > 0 {
			j.write(c)
		}
	case *actor.Stopping:
		j.write(c)
	}
}

// add encodes one record of the voter. [D1]
func (j *journal) add(r pbft.Record) {
	if r.Kind == pbft.RecordAccepted && r.Batch != nil {
		j.addBatch(r.Vote.Seq, r.Batch)
	}
	if r.Kind == pbft.RecordBundle {
		j.addBundle(r.Vote.Seq, r.Bundle)
		return
	}
	for _, e := range encodeRecord(r) {
		j.append(e.kind, r.Vote.Seq, e.data, note{})
	}
}

func (j *journal) addBatch(seq messages.Seq, batch *messages.Batch) {
	if at, ok := j.batches[seq]; ok && at.digest == batch.Digest() {
		return
	}
	j.append(messages.RecordBatch, seq, batch.Bytes(), note{batch: batch, seq: seq})
	j.batches[seq] = batchPlace{digest: batch.Digest()}
}

func (j *journal) append(kind messages.RecordKind, seq messages.Seq, data []byte, n note) {
	j.records = append(j.records, storage.Record{Kind: uint8(kind), Seq: uint64(seq), Data: data})
	j.notes = append(j.notes, n)
}

// write makes everything that waits durable in one frame. A failed write or
// flush is the end: what is on disk is unknown from then on, and nothing may be
// voted for on it. [D7]
func (j *journal) write(c actor.Context) bool {
	kept := j.kept
	for _, d := range kept {
		j.addDecision(d)
	}
	j.kept, j.weight = nil, 0
	for len(j.records) > 0 {
		n := j.fitting()
		places, err := j.t.cfg.Journal.AppendGroup(j.records[:n])
		if err != nil {
			j.t.fail(fmt.Errorf("write the journal: %w", err))
			return false
		}
		j.learn(places)
	}
	j.records, j.notes = j.records[:0:0], j.notes[:0:0]
	if j.room = j.room[:0]; cap(j.room) > roomKept {
		j.room = nil
	}
	for _, d := range kept {
		j.t.ledger.placed(j.entry(d))
	}
	for _, seq := range j.reports {
		c.Send(j.t.links.executor, &placed{seq})
		j.forget(seq)
	}
	j.reports = j.reports[:0]
	j.prepare(c)
	return true
}

// fitting is how many of the waiting records go into one frame: nearly always
// all. A leader that fills the window at once makes a group larger than a
// segment; it becomes durable frame by frame, in order, so that a vote never
// gets there before what it depends on.
func (j *journal) fitting() int {
	bytes := 0
	for i, r := range j.records {
		if bytes += len(r.Data); i > 0 && bytes > j.t.cfg.FrameBytesMax {
			return i
		}
	}
	return len(j.records)
}

// addDecision writes what is not on disk yet of a finalised batch and its
// certificate.
func (j *journal) addDecision(d *decided) {
	if d.batch != nil {
		j.addBatch(d.commit.Seq, d.batch)
	}
	for _, b := range d.commit.Bundles {
		j.addBundle(d.commit.Seq, b)
	}
}

// addBundle writes a bundle, once.
func (j *journal) addBundle(seq messages.Seq, b *messages.Bundle) {
	key := weak.Make(b)
	if at, ok := j.bundles[key]; ok && (at.Segment == 0 || at.Segment >= j.t.released.Load()) {
		return
	}
	room, err := messages.BundleRecord{Bundle: b}.AppendTo(j.room)
	if err != nil {
		panic(fmt.Sprintf("a verified bundle cannot be recorded: %v", err))
	}
	data := room[len(j.room):]
	j.room = room
	j.bundles[key] = storage.Place{}
	j.recent = append(j.recent, key)
	j.append(messages.RecordBundle, seq, data, note{bundle: b})
}

// learn remembers where the written records lie.
func (j *journal) learn(places []storage.Place) {
	for i, n := range j.notes[:len(places)] {
		switch {
		case n.batch != nil:
			j.batches[n.seq] = batchPlace{n.batch.Digest(), places[i]}
		case n.bundle != nil:
			j.bundles[weak.Make(n.bundle)] = places[i]
		}
	}
	j.records, j.notes = j.records[len(places):], j.notes[len(places):]
}

func (j *journal) entry(d *decided) storage.LedgerEntry {
	e := storage.LedgerEntry{Seq: uint64(d.commit.Seq), View: uint64(d.commit.View), Digest: d.commit.Digest}
	if d.batch != nil {
		e.Batch = j.batches[d.commit.Seq].at
	}
	for _, b := range d.commit.Bundles {
		e.Certificate = append(e.Certificate, j.bundles[weak.Make(b)])
	}
	return e
}

// forget drops the places at or below a checkpoint whose entries were handed
// over, and the oldest bundles beyond the bound.
func (j *journal) forget(seq messages.Seq) {
	for s := range j.batches {
		if s <= seq {
			delete(j.batches, s)
		}
	}
	if over := len(j.recent) - bundlesRememberedMax; over > 0 {
		for _, b := range j.recent[:over] {
			delete(j.bundles, b)
		}
		j.recent = slices.Clone(j.recent[over:])
	}
}

// prepare has some more of the next segment filled with zeros ahead of need.
func (j *journal) prepare(c actor.Context) {
	if j.t.cfg.Journal.Behind() {
		c.Send(j.t.links.preparer, &prepareSegment{})
	}
}

// prepareSegment asks the preparer for the journal's next segment.
type prepareSegment struct{}

// preparer fills segments with zeros beside the journal, so that a roll-over
// does not wait for it, gives up those that nothing refers to any more, and watches
// the space there is for them.
type preparer struct {
	t      *Tree
	space  space
	failed error // why the last segment could not be prepared, nil if it could
}

func newPreparer(t *Tree) *preparer { return &preparer{t: t, space: space{t: t}} }

func (p *preparer) Receive(c actor.Context) {
	switch c.Message().(type) {
	case *prepareSegment:
		p.prepare()
	case *releaseSegments:
		if err := p.t.release(); err != nil {
			p.t.fail(fmt.Errorf("give up segments of the journal: %w", err))
		}
	case *tick:
		if p.failed != nil { // there may be space again
			p.prepare()
		}
		p.space.look(p.failed)
	}
}

func (p *preparer) prepare() {
	before := p.failed
	if p.failed = p.t.cfg.Journal.PrepareSome(); p.failed != nil && before == nil {
		p.t.log.Error().Err(p.failed).Msg("the journal's next segment could not be prepared; it is tried again")
		p.space.look(p.failed) // at once: the current segment may be full before the next heartbeat
	}
}
