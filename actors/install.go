package actors

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

type (
	// install asks the executor to put a state in force that came here whole.
	install struct {
		manifest *messages.Manifest
		stable   pbft.StableCheckpoint
	}
	// viewsWanted asks the sequencer what of views belongs beside the state at seq, and
	// viewsBeside tells.
	viewsWanted struct{ seq messages.Seq }
	viewsBeside struct {
		seq   messages.Seq
		views []byte
	}
	// installed says that execution goes on behind it.
	installed struct {
		stable pbft.StableCheckpoint
		head   messages.Digest
	}
	// installRefused says that the state is not what was signed.
	installRefused struct{ manifest messages.Digest }
)

// onInstall asks what of views belongs beside a state that is to be put in force, if
// there is one and no checkpoint of an older one is being written. It may be asked
// again: a sequencer that panics may not answer.
func (x *executor) onInstall(c actor.Context) {
	if x.installable() {
		c.Send(x.t.links.sequencer, &viewsWanted{x.install.manifest.Seq})
	}
}

func (x *executor) installable() bool {
	_, halted := x.t.Halted()
	return x.install != nil && x.storing == nil && !halted
}

// putInForce puts a state in force. Until its one write is durable, the disk holds
// the state before; from then on this one, with its certificate. So a crash at any
// point leaves one of the two, and the window moves only for one that is there. Of
// views, votes and claims nothing is touched: what the sequencer recorded of views
// before it answered is written beside the state, and what it records since lies above
// it in the journal. [R4, C3, V7]
func (x *executor) putInForce(c actor.Context, beside *viewsBeside) {
	if !x.installable() || x.install.manifest.Seq != beside.seq {
		return
	}
	in := x.install
	x.install = nil
	if in.manifest.Seq <= x.state.seq {
		c.Send(x.t.links.sync, &executed{seq: x.state.seq}) // caught up meanwhile
		return
	}
	if awaited, err := x.awaited(in); err != nil || !awaited {
		if err != nil {
			x.t.fail(err)
		}
		return
	}
	x.changing = true
	state, ok, err := x.replace(in, beside.views)
	if err != nil {
		x.t.fail(fmt.Errorf("install the state of checkpoint %d: %w", in.manifest.Seq, err))
		return
	}
	if !ok {
		x.changing = false
		x.t.log.Error().Uint64("seq", uint64(in.manifest.Seq)).Msg("the state that was fetched is not the one a quorum signed; it is thrown away")
		x.refuse(c, in)
		return
	}
	x.goOn(in, state)
	x.changing = false
	x.tellInstalled(c)
	x.t.hub.publish(messages.StateInstalled{Seq: state.seq, Head: state.head, Vertices: state.total})
	x.t.hub.publish(messages.Checkpointed{Seq: in.stable.Seq, Digest: in.stable.Digest})
	x.t.log.Info().Uint64("seq", uint64(state.seq)).Stringer("head", state.head).Msg("state taken over from the others; the ledger begins behind it")
	c.Send(x.t.links.preparer, &releaseSegments{})
	x.run(c)
}

// replace writes a state in place of the one before, if it is the one that was signed.
// No checkpoint of that one is written meanwhile, nor later.
func (x *executor) replace(in *install, views []byte) (state *executedState, ok bool, err error) {
	x.store.Lock()
	defer x.store.Unlock()
	if state, ok, err = x.takeOver(in); err != nil || !ok {
		return nil, false, err
	}
	return state, true, x.commitInstalled(in, views)
}

// awaited reports whether what was fetched is still what an install speaks of. One
// that waited here while the same was refused, or something else fetched, is of no
// use: it would take the parts of one manifest for those of another.
func (x *executor) awaited(in *install) (bool, error) {
	m, err := x.t.incoming()
	if err != nil {
		return false, fmt.Errorf("read which state is to be installed: %w", err)
	}
	return m != nil && m.Digest() == in.manifest.Digest(), nil
}

// refuse throws away a state that is not the one that was signed. Its manifest goes
// at once, for the same may have been sent here twice.
func (x *executor) refuse(c actor.Context, in *install) {
	batch := x.t.cfg.State.NewBatch()
	batch.Delete(keyIncoming)
	if err := batch.Commit(false); err != nil {
		x.t.fail(fmt.Errorf("forget what was fetched of a snapshot: %w", err))
		return
	}
	c.Send(x.t.links.sync, &installRefused{in.manifest.Digest()})
}

// takeOver reads the fetched state into memory and compares it with what was
// signed; ok is false if it is another. Of an application in buckets every part
// was proved before. Of another the bytes were not, and its own state comes back.
func (x *executor) takeOver(in *install) (state *executedState, ok bool, err error) {
	app := x.state.app
	state = &executedState{
		seq: in.manifest.Seq, head: in.manifest.Head, total: in.manifest.Vertices,
		clients: pbft.NewClients(x.t.cfg.Genesis.Params.NonceWindow), app: app,
	}
	buckets := bucketsOf(app)
	var before bytes.Buffer
	if buckets == 0 {
		if cut, err := x.cutAsAll(in.manifest); err != nil || !cut {
			return nil, false, err
		}
		if err := app.Snapshot(&before); err != nil {
			return nil, false, fmt.Errorf("snapshot of the application: %w", err)
		}
	}
	var digest messages.Digest
	l := newLayout(x.layout.other())
	failed := recovered(func() { digest, err = state.load(x.t.cfg.State, l) })
	if failed == nil && err == nil && digest == in.stable.Digest {
		x.layout.many = l.many // of what is about to be in force
		return state, true, nil
	}
	if buckets > 0 {
		if failed == nil && err == nil {
			err = fmt.Errorf("the application restored another state than it was given: it has digest %v, not %v", digest, in.stable.Digest)
		}
		return nil, false, errors.Join(failed, err)
	}
	if err := app.Restore(&before); err != nil {
		return nil, false, fmt.Errorf("restore the application's own state: %w", err)
	}
	return nil, false, nil
}

// cutAsAll reports whether the parts of a state in one piece are cut as everybody
// cuts them, and are those of its manifest. Bytes that are right and cut otherwise
// restore the right state, too; but from the next start on this replica would offer
// parts that are not what it has, and answer for them.
func (x *executor) cutAsAll(m *messages.Manifest) (bool, error) {
	var listed []messages.Digest
	if len(m.App) > 0 {
		listed = m.App[0].Parts
	}
	i, right := 0, true
	err := x.t.cfg.State.Prefix(sectionPrefix(x.layout.other(), true), func(_, part []byte) error {
		last := i == len(listed)-1
		right = right && i < len(listed) && pbft.HashPart(part) == listed[i] &&
			(len(part) == messages.PartBytesMax || last && len(part) > 0 && len(part) < messages.PartBytesMax)
		i++
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("read the application's state: %w", err)
	}
	return right && i == len(listed), nil
}

// commitInstalled is the one write: from here on a restart begins with the
// fetched state.
func (x *executor) commitInstalled(in *install, views []byte) error {
	gen := x.layout.other()
	batch := x.t.cfg.State.NewBatch()
	batch.Set(keyHead, encodeHead(in.manifest.Seq, in.manifest.Head, in.manifest.Vertices))
	setStable(batch, in.stable, views)
	batch.Set(keyGeneration, []byte{gen})
	old := generationPrefix(x.layout.gen)
	batch.DeleteRange(old, generationPrefix(x.layout.gen+1))
	batch.Delete(keyIncoming)
	x.t.ledger.cut(batch, ledgerBase{in.manifest.Seq, in.manifest.Head})
	if err := batch.Commit(true); err != nil {
		return err
	}
	x.layout.gen, x.stored = gen, in.manifest.Seq
	x.t.generation.Store(uint32(gen))
	return nil
}

// goOn continues execution behind the installed state.
func (x *executor) goOn(in *install, state *executedState) {
	seq := state.seq
	x.state = state
	x.backlog.Skip(seq)
	x.forget(seq)
	x.images = nil
	x.written = max(x.written, seq)
	for x.stable != nil && x.stable.Seq <= seq {
		x.stable, x.later = x.later, nil
	}
	x.durable = &in.stable
	x.installed = &installed{in.stable, state.head}
	x.t.ledger.begin(ledgerBase{seq, state.head})
	x.t.snapshots.close() // what follows on the older ones is not here
	x.t.snapshots.add(in.manifest, x.layout.gen)
	x.t.progress.Store(state.progress())
	x.t.cfg.Metrics.SetExecutedSequence(uint64(seq))
	x.t.pool.Skipped(seq, state.clients.Spent)
}

// tellInstalled tells everyone whom executed sequences concern. It may be said
// again.
func (x *executor) tellInstalled(c actor.Context) {
	for _, pid := range []*actor.PID{x.t.links.proposer, x.t.links.viewchange, x.t.links.sequencer, x.t.links.sync} {
		c.Send(pid, x.installed)
	}
	c.Send(x.t.links.detector, &stableDurable{x.installed.stable})
}
