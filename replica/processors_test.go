package replica

import (
	"runtime"
	"sync"
	"testing"
)

// Threads that wait for a disk do not count, however often it is asked for, where
// nothing but the processors bounds GOMAXPROCS.
func TestSpareProcessors(t *testing.T) {
	before, all := runtime.GOMAXPROCS(0), runtime.NumCPU()
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	for _, c := range []struct {
		environment string
		now, want   int
	}{
		{"", all, all + spareProcessors},
		{"7", all, all},
		{"", all + 1, all + 1}, // as a container's limit would be another number
	} {
		runtime.GOMAXPROCS(c.now)
		spared = sync.Once{}
		t.Setenv("GOMAXPROCS", c.environment)
		if first, second := SpareProcessors(), SpareProcessors(); first != c.want || second != c.want {
			t.Errorf("with GOMAXPROCS=%q, and %d of %d: %d, then %d, want %d", c.environment, c.now, all, first, second, c.want)
		}
	}
}
