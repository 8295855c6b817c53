package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/metrics"
	"github.com/cretoai/consensus/pbft"
)

// placed says that everything the executor gave the journal up to seq is on
// disk, and the ledger knows where.
type placed struct{ seq messages.Seq }

// halt stops execution, or voting, for good.
type halt struct{ reason string }

// executor executes certified batches in sequence order, once each, hands out
// receipts, and takes checkpoints.
type executor struct {
	t       *Tree
	state   *executedState
	backlog *pbft.Backlog[*decided] // certified, not yet their turn
	halted  string

	images  []*image // checkpoints not yet stable, ascending
	written messages.Seq
	stable  *pbft.StableCheckpoint // the highest certificate not yet durable
}

// executedState is what execution has led to.
type executedState struct {
	seq     messages.Seq
	head    messages.Digest
	clients *pbft.Clients
	app     StateMachine
	total   uint64 // vertices executed since genesis
}

func (s *executedState) progress() *Progress { return &Progress{s.seq, s.head, s.total} }

func newExecutor(t *Tree) *executor {
	return &executor{t: t, state: t.recovered.state, backlog: pbft.NewBacklog[*decided](t.recovered.state.seq), images: t.recovered.images, written: t.recovered.state.seq}
}

func (x *executor) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *begin:
		// What recovery executed again has its places in the ledger already.
		x.written = x.state.seq
	case *decided:
		x.onDecided(c, m)
	case *becameStable:
		x.stable = &m.checkpoint
		x.persist(c)
	case *placed:
		x.written = max(x.written, m.seq)
		x.persist(c)
	case *halt:
		x.stop(m.reason)
	}
}

// onDecided keeps a certified batch until its turn and executes what is next.
func (x *executor) onDecided(c actor.Context, d *decided) {
	x.backlog.Add(d.commit.Seq, d)
	for x.halted == "" {
		next, ok := x.backlog.Next()
		if !ok {
			return
		}
		x.execute(c, next)
	}
}

// execute applies one batch and tells everyone concerned.
func (x *executor) execute(c actor.Context, d *decided) {
	start := x.t.cfg.Clock.Now()
	outcomes, ops, err := x.state.apply(d)
	if err != nil {
		x.t.log.Error().Uint64("seq", uint64(d.commit.Seq)).Err(err).
			Msg("the application panicked: this replica stops executing and voting; its data is kept")
		x.stop("the application panicked")
		x.t.fail(err)
		return
	}
	x.t.progress.Store(x.state.progress())
	fresh := len(ops)
	x.t.ledger.add(d)
	x.t.ledger.vertices.add(d.commit.Seq, d.batch, outcomes, ops)
	c.Send(x.t.links.journal, &keep{d})
	var finality time.Duration
	if d.batch != nil {
		x.t.pool.Executed(d.batch, Receipt{Seq: d.commit.Seq, View: d.commit.View, Batch: d.commit.Digest}, outcomes, ops, func(took time.Duration, n int) {
			finality = max(finality, took)
			x.t.cfg.Metrics.ObserveFinality(took, n)
		})
		x.t.cfg.Metrics.SequenceExecuted(uint64(d.commit.Seq), d.batch.Len(), fresh, len(d.batch.Bytes()))
	}
	done := &executed{seq: d.commit.Seq, view: d.commit.View, digest: d.commit.Digest, head: x.state.head, batch: d.batch, fresh: fresh, finality: finality}
	c.Send(x.t.links.proposer, done)
	c.Send(x.t.links.viewchange, done)
	x.tell(c, done)
	x.t.cfg.Metrics.ObservePhase(metrics.PhaseExecute, x.t.cfg.Clock.Now().Sub(start))
	x.t.hub.publish(messages.Finalized{
		Seq: d.commit.Seq, View: d.commit.View, Batch: d.batch, Digest: d.commit.Digest, Head: x.state.head, Executed: fresh,
	})
	if x.state.seq%x.t.cfg.Genesis.Params.CheckpointInterval == 0 {
		x.checkpoint(c)
	}
}

// tell reports an executed sequence to the sequencer and to sync.
func (x *executor) tell(c actor.Context, done *executed) {
	c.Send(x.t.links.sequencer, done)
	c.Send(x.t.links.sync, done)
}

// stop ends execution; everything else about the replica stays readable.
func (x *executor) stop(reason string) {
	x.halted = reason
	x.t.halted.Store(&reason)
}

// apply executes a batch: its fresh vertices, in order. A vertex that was
// executed before, or has expired, is a no-op: never a reason to refuse the
// batch, for the others may not have known either. [X1]
func (s *executedState) apply(d *decided) (outcomes []pbft.Outcome, ops []Operation, err error) {
	seq := d.commit.Seq
	if d.batch != nil {
		outcomes = make([]pbft.Outcome, d.batch.Len())
		ops = make([]Operation, 0, d.batch.Len())
		for i := range outcomes {
			v := d.batch.Vertex(i)
			outcomes[i] = s.clients.Execute(seq, v.Creator(), v.Nonce(), v.Expires())
			if outcomes[i] == pbft.Fresh {
				ops = append(ops, Operation{Hash: d.batch.VertexHash(i), Vertex: v})
			}
		}
	}
	if err := recovered(func() { s.app.Apply(seq, ops) }); err != nil {
		return nil, nil, err
	}
	s.seq, s.head = seq, pbft.NextHead(s.head, seq, d.commit.Digest)
	s.total += uint64(len(ops))
	return outcomes, ops, nil
}
