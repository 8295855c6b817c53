//go:build race

package sim_test

// seedsDefault is smaller where each costs ten times as much.
const seedsDefault = 10
