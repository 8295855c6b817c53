//go:build race

package sim_test

// Seeds are fewer where each costs ten times as much.
const (
	seedsDefault = 10
	seedsTwice   = 3
	seedsOfSeven = 2
)
