//go:build !race

package testkit

// slowness: see race.go.
const slowness = 1
