// Package local runs whole clusters in one process, each replica with its own
// actor system, keys, journal and loopback sockets with mutual TLS: what "replica demo"
// shows, what "replica bench" measures, and what bench/ compares with systems of other
// makes. Target is such a cluster as package workload puts it under load.
package local
