package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// checkpointer writes stable checkpoints to the state store, beside the executor:
// what changed since the one before, and the index of a hundred thousand vertices,
// take as long as many sequences, and all replicas do it at the same time. One is
// being written at a time; the executor knows which, and asks again after a panic
// on either side. What is in the store, or has been replaced there, is not written
// again. [C3]
type checkpointer struct {
	t     *Tree
	life  int // 1 for the first
	bytes int // of the last batch
}

// storing is a stable checkpoint on its way to the state store, with all images up
// to it. They are not changed any more.
type storing struct {
	stable pbft.StableCheckpoint
	views  []byte
	images []*image    // the last is that of stable
	base   *ledgerBase // what the ledger is trimmed to with it, nil if it is not
}

func (s *storing) image() *image { return s.images[len(s.images)-1] }

type (
	// checkpointStored says that a checkpoint is durable.
	checkpointStored struct{ seq messages.Seq }
	// checkpointerRestarted asks for what may have been lost with a panic.
	checkpointerRestarted struct{}
)

func newCheckpointer(t *Tree, life int) *checkpointer { return &checkpointer{t: t, life: life} }

func (k *checkpointer) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		if k.life > 1 {
			c.Send(k.t.links.executor, &checkpointerRestarted{})
		}
	case *storing:
		if err := k.commit(m); err != nil {
			k.t.fail(fmt.Errorf("write the stable checkpoint %d: %w", m.stable.Seq, err))
			return
		}
		c.Send(k.t.links.executor, &checkpointStored{m.stable.Seq})
	}
}

// commit writes a checkpoint with all that a restart at it needs.
func (k *checkpointer) commit(s *storing) error {
	x := k.t.execution
	x.store.Lock()
	defer x.store.Unlock()
	if s.stable.Seq <= x.stored {
		return nil
	}
	batch := k.t.cfg.State.NewBatchOf(k.bytes + k.bytes/8)
	for _, im := range s.images {
		im.write(batch, x.layout)
	}
	for _, e := range k.t.ledger.entries(s.stable.Seq) {
		k.t.ledger.index.Put(batch, e)
	}
	k.t.ledger.vertices.write(batch, s.stable.Seq)
	if s.base != nil {
		k.t.ledger.cut(batch, *s.base)
	}
	setStable(batch, s.stable, s.views)
	k.bytes = batch.Len()
	if err := batch.Commit(true); err != nil {
		return err
	}
	x.stored = s.stable.Seq
	return nil
}
