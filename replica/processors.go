package replica

import (
	"os"
	"runtime"
	"sync"
)

// spareProcessors are threads of Go code beyond the processors there are: one for the
// flush of the journal, and one for the other writers of a disk.
const spareProcessors = 2

var spared sync.Once

// SpareProcessors is for the main function of a program that runs replicas: it raises
// GOMAXPROCS by two, once, and reports what it is now. It leaves alone what the
// environment sets, and a number that is not that of the processors: a container's
// limit would be used up sooner, and the process then stand still for a while. (Of two
// processors the runtime never counts fewer: set GOMAXPROCS there under a limit.)
//
// A replica flushes its journal for much of the time, and a thread that waits in a
// system call counts as one that runs Go code until the runtime has noticed, tens of
// microseconds to milliseconds later. With GOMAXPROCS as it comes one of the
// processors has nothing to do meanwhile, whatever waits. On two processors the two
// more are a sixth of the latency of a single vertex. (runtime: sysmon, retake)
func SpareProcessors() int {
	spared.Do(func() {
		if n := runtime.GOMAXPROCS(0); os.Getenv("GOMAXPROCS") == "" && n == runtime.NumCPU() {
			runtime.GOMAXPROCS(n + spareProcessors)
		}
	})
	return runtime.GOMAXPROCS(0)
}
