package testkit_test

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// gatedPiece waits before it takes over a state larger than a limit.
type gatedPiece struct {
	piece
	larger  int
	entered chan struct{}
	open    chan struct{}
	once    sync.Once
}

func (g *gatedPiece) Restore(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if len(data) > g.larger {
		g.once.Do(func() {
			close(g.entered)
			<-g.open
		})
	}
	return g.piece.Restore(bytes.NewReader(data))
}

// withoutNewViews is a member whose NewViews are on their way for long.
type withoutNewViews struct{}

func (withoutNewViews) Send(_ *byzantine.Member, f byzantine.Frame, pass func(byzantine.Frame)) {
	if _, is := f.Message.(*messages.NewViewMessage); !is {
		pass(f)
	}
}

func (withoutNewViews) Receive(*byzantine.Member, messages.Index, messages.Message) bool { return true }

// A replica that leaves a view while it takes over a state stands where it stood after
// a crash, too: its ViewChange was sent, and the journal's record of it is of before
// the state.
func TestV7_AViewLeftWhileAStateIsTakenOverIsNotForgotten(t *testing.T) {
	patient := testkit.WithConfig(func(_ int, cfg *replica.Config) {
		cfg.LedgerRetain, cfg.FinalityTimeout, cfg.HeartbeatTimeout = 1, 4*time.Second, 2*time.Second
	})
	g := &gatedPiece{larger: 40 << 10, entered: make(chan struct{}), open: make(chan struct{})}
	lives := 0 // of replica 3
	c := testkit.NewCluster(t, 4, shortIntervals, patient, testkit.WithReplica(func(i int) []replica.Option {
		if i != 3 {
			return []replica.Option{replica.WithStateMachine(&piece{})}
		}
		if lives++; lives == 2 {
			return []replica.Option{replica.WithStateMachine(g)}
		}
		return []replica.Option{replica.WithStateMachine(&piece{})}
	}))
	c.AwaitEqual(c.Propose(3, "small"))
	c.Kill(3)
	c.Propose(0, strings.Repeat("x", 100<<10))
	proposeSequences(c, 0, 30)
	for i := range 3 {
		awaitTrimmed(t, c, i, 8)
	}
	c.Start(3)
	<-g.entered
	c.Byzantine(1, withoutNewViews{})
	c.Byzantine(2, withoutNewViews{})
	c.Kill(0)
	c.AwaitTrue("replica 3 has left view 0", func() bool { return c.Replica(3).CurrentView() > 0 })
	c.Partition([]int{1, 2}, []int{3})
	for range 5 { // until what is on its way is there
		c.AwaitHeartbeat(3)
	}
	left, seq := c.Replica(3).CurrentView(), c.Replica(3).CurrentSequence()
	close(g.open)
	c.AwaitTrue("the state is taken over", func() bool { return c.Replica(3).CurrentSequence() > seq })
	c.Restart(3)
	if got := c.Replica(3).CurrentView(); got < left {
		t.Errorf("after a restart replica 3 stands in view %d, and had left for %d", got, left)
	}
}
