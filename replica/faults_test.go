package replica_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// failingDisk is a disk for each replica, of which that of one member fails.
func failingDisk(member int, armed *atomic.Bool, part string) func(int) vfs.FS {
	return func(i int) vfs.FS {
		if i == member {
			return errorfs.Wrap(vfs.NewMem(), failing(armed, part))
		}
		return vfs.NewMem()
	}
}

// failing makes flushes fail once armed, on paths that hold part.
func failing(armed *atomic.Bool, part string) errorfs.Injector {
	return errorfs.InjectorFunc(func(op errorfs.Op) error {
		flush := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
		if armed.Load() && flush && strings.Contains(op.Path, part) {
			return errors.New("the disk is gone")
		}
		return nil
	})
}

func TestD7_AFailedFlushStopsTheReplica(t *testing.T) {
	var armed atomic.Bool
	c := testkit.NewCluster(t, 4, testkit.WithDisks(failingDisk(1, &armed, "journal")))
	c.Propose(0, "with a disk")
	armed.Store(true)
	c.Propose(0, "the others go on")
	r := c.Replica(1)
	if err := c.AwaitEnd(1); err == nil || !strings.Contains(err.Error(), "the disk is gone") {
		t.Errorf("the replica ended with %v", err)
	}
	if _, err := r.Propose(t.Context(), replica.Vertex{Payload: []byte("late")}); !errors.Is(err, replica.ErrStopped) {
		t.Errorf("a replica without a disk accepted a vertex: %v", err)
	}
}

func TestC3_TheWindowMovesOnlyOnceTheCheckpointIsDurable(t *testing.T) {
	var armed atomic.Bool
	c := testkit.NewCluster(t, 4, testkit.WithDisks(failingDisk(2, &armed, "state")))
	armed.Store(true)
	proposeMany(c, 0, 130)
	c.AwaitStable(0, 128)
	r := c.Replica(2)
	if err := c.AwaitEnd(2); err == nil { // it cannot make the checkpoint durable
		t.Error("the replica ended without an error")
	}
	if got := r.Status().StableCheckpoint; got != 0 {
		t.Errorf("a checkpoint that is not on disk moved the window to %d", got)
	}
}

// drifting is an application whose state differs between replicas.
type drifting struct{ own byte }

func (d *drifting) Apply(messages.Seq, []replica.Operation) {}
func (d *drifting) Digest() messages.Digest                 { return messages.Digest{1, d.own} }
func (d *drifting) Snapshot(io.Writer) error                { return nil }
func (d *drifting) Restore(io.Reader) error                 { return nil }

// applications gives each replica the application f makes for it.
func applications(f func(i int) replica.StateMachine) testkit.Option {
	return testkit.WithReplica(func(i int) []replica.Option {
		return []replica.Option{replica.WithStateMachine(f(i))}
	})
}

func TestV5_AReplicaWhoseStateDiffersStopsVotingAndSaysSo(t *testing.T) {
	c := testkit.NewCluster(t, 4, applications(func(i int) replica.StateMachine {
		return &drifting{own: byte(i / 3)} // the last one differs
	}))
	proposeMany(c, 0, 130)
	c.AwaitStable(0, 128)
	for s := c.Replica(3).Status(); s.Halted == "" || s.Active; s = c.Replica(3).Status() {
		c.Propose(0, "the others go on without it")
	}
	if ready, reason := c.Replica(3).Ready(); ready || reason == "" {
		t.Error("a replica that diverged calls itself ready")
	}
	fault := c.PanicOn(3, "sequencer", 1, nil)
	fault.Await()
	for c.Metric(3, "cretoai_consensus_actor_restarts_total", "actor", "sequencer") == 0 {
		c.Propose(0, "time passes")
	}
	for range 20 { // rebuilt meanwhile
		c.Propose(0, "the others go on without it")
		if c.Replica(3).Status().Active {
			t.Fatal("a replica that diverged votes again after a panic")
		}
	}
}

// exploding is an application that panics at a payload.
type exploding struct{ drifting }

func (e *exploding) Apply(_ messages.Seq, ops []replica.Operation) {
	for _, op := range ops {
		if string(op.Vertex.Payload()) == "boom" {
			panic("boom")
		}
	}
}

func TestAPanickingApplicationStopsTheReplicaLoudly(t *testing.T) {
	c := testkit.NewCluster(t, 4, applications(func(i int) replica.StateMachine {
		if i == 1 {
			return &exploding{}
		}
		return &drifting{}
	}))
	c.Propose(0, "boom")
	r := c.Replica(1)
	if err := c.AwaitEnd(1); err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("the replica ended with %v", err)
	}
	if got := r.CurrentSequence(); got != 0 {
		t.Errorf("the batch that made the application panic counts as executed: sequence %d", got)
	}
}

func TestACustomActorGetsEventsAndCannotTakeTheReplicaDown(t *testing.T) {
	seen := make(chan messages.Finalized, 1024)
	produce := func() actor.Actor {
		return actor.ReceiveFunc(func(c actor.Context) {
			if e, ok := c.Message().(messages.Finalized); ok {
				seen <- e
				panic("the custom actor is broken")
			}
		})
	}
	c := testkit.NewCluster(t, 4, testkit.WithReplica(func(int) []replica.Option {
		return []replica.Option{replica.WithActor("audit", produce)}
	}))
	proposeMany(c, 1, 20) // more panics than its budget
	if first := <-seen; first.Executed != 1 || first.Batch.Len() != 1 {
		t.Errorf("the custom actor was told %+v", first)
	}
}

func TestM6_MembersOfAnotherGenesisAreToldSo(t *testing.T) {
	c := testkit.New(t, 4)
	c.Start(0)
	stranger := c.Network.Transport(3)
	answers := make(chan messages.Message, 64)
	if err := stranger.Start(func(m any) {
		if in, ok := m.(*cluster.Inbound); ok {
			if message, err := messages.DecodeFrame(in.Frame); err == nil {
				answers <- message
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	hello, err := messages.EncodeFrame(&messages.Hello{Genesis: messages.Digest{1}, Instance: [16]byte{1}, Software: "test"})
	if err != nil {
		t.Fatal(err)
	}
	stranger.Send(0, cluster.LaneVotes, hello)
	for m := range answers {
		if refusal, ok := m.(*messages.Refusal); ok {
			if refusal.Genesis != c.Genesis.Hash() || refusal.Reason == "" {
				t.Errorf("refused with %+v", refusal)
			}
			break
		}
	}
	go func() { // what still comes is of no interest
		for range answers {
		}
	}()
	if err := stranger.Stop(); err != nil {
		t.Fatal(err)
	}
	close(answers)
}

func TestB1_ALoneVertexWaitsForNothingAndALoadMakesBatches(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	for i := range 5 {
		receipt, err := c.Replica(0).Propose(t.Context(), replica.Vertex{Payload: []byte{1}})
		if err != nil {
			t.Fatal(err)
		}
		if want := messages.Seq(i + 1); receipt.Seq != want || receipt.Position != 0 {
			t.Errorf("a lone vertex came to sequence %d position %d, want %d and 0", receipt.Seq, receipt.Position, want)
		}
	}
	receipts, err := c.Replica(0).ProposeAll(t.Context(), vertices(8000))
	if err != nil {
		t.Fatal(err)
	}
	sequences := make(map[messages.Seq]int)
	for _, r := range receipts {
		sequences[r.Seq]++
	}
	// 8 full batches would do; the first may be small, and so may those cut
	// when a sequence completes.
	if len(sequences) > 100 {
		t.Errorf("8000 vertices proposed at once took %d sequences", len(sequences))
	}
}

// TestB1_CallersWhoComeBackShareSequences: of two who propose again when they have their
// receipt one is too late for the other's batch. Cut at each completion, batches of one
// would take turns.
func TestB1_CallersWhoComeBackShareSequences(t *testing.T) {
	const enough, patience = 20, 8000 // shared sequences in a row, of so many receipts
	c := testkit.NewCluster(t, 4)
	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	defer callers.Wait()
	defer cancel()
	receipts := make(chan replica.Receipt)
	for i := range 2 {
		callers.Go(func() {
			for ctx.Err() == nil {
				receipt, err := c.Replica(i).Propose(ctx, replica.Vertex{Payload: []byte{1}})
				if err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				select {
				case receipts <- receipt:
				case <-ctx.Done():
				}
			}
		})
	}
	sequences := make(map[messages.Seq]int)
	shared := 0
	for range patience {
		receipt := <-receipts
		if sequences[receipt.Seq]++; sequences[receipt.Seq] == 2 {
			shared++
		} else if sequences[receipt.Seq-1] == 1 {
			shared = 0
		}
		if shared == enough {
			return
		}
	}
	t.Errorf("of %d sequences no %d in a row were shared", len(sequences), enough)
}

func TestBadVerticesAreRefusedWithAReason(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	r := c.Replica(0)
	if _, err := r.Propose(t.Context(), replica.Vertex{}); !errors.Is(err, replica.ErrEmptyPayload) {
		t.Errorf("an empty payload: %v", err)
	}
	var tooLarge *replica.TooLargeError
	if _, err := r.Propose(t.Context(), replica.Vertex{Payload: make([]byte, messages.VertexBytesMax)}); !errors.As(err, &tooLarge) {
		t.Errorf("a payload too large: %v", err)
	}
	largest := make([]byte, messages.VertexBytesMax-messages.VertexHeaderBytes)
	if _, err := r.Propose(t.Context(), replica.Vertex{Payload: largest}); err != nil {
		t.Errorf("the largest payload: %v", err)
	}
	twice := replica.Vertex{Payload: []byte("first"), Creator: [32]byte{1}, Nonce: 5}
	if _, err := r.Propose(t.Context(), twice); err != nil {
		t.Fatal(err)
	}
	twice.Payload = []byte("second, with the same nonce")
	var noOp *replica.NoOpError
	if receipt, err := r.Propose(t.Context(), twice); !errors.As(err, &noOp) || receipt.Seq == 0 {
		t.Errorf("a nonce used twice: %v", err)
	}
}
