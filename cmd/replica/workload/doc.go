// Package workload puts a system that finalises payloads under load and measures it.
// The system is a Target: a cluster of replicas, the floor it is compared with, or
// a peer of another make. All are driven and measured by the same code, so that
// their figures can be compared.
//
// A closed loop keeps so many payloads outstanding. Its submitters each have a
// small group of them finalised, and then the next one: a goroutine for each
// payload would cost more than what is measured. An open loop submits at a rate,
// whatever becomes of what it submitted before.
//
// Latency is counted from the moment a payload should have been submitted. In an
// open loop that moment is the rate's and not the system's: while the system
// stands still, payloads go on falling due, and their waiting counts. What was
// submitted in the window of measurement is waited for, however long it takes
// beyond it: what a system never answers is an error and not a gap in its figures.
//
// The package knows nothing of this module but what stands in its own folder.
package workload
