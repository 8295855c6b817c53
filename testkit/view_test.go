package testkit_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

func payloads(from, n int) []replica.Vertex {
	vertices := make([]replica.Vertex, n)
	for i := range vertices {
		vertices[i].Payload = fmt.Appendf(nil, "vertex %d", from+i)
	}
	return vertices
}

// A leader dies while callers wait at the others: they get their receipts, each
// vertex once, from the next leader; the dead one comes back into its view.
func TestACrashedLeaderIsReplaced(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	c.AwaitEqual(c.Propose(2, "the first"))
	type outcome struct {
		receipts []replica.Receipt
		err      error
	}
	done := make(chan outcome, 3)
	for i := 1; i < 4; i++ {
		r := c.Replica(i)
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			receipts, err := r.ProposeAll(ctx, payloads(1000*i, 500))
			done <- outcome{receipts, err}
		}()
	}
	c.Kill(0)
	seen := make(map[[2]uint64]bool)
	for range 3 {
		o := <-done
		if o.err != nil {
			t.Fatal(o.err)
		}
		for _, r := range o.receipts {
			at := [2]uint64{uint64(r.Seq), uint64(r.Position)}
			if r.Outcome != 0 || seen[at] {
				t.Errorf("receipt %+v: a no-op, or a second vertex at its place", r)
			}
			seen[at] = true
		}
	}
	view := c.Replica(1).CurrentView()
	if view == 0 {
		t.Error("view 0 goes on without its leader")
	}
	c.Start(0)
	c.AwaitEqual(c.Propose(3, "the dead one listens"))
	if got := c.Replica(0).CurrentView(); got < view {
		t.Errorf("the returned replica is in view %d, the others in %d or above", got, view)
	}
	c.AwaitEqual(c.Propose(0, "and speaks"))
}

// As many leaders as may fail die one after another.
func TestFLeadersCrashInARow(t *testing.T) {
	for _, n := range []int{4, 7} {
		t.Run(fmt.Sprintf("n=%d", n), func(t *testing.T) {
			c := testkit.NewCluster(t, n)
			f := messages.MaxFaulty(n)
			c.AwaitEqual(c.Propose(n-1, "before"))
			for i := range f {
				c.Kill(i)
			}
			c.AwaitEqual(c.Propose(n-1, "after"))
			if view := c.Replica(n - 1).CurrentView(); view < messages.View(f) {
				t.Errorf("view %d is led by a dead member", view)
			}
		})
	}
}

// A leader that is cut off is replaced, and disturbs nobody when it returns: it
// learns the view, and what it had proposed alone is proposed again.
func TestACutOffLeaderComesBack(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	c.AwaitEqual(c.Propose(0, "before"))
	c.Partition([]int{0}, []int{1, 2, 3})
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	lone := c.Replica(0)
	go func() {
		_, err := lone.Propose(ctx, replica.Vertex{Payload: []byte("alone")})
		waiting <- err
	}()
	c.Propose(1, "without it")
	view := c.Replica(1).CurrentView()
	c.Heal()
	if err := <-waiting; err != nil {
		t.Errorf("what it had proposed alone: %v", err)
	}
	cancel()
	c.AwaitEqual(c.Propose(2, "together"))
	for i := range 4 {
		if got := c.Replica(i).CurrentView(); got != view {
			t.Errorf("replica %d is in view %d, and the others had been in %d before the leader came back", i, got, view)
		}
	}
}

// All replicas are stopped in a later view and started again: the view, and what
// was recorded about it, is on their disks.
func TestAViewOutlivesARestartOfEverybody(t *testing.T) {
	c := testkit.NewCluster(t, 4, testkit.WithParams(func(p *messages.Params) {
		p.CheckpointInterval, p.Window, p.SnapshotInterval = 4, 8, 8
	}))
	c.AwaitEqual(c.Propose(2, "before"))
	c.Kill(0)
	for i := range 12 { // past checkpoints, so that the records of the view are behind them
		c.Propose(1, fmt.Sprint("without the leader ", i))
	}
	view := c.Replica(1).CurrentView()
	for i := 1; i < 4; i++ {
		c.Kill(i)
	}
	for i := 1; i < 4; i++ {
		c.Start(i)
		if got := c.Replica(i).CurrentView(); got < view {
			t.Errorf("replica %d starts in view %d, it was in %d", i, got, view)
		}
	}
	c.AwaitEqual(c.Propose(3, "after"))
	c.Start(0)
	c.AwaitEqual(c.Propose(0, "all"))
}

// Without a quorum nothing is final and no view is entered; with it again, what
// waited goes through.
func TestWithoutAQuorumNothingMoves(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	c.AwaitEqual(c.Propose(1, "before"))
	c.Kill(0)
	c.Kill(1)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := c.Replica(2).Propose(ctx, replica.Vertex{Payload: []byte("in vain, so far")})
	var not *replica.NotFinalError
	if !errors.As(err, &not) {
		t.Fatalf("two of four finalised something, or said %v", err)
	}
	c.Start(1)
	seq := c.Propose(3, "after")
	c.AwaitEqual(seq)
	if got := c.Replica(2).Status().Vertices; got != 3 {
		t.Errorf("%d vertices are final, want 3: what waited is not lost", got)
	}
}

// Links fail in every shape; when they heal, whatever views were tried, all are
// of one mind again and finalise.
func TestPartitionsOfEveryShapeHeal(t *testing.T) {
	shapes := map[string]func(block func(from, to int)){
		"halves": func(block func(from, to int)) {
			for _, l := range [][2]int{{0, 2}, {0, 3}, {1, 2}, {1, 3}} {
				block(l[0], l[1])
				block(l[1], l[0])
			}
		},
		"star around a backup": func(block func(from, to int)) {
			for _, l := range [][2]int{{0, 2}, {0, 3}, {2, 3}} {
				block(l[0], l[1])
				block(l[1], l[0])
			}
		},
		"leader hears nobody": func(block func(from, to int)) {
			for i := 1; i < 4; i++ {
				block(i, 0)
			}
		},
		"nobody hears the leader": func(block func(from, to int)) {
			for i := 1; i < 4; i++ {
				block(0, i)
			}
		},
		"not transitive": func(block func(from, to int)) { // 0–1–2–3 in a row
			for _, l := range [][2]int{{0, 2}, {0, 3}, {1, 3}} {
				block(l[0], l[1])
				block(l[1], l[0])
			}
		},
	}
	for name, cut := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testkit.NewCluster(t, 4)
			c.AwaitEqual(c.Propose(1, "before"))
			cut(func(from, to int) { c.Network.Block(messages.Index(from), messages.Index(to), true) })
			// Long enough for views to be tried in vain, or not.
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			var all sync.WaitGroup
			for i := range 4 {
				all.Go(func() {
					_, err := c.Replica(i).Propose(ctx, replica.Vertex{Payload: fmt.Appendf(nil, "during %d", i)})
					var not *replica.NotFinalError
					if err != nil && !errors.As(err, &not) {
						t.Errorf("replica %d: %v", i, err)
					}
				})
			}
			all.Wait()
			c.Heal()
			for i := range 4 {
				c.Propose(i, fmt.Sprint("after ", i))
			}
			// What was sent while links were cut is sent again in its time.
			final := func() bool { return c.Replica(3).Status().Vertices >= 9 }
			c.AwaitEvent(3, func(messages.Event) bool { return final() }, final)
			c.AwaitEqual(c.Propose(0, "the last"))
			if got := c.Replica(3).Status().Vertices; got != 10 {
				t.Errorf("%d vertices are final, want 10", got)
			}
		})
	}
}
