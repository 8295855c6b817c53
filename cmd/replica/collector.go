package main

import (
	"os"
	"runtime/debug"
)

// searchGarbage is how much of the live heap may be garbage before a search
// collects it, in percent. What a search makes it drops at once, and little lives,
// so Go's 100 % spends a quarter to a half of the time on collecting.
const searchGarbage = 400

// collectSeldom has a search collect garbage less often, as long as it uses less
// than limit bytes in all. GOGC and GOMEMLIMIT of the environment are respected.
func collectSeldom(limit int64) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(searchGarbage)
	}
	const ask = -1
	debug.SetMemoryLimit(min(limit, debug.SetMemoryLimit(ask)))
}

// simulationBytes is plenty for the runs that all cores simulate at a time.
const simulationBytes = 2 << 30
