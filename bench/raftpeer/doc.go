// Package raftpeer runs a cluster of hashicorp/raft in this process, to be measured beside
// replicas: voters that talk over loopback TCP, as its own transport does, and that
// append to raft-wal, which flushes every batch before it is acknowledged.
//
// It is set up as one would who knows the library: see settings. Each payload is one
// entry of the log, submitted by Apply and answered by the state machine of the leader.
package raftpeer
