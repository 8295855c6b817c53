package replica

import (
	"context"
	"fmt"
	"sync"
)

// readers counts who reads the replica's disk. Once it is shut nobody comes in any
// more, and the disk is closed when the last one has left.
type readers struct {
	mu     sync.Mutex
	shut   bool
	inside int
	left   chan struct{} // closed once it is shut and nobody is inside
}

func newReaders() *readers { return &readers{left: make(chan struct{})} }

// enter lets a reader in, who calls leave; or the error is ErrStopped.
func (s *readers) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return ErrStopped
	}
	s.inside++
	return nil
}

func (s *readers) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inside--; s.shut && s.inside == 0 {
		close(s.left)
	}
}

// close lets nobody in from now on.
func (s *readers) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return
	}
	if s.shut = true; s.inside == 0 {
		close(s.left)
	}
}

// await waits until the last reader has left.
func (s *readers) await(ctx context.Context) error {
	select {
	case <-s.left:
		return nil
	default:
	}
	select {
	case <-s.left:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for who reads the ledger: %w", context.Cause(ctx))
	}
}
