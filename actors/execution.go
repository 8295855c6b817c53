package actors

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/metrics"
	"github.com/cretoai/consensus/pbft"
)

// execution is what execution has led to, and what waits for it. It belongs to
// the replica and not to an incarnation of the executor: one that follows on a
// panic goes on with the step at which its predecessor was.
type execution struct {
	state   *executedState
	backlog *pbft.Backlog[*decided] // certified, not yet their turn
	history []*executed             // above the last durable checkpoint, ascending

	images  []*image // checkpoints not yet durable, ascending
	written messages.Seq
	turn    turn     // to write one
	storing *storing // the checkpoint that is being written
	// store is held while a checkpoint is being written, or a state replaced: who reads
	// the state of one back holds it, too.
	store   sync.Mutex
	stored  messages.Seq           // the checkpoint in the store
	stable  *pbft.StableCheckpoint // the highest certificate not yet durable
	later   *pbft.StableCheckpoint // one above it, while it is that of a snapshot
	durable *pbft.StableCheckpoint // the last one that was made so, nil before

	snapshotInterval messages.Seq

	beginning *beginning // nil if there was a checkpoint at the start, or is one by now
	layout    *layout    // of the state store
	install   *install   // a state that came here, not in force yet
	installed *installed // the last one that is

	asked *rebuild // by a sequencer, not answered yet

	changing bool      // the state is being changed at this moment
	delivery *delivery // applied, not yet told to everyone
}

func newExecution(state *executedState, l *layout, snapshotInterval messages.Seq) *execution {
	return &execution{state: state, backlog: pbft.NewBacklog[*decided](state.seq), written: state.seq, stored: state.seq, layout: l, snapshotInterval: snapshotInterval}
}

// delivery is a batch that was applied, on its way to everyone concerned.
type delivery struct {
	decision *decided
	outcomes []pbft.Outcome
	ops      []Operation // the fresh ones, with their results
	done     *executed
	begun    time.Time
	step     int // of deliverySteps, the next one
}

// deliverySteps are what is owed for a batch that was applied. A step that was
// interrupted is done again, but for the last kind: counting twice, or telling
// an embedder twice, is worse than an event missed, which the ledger has.
var deliverySteps = []struct {
	do   func(*executor, actor.Context, *delivery)
	once bool
}{
	{do: (*executor).record},
	{do: (*executor).receipts},
	{do: (*executor).count, once: true},
	{do: (*executor).tell},
	{do: (*executor).publish, once: true},
	{do: (*executor).checkpoint},
}

// deliver does what is owed for the batch that was applied last.
func (x *executor) deliver(c actor.Context) {
	for v := x.delivery; v.step < len(deliverySteps); {
		step := deliverySteps[v.step]
		if step.once {
			v.step++
			step.do(x, c, v)
			continue
		}
		step.do(x, c, v)
		v.step++
	}
	x.delivery = nil
}

// resume goes on where the incarnation before panicked, and asks for what may
// have been lost with the message it panicked on.
func (x *executor) resume(c actor.Context) {
	if x.changing {
		x.t.fail(fmt.Errorf("the executor panicked while it changed the state after sequence %d: "+
			"its memory is in doubt, and a start reads the state from disk", x.state.seq))
		return
	}
	if x.delivery != nil {
		x.deliver(c)
	}
	if x.installed != nil {
		x.tellInstalled(c)
	}
	x.storeAgain(c)
	x.turn.again()
	x.persist(c)
	x.onInstall(c)
	if x.durable != nil {
		c.Send(x.t.links.sequencer, &stableDurable{*x.durable})
	}
	if n := len(x.images); n > 0 {
		c.Send(x.t.links.journal, &report{x.images[n-1].seq})
	}
	c.Send(x.t.links.sequencer, &executorRestarted{})
	c.Send(x.t.links.sync, &executorRestarted{})
	x.run(c)
}

// storeAgain has the checkpoint in flight written again, after a panic on which it,
// or the word that it is written, may have been lost.
func (x *executor) storeAgain(c actor.Context) {
	if x.storing != nil {
		c.Send(x.t.links.checkpointer, x.storing)
	}
}

// record gives the batch a place in the ledger.
func (x *executor) record(c actor.Context, v *delivery) {
	x.t.progress.Store(x.state.progress())
	x.t.ledger.add(v.decision)
	x.t.ledger.vertices.add(v.done.seq, v.decision.batch, v.outcomes, v.ops)
	c.Send(x.t.links.journal, &keep{v.decision})
}

// receipts tells those who wait for the vertices.
func (x *executor) receipts(_ actor.Context, v *delivery) {
	if commit := v.decision.commit; v.decision.batch != nil {
		receipt := Receipt{Seq: commit.Seq, View: commit.View, Batch: commit.Digest}
		v.done.before = x.t.pool.Executed(v.decision.batch, receipt, v.outcomes, v.ops, func(took time.Duration, n int) {
			v.done.finality = max(v.done.finality, took)
			x.t.cfg.Metrics.ObserveFinality(took, n)
		})
	}
}

func (x *executor) count(_ actor.Context, v *delivery) {
	if batch := v.decision.batch; batch != nil {
		x.t.cfg.Metrics.SequenceExecuted(uint64(v.done.seq), batch.Len(), v.done.fresh, len(batch.Bytes()))
	}
	x.t.cfg.Metrics.ObservePhase(metrics.PhaseExecute, x.t.cfg.Clock.Now().Sub(v.begun))
}

// tell reports an executed sequence to the other actors.
func (x *executor) tell(c actor.Context, v *delivery) {
	for _, pid := range []*actor.PID{x.t.links.proposer, x.t.links.viewchange, x.t.links.sequencer, x.t.links.sync} {
		c.Send(pid, v.done)
	}
}

// publish tells embedders.
func (x *executor) publish(_ actor.Context, v *delivery) {
	x.t.hub.publish(messages.Finalized{
		Seq: v.done.seq, View: v.done.view, Batch: v.done.batch, Digest: v.done.digest, Head: v.done.head, Executed: v.done.fresh,
	})
}

// note keeps what was executed until a checkpoint covers it. While a replica is
// far behind there is none for long: batches are kept as far back as a NewView
// may list them, and a window is that far.
func (x *execution) note(e *executed, window messages.Seq) {
	x.history = append(x.history, e)
	if n := len(x.history); messages.Seq(n) > window && x.history[n-1-int(window)].batch != nil {
		old := *x.history[n-1-int(window)]
		old.batch = nil
		x.history[n-1-int(window)] = &old
	}
}

// executed says what became of a decision that was just applied.
func (x *execution) executed(d *decided, fresh int) *executed {
	return &executed{seq: d.commit.Seq, view: d.commit.View, digest: d.commit.Digest, head: x.state.head, batch: d.batch, fresh: fresh}
}

// states are the digests of the checkpoints that are not durable yet.
func (x *execution) states() []checkpointReached {
	states := make([]checkpointReached, len(x.images))
	for i, im := range x.images {
		states[i] = checkpointReached{im.seq, im.digest}
	}
	return states
}

// forget drops what a durable checkpoint covers.
func (x *execution) forget(stable messages.Seq) {
	x.beginning = nil
	x.images = slices.DeleteFunc(slices.Clone(x.images), func(im *image) bool { return im.seq <= stable })
	x.history = slices.DeleteFunc(slices.Clone(x.history), func(e *executed) bool { return e.seq <= stable })
}
