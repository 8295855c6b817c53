// Package byzantine makes a member of a cluster misbehave: an honest replica
// runs, with its real key, and what leaves and reaches it passes a behaviour
// that rewrites, withholds, repeats, delays and invents. A behaviour may sign
// anything with its own member's key and nothing with another's, so whatever it
// does a Byzantine member could do.
//
//	member := byzantine.New(cfg, byzantine.Equivocating(), byzantine.Slow(300*time.Millisecond))
//	transport := member.Transport(network.Transport(0)) // for the honest replica
//
// Several behaviours are passed one after the other: what one lets go on is what
// the next one sees. There is one behaviour a file, and Behaviours lists all.
//
// The simulator draws members and behaviours from its seed; a test puts them
// where it wants, with Cluster.Byzantine of package testkit. Nothing here starts
// a goroutine or reads a clock, so a simulated run repeats.
package byzantine
