// Package pure makes replicas of the pure packages alone: the product's
// Sequencer with its voter, its Slots, its Backlog and, if wanted, its Manager,
// with nothing between them but a queue. There are no actors, no disk and no
// signatures: what a member signed is a bundle that says so. A step is one input
// and all that follows from it inside the replica, the flush of what it records
// included; a hundred thousand fit into a second.
//
// A Replica can be cloned, and has canonical bytes, for whoever explores states.
package pure
