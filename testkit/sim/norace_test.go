//go:build !race

package sim_test

// How many seeds are run, are run twice, and are run with seven replicas.
const (
	seedsDefault = 100
	seedsTwice   = 10
	seedsOfSeven = 10
)
