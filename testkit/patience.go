//go:build !race

package testkit

import "time"

// patienceDefault bounds every wait: a cluster that works needs a fraction of it.
const patienceDefault = 30 * time.Second
