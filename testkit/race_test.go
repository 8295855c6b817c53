//go:build race

package testkit_test

// raced: much of the same at the same time is shorter under the race detector, and
// what only measures sizes is left to runs without it.
const raced = true
