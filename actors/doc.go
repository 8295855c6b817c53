// Package actors performs what the pure packages decide: the supervisor tree of
// one replica, its actors, and what they say to each other.
//
//	replica-<index>      root: starts the children in order, beats the heart, stops them in reverse
//	├─ journal           all durable writes; blocks while it flushes, the next group gathers meanwhile
//	├─ preparer          fills the journal's next segment with zeros, ahead of need
//	├─ checkpointer      writes stable checkpoints to the state store, beside the executor
//	├─ signers           hands out work to its workers: sealing first, then one peer after the other
//	│   └─ signer-<i>    seals, opens, hashes; nothing else
//	├─ egress            encodes what leaves, once, for all
//	├─ ingress           the only actor reachable from outside: bounds, decodes, has verified, routes
//	├─ sequencer         the window, the voter, the flush groups (pbft.Sequencer)
//	│   └─ phase-<seq>   the phases of one sequence (pbft.Slot); ends when it was executed
//	├─ proposer          cuts batches as the leader, forwards vertices otherwise
//	├─ executor          executes in order, hands out receipts, takes checkpoints
//	├─ viewchange        judges the leader (package leader)
//	├─ detector          watches for lies (package detector)
//	├─ sync              catches up, and serves those who do
//	└─ custom            the embedder's actors, restarted without bothering anyone
//
// A batch's journey, in the order in which to read the code: Pool.Add (pool.go)
// → proposer.propose → sequencer: pbft.Sequencer.Propose → journal and signer,
// side by side → egress → the wire → ingress.onFrame → signer.verify →
// sequencer: OnVotes → phaseTracker → sequencer: the voter grants → journal and
// signer … → phaseTracker: committed → executor.execute → Pool.Executed: many
// receipts, one wake-up. No step goes back, nothing is asked and awaited, and
// there is no message, timer, goroutine or write per vertex.
//
// Mailboxes are unbounded, so the edges do the bounding: the transport's credit
// per peer inbound, its lanes outbound, the pool's limit for vertices, the
// window for sequences.
//
// What a panic means for each actor is listed in supervisor.go.
package actors
