//go:build !race

package testkit_test

// raced: see race_test.go.
const raced = false
