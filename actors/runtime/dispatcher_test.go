package runtime

import (
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What is scheduled runs at once: on the goroutine that stays if it waits, on another
// if it is busy or has ended. It ends with its actors.
func TestLastingActorsNeverWaitForTheirGoroutine(t *testing.T) {
	var d Dispatchers
	s := d.Of("sequencer", 1)
	if d.Of("sequencer", 1) != s || d.Of("signer-0", 1) == s {
		t.Error("a dispatcher is not that of its name")
	}
	release, ran := make(chan struct{}), make(chan struct{}, 1)
	var all sync.WaitGroup
	for range 3 { // whatever takes the first, the others do not wait for it
		all.Add(1)
		s.Schedule(func() { defer all.Done(); <-release })
	}
	s.Schedule(func() { ran <- struct{}{} })
	<-ran
	close(release)
	all.Wait()
	d.End()
	d.End()
	s.Schedule(func() { ran <- struct{}{} })
	<-ran
}
