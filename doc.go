// Package consensus is the root of CretoAI Consensus, a Byzantine
// fault-tolerant replica: n = 3f+1 or more members agree on one order of
// vertices while f of them lie. It speaks PBFT with post-quantum signatures
// (ML-DSA), each replica a tree of supervised actors around a pure core.
//
// There is nothing to import here. Embedders start at package replica,
// operators at the command cmd/replica, readers at docs/architecture.md.
// What this folder does hold are the tests of the repository as a whole: who
// may import whom, and what every file promises.
package consensus
