package actors

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// placed says that everything the executor gave the journal up to seq is on
// disk, and the ledger knows where.
type placed struct{ seq messages.Seq }

// executor executes certified batches in sequence order, once each, hands out
// receipts, and takes checkpoints.
type executor struct {
	t    *Tree
	life int // 1 for the first
	*execution
}

// executedState is what execution has led to.
type executedState struct {
	seq     messages.Seq
	head    messages.Digest
	clients *pbft.Clients
	app     StateMachine
	hashes  appHashes // of app, as of the last checkpoint
	total   uint64    // vertices executed since genesis
	fresh   bool      // no image was taken since genesis

	// What the batch that was applied last came to, and room for the next.
	outcomes []pbft.Outcome
	ops      []Operation
}

func (s *executedState) progress() *Progress { return &Progress{s.seq, s.head, s.total} }

func newExecutor(t *Tree, life int) *executor { return &executor{t, life, t.execution} }

func (x *executor) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		if x.life > 1 {
			x.resume(c)
		} else {
			x.turn.at = x.t.cfg.Clock.Now()
		}
	case *actor.Stopping:
		x.turn.stop()
	case *decided:
		x.backlog.Add(m.commit.Seq, m)
		x.run(c)
	case *becameStable:
		x.onStable(c, m.checkpoint)
	case *placed:
		x.written = max(x.written, m.seq)
		x.persist(c)
	case *turnCame:
		x.turn.came = max(x.turn.came, m.seq)
		x.persist(c)
	case *nonceQuestion:
		x.tellNonces(m)
	case *checkpointStored:
		x.onStored(c, m.seq)
	case *checkpointerRestarted:
		x.storeAgain(c)
	case *rebuild:
		x.t.views.Store(nil) // what the sequencer told before it panicked may be more than it recorded
		x.asked = m
		x.answer(c)
	case *rebuildDone:
		x.persist(c)
		x.onInstall(c)
	case *install:
		x.install = m
		x.onInstall(c)
	case *viewsBeside:
		x.putInForce(c, m)
	}
}

// answer tells a sequencer that is being rebuilt what was executed, once the state
// store stands still: it goes on to read it, and views keeps the next checkpoint
// waiting.
func (x *executor) answer(c actor.Context) {
	if x.asked == nil || x.storing != nil {
		return
	}
	c.Send(x.t.links.sequencer, &rebuilt{x.asked.life, x.state.head, slices.Clone(x.history), x.states()})
	x.asked = nil
}

// run executes what is next, as long as it is there.
func (x *executor) run(c actor.Context) {
	for {
		if _, halted := x.t.Halted(); halted {
			return
		}
		next, ok := x.backlog.Next()
		if !ok {
			return
		}
		x.execute(c, next)
	}
}

// execute applies one batch and tells everyone concerned.
func (x *executor) execute(c actor.Context, d *decided) {
	begun := x.t.cfg.Clock.Now()
	x.changing = true
	outcomes, ops, err := x.execution.apply(x.t, d)
	if err != nil {
		x.t.log.Error().Uint64("seq", uint64(d.commit.Seq)).Err(err).
			Msg("the application panicked, and a second try was of no use: this replica stops executing and voting; its data is kept")
		x.t.halt("the application panicked")
		x.t.fail(err)
		return
	}
	x.delivery = &delivery{decision: d, outcomes: outcomes, ops: ops, done: x.executed(d, len(ops)), begun: begun}
	x.note(x.delivery.done, x.t.cfg.Genesis.Params.Window)
	x.changing = false
	x.deliver(c)
}

// halt ends execution for good, and tells who waits for it; everything else about the
// replica stays readable.
func (t *Tree) halt(reason string) {
	t.halted.CompareAndSwap(nil, &reason)
	t.cfg.Metrics.SetHalted(true)
	t.pool.close(ErrHalted)
}

// apply executes a batch: its fresh vertices, in order. A vertex that was
// executed before, or has expired, is a no-op: never a reason to refuse the
// batch, for the others may not have known either. What it gives is valid until the
// next batch. [X1]
func (s *executedState) apply(d *decided) (outcomes []pbft.Outcome, ops []Operation, err error) {
	seq := d.commit.Seq
	if s.outcomes, s.ops = s.outcomes[:0], s.ops[:0]; d.batch != nil {
		s.outcomes, s.ops = slices.Grow(s.outcomes, d.batch.Len()), slices.Grow(s.ops, d.batch.Len())
		for i := range d.batch.Len() {
			v := d.batch.Vertex(i)
			outcome := s.clients.Execute(seq, v.Creator(), v.Nonce(), v.Expires())
			s.outcomes = append(s.outcomes, outcome)
			if outcome == pbft.Fresh {
				s.ops = append(s.ops, Operation{Hash: d.batch.VertexHash(i), Vertex: v})
			}
		}
	}
	if err := recovered(func() { s.app.Apply(seq, s.ops) }); err != nil {
		return nil, nil, err
	}
	s.seq, s.head = seq, pbft.NextHead(s.head, seq, d.commit.Digest)
	s.total += uint64(len(s.ops))
	return s.outcomes, s.ops, nil
}
