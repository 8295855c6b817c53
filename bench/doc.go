// Command bench measures a cluster of replicas beside clusters of other makes that users
// could pick instead, under the same load, on the same machine and disk, round by round
// in one process:
//
//   - hashicorp/raft, which survives crashes alone and signs nothing, with as many members and
//     with three, which is what its users run to survive one crash;
//   - CometBFT, which survives what replicas survive, signs with Ed25519 and orders one block
//     at a time.
//
// All flush what they must before they answer. After each round every member of every
// cluster must have applied what was answered, and nothing else. What is tuned, is said in
// docs/performance.md and beside the settings.
//
// It is a module of its own, so that nothing of theirs is in the product's module graph.
package main
