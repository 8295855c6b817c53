//go:build race

package testkit

import "time"

// patienceDefault is longer under the race detector, which makes hashing and signing
// ten times as slow: what takes three seconds without takes thirty on a busy machine.
const patienceDefault = 2 * time.Minute
