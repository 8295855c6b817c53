package replica_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// endings are ways in which a replica, member 3, executes nothing any more, with what
// is said then.
var endings = map[string]struct {
	options func(armed *atomic.Bool) []testkit.Option
	end     func(c *testkit.Cluster, armed *atomic.Bool)
	want    error
	words   string
}{
	"its state differs": {
		options: func(*atomic.Bool) []testkit.Option {
			return []testkit.Option{
				testkit.WithParams(func(p *messages.Params) { p.Window, p.CheckpointInterval, p.SnapshotInterval = 16, 8, 16 }),
				applications(func(i int) replica.StateMachine { return &drifting{own: byte(i / 3)} }),
			}
		},
		end:  func(c *testkit.Cluster, _ *atomic.Bool) { proposeMany(c, 0, 8) },
		want: replica.ErrHalted, words: "the state differs",
	},
	"its application panics": {
		options: func(*atomic.Bool) []testkit.Option {
			return []testkit.Option{applications(func(i int) replica.StateMachine {
				if i == 3 {
					return &exploding{}
				}
				return &drifting{}
			})}
		},
		end:  func(c *testkit.Cluster, _ *atomic.Bool) { c.Propose(0, "boom") },
		want: replica.ErrHalted, words: "the application panicked",
	},
	"its journal fails": {
		options: func(armed *atomic.Bool) []testkit.Option {
			return []testkit.Option{testkit.WithDisks(failingDisk(3, armed, "journal"))}
		},
		end: func(c *testkit.Cluster, armed *atomic.Bool) {
			armed.Store(true)
			c.Propose(0, "the others go on")
		},
		want: replica.ErrStopped, words: "the disk is gone",
	},
	"it is stopped": {
		options: func(*atomic.Bool) []testkit.Option { return nil },
		end:     func(c *testkit.Cluster, _ *atomic.Bool) { c.Kill(3) },
		want:    replica.ErrStopped, words: "has stopped",
	},
}

// TestWhoWaitsIsToldThatTheReplicaEnds: at once, with the hashes of what it waits for;
// and what it proposes again elsewhere executes once.
func TestWhoWaitsIsToldThatTheReplicaEnds(t *testing.T) {
	for name, ending := range endings {
		t.Run(name, func(t *testing.T) {
			var armed atomic.Bool
			c := testkit.NewCluster(t, 4, ending.options(&armed)...)
			for i := range messages.Index(3) {
				c.Network.Block(3, i, true) // what member 3 takes stays with it
			}
			r := c.Replica(3)
			list := make([]replica.Vertex, 4)
			for i := range list {
				list[i] = replica.Vertex{Payload: []byte("waits"), Creator: [32]byte{7}, Nonce: uint64(i), Expires: 1000}
			}
			told := make(chan error, 3)
			var receipts []replica.Receipt
			go func() { _, err := r.Propose(t.Context(), list[0]); told <- err }()
			go func() { _, err := r.ProposeAll(t.Context(), list[1:2]); told <- err }()
			s, err := r.Submit(t.Context(), list[2:])
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				var err error
				receipts, err = s.Wait(t.Context())
				told <- err
			}()
			for r.Status().Pending < len(list) {
				c.AwaitHeartbeat(3)
			}
			ending.end(c, &armed)
			var hashes []messages.Digest
			for range 3 {
				err, not := <-told, (*replica.NotFinalError)(nil)
				if !errors.Is(err, ending.want) || !errors.As(err, &not) || not.Missing != len(not.Vertices) || !not.Lost() ||
					!strings.Contains(err.Error(), ending.words) {
					t.Fatalf("who waits is told %v", err)
				}
				if ending.want == replica.ErrHalted && !errors.As(err, new(*replica.HaltedError)) {
					t.Errorf("no HaltedError: %v", err)
				}
				hashes = append(hashes, not.Vertices...)
			}
			if len(hashes) != len(list) || receipts[1].Vertex != hashOf(t, list[3]) || receipts[1].Seq != 0 {
				t.Errorf("%d hashes of %d vertices, receipts %+v", len(hashes), len(list), receipts)
			}
			for _, v := range list {
				if receipt, err := c.Replica(1).Propose(t.Context(), v); err != nil || receipt.Vertex != hashOf(t, v) {
					t.Errorf("proposed again elsewhere: %+v, %v", receipt, err)
				}
			}
			for _, hash := range hashes {
				if _, err := c.Replica(1).Find(hash); err != nil {
					t.Errorf("asked for elsewhere by the hash in the error: %v", err)
				}
			}
		})
	}
}

func hashOf(t *testing.T, v replica.Vertex) messages.Digest {
	t.Helper()
	hash, err := v.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// TestWhoGivesUpHasTheHash: of what is proposed the error tells by which name to ask
// for it, also if the replica made creator and nonce.
func TestWhoGivesUpHasTheHash(t *testing.T) {
	c := testkit.New(t, 4)
	c.Start(1) // alone
	var not *replica.NotFinalError
	_, err := c.Replica(1).Propose(impatient(t), replica.Vertex{Payload: []byte("for later")})
	if !errors.As(err, &not) || len(not.Vertices) != 1 || !strings.Contains(err.Error(), not.Vertices[0].Hex()) || not.Lost() {
		t.Fatalf("who gives up is told %v", err)
	}
	receipts, err := c.Replica(1).ProposeAll(impatient(t), vertices(2))
	if !errors.As(err, &not) || len(not.Vertices) != 2 || receipts[1].Vertex != not.Vertices[1] || receipts[1].Seq != 0 {
		t.Fatalf("who gives up on two has %+v and is told %v", receipts, err)
	}
	c.Start(2)
	c.Start(3)
	seq := c.Propose(1, "after them")
	c.AwaitEqual(seq)
	f, err := c.Replica(2).Find(not.Vertices[0])
	if err != nil || string(f.Vertex.Payload()) != "payload 0" {
		t.Errorf("asked for at another replica: %+v, %v", f, err)
	}
}

// impatient is a context that ends when somebody begins to wait for that.
func impatient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	return &patient{Context: ctx, end: cancel}
}
