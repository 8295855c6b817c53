package replica_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/storage"
	"github.com/cretoai/consensus/testkit"
)

// TestReadersMeetAStop: who reads while a replica stops gets an answer or ErrStopped,
// and afterwards nothing but that.
func TestReadersMeetAStop(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	receipt := c.ProposeAll(1, vertices(200))[150]
	c.AwaitEqual(proposeMany(c, 0, 130)) // beyond a checkpoint: they read the state store
	r := c.Replica(1)
	reads := map[string]func() error{
		"Find":    func() error { _, err := r.Find(receipt.Vertex); return err },
		"ProofOf": func() error { _, err := r.ProofOf(receipt.Vertex); return err },
		"Proof":   func() error { _, err := r.Proof(receipt); return err },
		"Decided": func() error { _, err := r.Decided(receipt.Seq); return err },
		"Batch":   func() error { _, _, err := r.Batch(receipt.Seq); return err },
		"Nonces":  func() error { _, err := r.Nonces(t.Context(), [32]byte{1}); return err },
	}
	var begun, ended sync.WaitGroup
	for name, read := range reads {
		begun.Add(1)
		ended.Go(func() {
			if err := read(); err != nil {
				t.Errorf("%s before the stop: %v", name, err)
			}
			begun.Done()
			for {
				switch err := read(); {
				case errors.Is(err, replica.ErrStopped):
					return
				case err != nil:
					t.Errorf("%s during the stop: %v", name, err)
					return
				}
			}
		})
	}
	begun.Wait()
	c.Kill(1) // which fails the test for an error
	ended.Wait()
	for name, read := range reads {
		if err := read(); !errors.Is(err, replica.ErrStopped) {
			t.Errorf("%s after the stop: %v", name, err)
		}
	}
}

// lingering is an application that stays in Apply until it is let go.
type lingering struct {
	drifting
	once           sync.Once // the next life executes it again
	entered, leave chan struct{}
}

func (l *lingering) Apply(_ messages.Seq, ops []replica.Operation) {
	for _, op := range ops {
		if string(op.Vertex.Payload()) == "linger" {
			l.once.Do(func() { close(l.entered) })
			<-l.leave
		}
	}
}

// TestAFolderIsLockedUntilTheOldLifeHasEnded: a Stop that waits in vain frees
// nothing, and the next one waits as long as its own context.
func TestAFolderIsLockedUntilTheOldLifeHasEnded(t *testing.T) {
	app := &lingering{entered: make(chan struct{}), leave: make(chan struct{})}
	c := testkit.NewCluster(t, 4, applications(func(i int) replica.StateMachine {
		if i == 1 {
			return app
		}
		return &drifting{}
	}))
	r := c.Replica(1)
	c.Propose(0, "linger")
	<-app.entered
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		if err := r.Stop(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("while the application executes, Stop says %v", err)
		}
		if err := elsewhere(t, c, 1, c.Home(1)); !errors.Is(err, storage.ErrLocked) {
			t.Errorf("a second life on the folder of the first: %v", err)
		}
	}
	waiting := make(chan error)
	go func() { waiting <- r.Stop(t.Context()) }()
	close(app.leave)
	if err := <-waiting; err != nil {
		t.Errorf("a Stop that waits on: %v", err)
	}
	if err := r.Stop(gone); err != nil {
		t.Errorf("once it has ended: %v", err)
	}
	c.Restart(1)
	c.AwaitEqual(c.Propose(1, "and on"))
}
