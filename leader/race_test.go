//go:build race

package leader

// raceShare divides the runs under the race detector, which finds nothing in a
// package without goroutines and takes ten times as long.
const raceShare = 20
