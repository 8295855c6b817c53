// Command plots draws the figures of docs/performance.md from what "replica bench --json"
// has printed, one object a line: latency over throughput, throughput over the number of
// replicas and over the size of payloads.
package main
