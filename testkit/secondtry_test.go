package testkit_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/kvstore"
	"github.com/cretoai/consensus/testkit"
)

// stumble makes an application panic in the middle of a batch, the state half
// changed, so many times.
type stumble struct{ left, tries atomic.Int32 }

const stone = "the stone"

func (s *stumble) apply(app replica.StateMachine, seq messages.Seq, ops []replica.Operation) {
	at := slices.IndexFunc(ops, func(op replica.Operation) bool { return bytes.Contains(op.Vertex.Payload(), []byte(stone)) })
	if at >= 0 {
		s.tries.Add(1)
		if s.left.Add(-1) >= 0 {
			app.Apply(seq, ops[:at+1])
			panic("stumbled")
		}
	}
	app.Apply(seq, ops)
}

type stumblingPiece struct {
	piece
	*stumble
}

func (s *stumblingPiece) Apply(seq messages.Seq, ops []replica.Operation) {
	s.apply(&s.piece, seq, ops)
}

type stumblingStore struct {
	*kvstore.Machine
	*stumble
}

func (s *stumblingStore) Apply(seq messages.Seq, ops []replica.Operation) {
	s.apply(s.Machine, seq, ops)
}

// stumbling are the kinds of state there are: in one piece, in buckets, and in
// buckets that came to the replica with something in them.
var stumbling = map[string]func(t *testing.T, s *stumble) replica.StateMachine{
	"piece":   func(_ *testing.T, s *stumble) replica.StateMachine { return &stumblingPiece{stumble: s} },
	"buckets": func(_ *testing.T, s *stumble) replica.StateMachine { return &stumblingStore{kvstore.New(), s} },
	"filled before": func(t *testing.T, s *stumble) replica.StateMachine {
		app := &stumblingStore{kvstore.New(), s}
		vertex := messages.Vertex{Payload: put(t, "from before"), Creator: [32]byte{1}}
		encoded, err := vertex.Encode()
		if err != nil {
			t.Fatal(err)
		}
		view, _, err := messages.ParseVertex(encoded)
		if err != nil {
			t.Fatal(err)
		}
		app.Machine.Apply(0, []replica.Operation{{Hash: view.Hash(), Vertex: view}})
		app.Changed() // as after a restore
		return app
	},
}

func put(t *testing.T, key string) []byte {
	t.Helper()
	payload, err := kvstore.Put(key, "value of "+key).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// walk has n sequences executed, one after the other, and gives the last.
func walk(t *testing.T, c *testkit.Cluster, at, n int) (seq messages.Seq) {
	t.Helper()
	for i := range n {
		seq = c.Propose(at, string(put(t, fmt.Sprint("step ", i))))
	}
	return seq
}

// meetStone has the operation executed that makes replica 1 stumble, among others.
func meetStone(t *testing.T, c *testkit.Cluster, at int) messages.Seq {
	t.Helper()
	receipts := c.ProposeAll(at, []replica.Vertex{{Payload: put(t, "before")}, {Payload: put(t, stone)}, {Payload: put(t, "after")}})
	return receipts[2].Seq
}

// applications gives each replica the application f makes for it.
func applications(f func(i int) replica.StateMachine) testkit.Option {
	return testkit.WithReplica(func(i int) []replica.Option {
		return []replica.Option{replica.WithStateMachine(f(i))}
	})
}

// Whoever stumbles once has, at the next checkpoint, the state that all have, in
// memory and on disk, wherever it stumbled.
func TestX5_AStumbleOfTheApplicationIsMended(t *testing.T) {
	for where, play := range map[string]func(t *testing.T, c *testkit.Cluster, s *stumble) (tries int32){
		"before the first checkpoint": func(t *testing.T, c *testkit.Cluster, s *stumble) int32 {
			walk(t, c, 0, 1)
			s.left.Store(1)
			c.Await(1, meetStone(t, c, 0))
			return 2
		},
		"after checkpoints": func(t *testing.T, c *testkit.Cluster, s *stumble) int32 {
			c.AwaitStable(1, walk(t, c, 0, 10)/4*4)
			s.left.Store(1)
			c.Await(1, meetStone(t, c, 0))
			return 2
		},
		"far behind": func(t *testing.T, c *testkit.Cluster, s *stumble) int32 {
			walk(t, c, 0, 4)
			c.Kill(1)
			walk(t, c, 0, 20)
			meetStone(t, c, 0)
			last := walk(t, c, 0, 10)
			s.left.Store(1)
			c.Start(1)
			c.Await(1, last)
			return 2
		},
		"at a start": func(t *testing.T, c *testkit.Cluster, s *stumble) int32 {
			for walk(t, c, 0, 1)%4 != 0 { // what comes next is above the checkpoint
				continue
			}
			c.Await(1, meetStone(t, c, 0))
			c.Kill(1)
			s.left.Store(1)
			c.Start(1)
			return 3
		},
	} {
		for kind, build := range stumbling {
			if kind == "filled before" && where != "before the first checkpoint" {
				continue
			}
			t.Run(where+"/"+kind, func(t *testing.T) {
				s := &stumble{}
				c := testkit.NewCluster(t, 4, shortIntervals, applications(func(i int) replica.StateMachine {
					if i == 1 {
						return build(t, s)
					}
					return build(t, &stumble{})
				}))
				want := play(t, c, s)
				if got := s.tries.Load(); got != want {
					t.Errorf("the batch was applied %d times, not %d", got, want)
				}
				if got := c.Metric(1, "cretoai_consensus_application_retries_total"); got != 1 {
					t.Errorf("%v second tries are counted", got)
				}
				checkEqualStates(t, c)
				c.Restart(1) // which compares what is on disk with what was signed
				checkEqualStates(t, c)
			})
		}
	}
}

// checkEqualStates goes on to a later checkpoint and compares all states at it.
func checkEqualStates(t *testing.T, c *testkit.Cluster) {
	t.Helper()
	var events [4]*actors.Subscription
	for i := range events {
		events[i] = c.Replica(i).Subscribe(1 << 12)
		defer events[i].Close()
	}
	seq := (walk(t, c, 0, 1)/4 + 1) * 4
	for walk(t, c, 0, 1) < seq {
		continue
	}
	var want messages.Digest
	for i := range events {
		c.AwaitStable(i, seq)
		got := checkpointDigest(events[i], seq)
		if i == 0 {
			want = got
		}
		if got.IsZero() || got != want {
			t.Errorf("replica %d has the state %v at sequence %d, not %v", i, got, seq, want)
		}
		if halted := c.Replica(i).Status().Halted; halted != "" {
			t.Errorf("replica %d halted: %s", i, halted)
		}
	}
}

// checkpointDigest is what a replica said its state was at a checkpoint.
func checkpointDigest(events *actors.Subscription, seq messages.Seq) messages.Digest {
	for {
		select {
		case e := <-events.C:
			if at, ok := e.(messages.Checkpointed); ok && at.Seq == seq {
				return at.Digest
			}
		default:
			return messages.Digest{}
		}
	}
}

// A panic that comes again ends execution after exactly two tries; nothing counts as
// executed, and the data are kept: with an application that is well, the replica
// goes on.
func TestX5_AnApplicationThatPanicsTwiceEndsExecution(t *testing.T) {
	for kind, build := range stumbling {
		t.Run(kind, func(t *testing.T) {
			s := &stumble{}
			c := testkit.NewCluster(t, 4, shortIntervals, applications(func(i int) replica.StateMachine {
				if i == 1 {
					return build(t, s)
				}
				return build(t, &stumble{})
			}))
			c.AwaitEqual(walk(t, c, 0, 5))
			s.left.Store(1 << 20)
			r := c.Replica(1)
			stone := meetStone(t, c, 0)
			if err := c.AwaitEnd(1); err == nil || !strings.Contains(err.Error(), "stumbled") || !strings.Contains(err.Error(), "twice") {
				t.Errorf("the replica ended with %v", err)
			}
			if got := s.tries.Load(); got != 2 {
				t.Errorf("it was tried %d times", got)
			}
			if got := r.CurrentSequence(); got >= stone {
				t.Errorf("sequence %d counts as executed", got)
			}
			if halted := r.Status().Halted; !strings.Contains(halted, "panicked") {
				t.Errorf("it halted for %q", halted)
			}
			s.left.Store(0)
			c.Start(1)
			checkEqualStates(t, c)
		})
	}
}
