//go:build race

package messages

// raceEnabled: allocations are not counted under the race detector.
const raceEnabled = true
