// Package floor exchanges what PBFT exchanges and does nothing else: the least any
// implementation of the protocol can cost on a machine. A replica's figures mean
// little without it; the ratio of both says how much the replica's own logic,
// safety in every other case and generality cost.
//
// It does what the normal case of docs/protocol.md demands, with the same bytes:
//
//   - A vertex is hashed once by each member, a batch's digest is the tree over
//     the hashes. Members that do not lead forward their vertices to the leader.
//   - Three steps follow one another: pre-prepare, prepare, commit. In each, a
//     member flushes what it votes for, with the batch in the first, and signs it
//     with ML-DSA-87 at the same time; the vote leaves when both are done. What waits
//     meanwhile is the next group: one flush, one signature. The journal is a file
//     that was filled with zeros before.
//     Where all members decide by accepting, there is no third step.
//   - Of the votes that come in, as many are verified as make a quorum with the
//     own one, and no more.
//   - Certificates of decisions are journaled with the next group, and every checkpoint
//     interval there is a round of checkpoint votes.
//   - Batches are executed in order; a vertex is final for its submitter when his
//     member has executed it.
//   - Members are connected by TCP, with mutual TLS 1.3 and pinned keys.
//
// So many sequences are in flight as the leader's replica would have, and it cuts a
// batch when nothing is in flight, when one is full or when one was executed, and
// waits for callers who come back together by the same rule.
//
// At one sequence in flight a sequence costs n members 2n flushes and 2n
// signatures, n(2q−2) verifications and 2(n−1)+(n−1)²+n(n−1) messages, forwarded
// vertices aside; in two steps n flushes and signatures, n(n−1) verifications and
// 2(n−1)+(n−1)² messages. A test counts them.
//
// It has no view change, no status, no retransmission, no client table, no state
// and no bounds on what a peer may send. It must never grow any: it is not a
// replica.
package floor
