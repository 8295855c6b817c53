// Package pbft decides the normal case of the protocol: the phases of one
// sequence (Slot), what a replica may sign (Voter), which votes and batches it
// keeps (VoteLog, Bodies), when votes become durable together (Group), when a
// checkpoint is stable (Checkpoints), and which client operations were executed
// before (Clients).
//
// Everything here is pure: plain values in, plain values out. There is no
// clock, goroutine, disk, logger or actor, and no output depends on the order
// of a map. Package actors performs what is decided here.
//
// The rules are numbered in docs/protocol.md; a tag such as [N2] beside code
// and test names the rule it implements.
package pbft
