package testkit_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// audit is what custom actors of one replica were told, by life of the replica.
type audit struct {
	mu    sync.Mutex
	lives [][]messages.Event // Finalized and StateInstalled
}

// option begins a life.
func (a *audit) option() replica.Option {
	a.mu.Lock()
	defer a.mu.Unlock()
	life := len(a.lives)
	a.lives = append(a.lives, nil)
	return replica.WithActor("audit", func() actor.Actor {
		return actor.ReceiveFunc(func(c actor.Context) {
			switch e := c.Message().(type) {
			case messages.Finalized:
				a.told(life, e)
			case messages.StateInstalled:
				a.told(life, e)
			}
		})
	})
}

func (a *audit) told(life int, e messages.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lives[life] = append(a.lives[life], e)
}

// finalized lists the sequences that a life was told of, once seq is among them.
func (a *audit) finalized(c *testkit.Cluster, life int, seq messages.Seq) (seqs []messages.Seq) {
	c.AwaitTrue("the audit is told of the last sequence", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		seqs = seqs[:0]
		for _, e := range a.lives[life] {
			if f, ok := e.(messages.Finalized); ok {
				seqs = append(seqs, f.Seq)
			}
		}
		return slices.Contains(seqs, seq)
	})
	return seqs
}

// audited gives one replica an audit.
func audited(i int) (*audit, testkit.Option) {
	a := &audit{}
	return a, testkit.WithReplica(func(at int) []replica.Option {
		if at == i {
			return []replica.Option{a.option()}
		}
		return nil
	})
}

// between lists the sequences from one to another, but for some.
func between(first, last messages.Seq, without ...messages.Seq) (seqs []messages.Seq) {
	for s := first; s <= last; s++ {
		if !slices.Contains(without, s) {
			seqs = append(seqs, s)
		}
	}
	return seqs
}

// A custom actor is told of every sequence once and in order, but for those it
// panicked at. After a restart of the replica nothing is repeated.
func TestACustomActorIsToldOfEachSequenceAtMostOnce(t *testing.T) {
	a, option := audited(2)
	c := testkit.NewCluster(t, 4, option)
	lost := c.PanicOn(2, "audit", 2, func(message any) bool {
		f, ok := message.(messages.Finalized)
		return ok && (f.Seq == 2 || f.Seq == 4)
	})
	last := proposeSequences(c, 0, 8)
	lost.Await()
	if got, want := a.finalized(c, 0, last), between(1, last, 2, 4); !slices.Equal(got, want) {
		t.Errorf("the actor was told of %v, want %v", got, want)
	}

	c.AwaitEqual(last)
	c.Restart(2)
	first := c.Replica(2).CurrentSequence() + 1
	if first <= last {
		t.Fatalf("the replica starts behind sequence %d, and had executed %d", first-1, last)
	}
	last = proposeSequences(c, 1, 4)
	if got, want := a.finalized(c, 1, last), between(first, last); !slices.Equal(got, want) {
		t.Errorf("after a restart the actor was told of %v, want %v", got, want)
	}
}

// More panics than its budget stop a custom actor, and nothing but that.
func TestACustomActorThatKeepsPanickingIsLeftStopped(t *testing.T) {
	a, option := audited(2)
	c := testkit.NewCluster(t, 4, option)
	fault := c.PanicOn(2, "audit", 1000, nil)
	proposeSequences(c, 2, 15)
	c.AwaitTrue("the actor has panicked too often", func() bool { return fault.Struck() == 11 })
	c.AwaitEqual(proposeSequences(c, 2, 3))
	if got := fault.Struck(); got != 11 {
		t.Errorf("it panicked %d times, and was to be stopped after 11", got)
	}
	c.Restart(2)
	c.Propose(2, "the replica's next life has it again")
	c.AwaitTrue("it panics again", func() bool { return fault.Struck() > 11 })
	if a.lives[0] != nil || a.lives[1] != nil {
		t.Errorf("it was told of %v", a.lives)
	}
}

// Of what a state transfer skips nothing is told but StateInstalled.
func TestACustomActorIsToldOfAStateTransferInThePlaceOfSequences(t *testing.T) {
	a, option := audited(3)
	c := testkit.NewCluster(t, 4, shortIntervals, shortLedgers, option)
	before := c.Propose(3, "all are there")
	c.AwaitEqual(before)
	c.Kill(3)
	proposeSequences(c, 0, 40)
	for i := range 3 {
		awaitTrimmed(t, c, i, before+8)
	}
	c.Start(3)
	last := c.Propose(0, "and on")
	c.Await(3, last)
	a.finalized(c, 1, last)
	a.mu.Lock()
	defer a.mu.Unlock()
	told, installed := before, 0
	for _, e := range a.lives[1] {
		switch e := e.(type) {
		case messages.StateInstalled:
			if e.Seq <= told {
				t.Errorf("the state of sequence %d is taken over after sequence %d", e.Seq, told)
			}
			told, installed = e.Seq, installed+1
		case messages.Finalized:
			if e.Seq != told+1 {
				t.Errorf("the actor is told of sequence %d after %d", e.Seq, told)
			}
			told = e.Seq
		}
	}
	if installed == 0 {
		t.Error("no state was taken over")
	}
}
