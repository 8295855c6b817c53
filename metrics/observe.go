package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Finality and the phases that lead to it.

// ObserveFinality says that vertices submitted together became final after d.
// The cost does not depend on their number.
func (m *Metrics) ObserveFinality(d time.Duration, vertices int) { m.finality.observe(d, vertices) }

// ObservePhase says how long a sequence spent in a phase: PhasePrepare,
// PhaseCommit or PhaseExecute.
func (m *Metrics) ObservePhase(phase string, d time.Duration) {
	m.phaseDuration.at(phase).Observe(d.Seconds())
}

// PreparesSent counts n Prepare votes that left.
func (m *Metrics) PreparesSent(n int) { m.preparesSent.Add(float64(max(n, 0))) }

// CommitsSent counts n Commit votes that left.
func (m *Metrics) CommitsSent(n int) { m.commitsSent.Add(float64(max(n, 0))) }

// SequenceDecided counts a sequence that votes decided, ByQuorum or ByAll.
func (m *Metrics) SequenceDecided(by string) { m.decisions.at(by).Inc() }

// SequenceExecuted says that the batch of seq, with so many vertices and
// bytes, was executed; fresh is how many of the vertices were executed for the
// first time.
func (m *Metrics) SequenceExecuted(seq uint64, vertices, fresh, bytes int) {
	m.executedSequence.Set(float64(seq))
	m.sequencesExec.Inc()
	m.verticesFinalized.Add(float64(max(fresh, 0)))
	m.batchVertices.Observe(float64(vertices))
	m.batchBytes.Observe(float64(bytes))
}

// SetExecutedSequence says where execution stands after a restart or a state
// transfer, which execute nothing.
func (m *Metrics) SetExecutedSequence(seq uint64) { m.executedSequence.Set(float64(seq)) }

// SetStableCheckpoint says which checkpoint is the last stable one.
func (m *Metrics) SetStableCheckpoint(seq uint64) { m.stableCheckpoint.Set(float64(seq)) }

// SetPendingVertices says how many vertices the pool holds.
func (m *Metrics) SetPendingVertices(n int) { m.pendingVertices.Set(float64(n)) }

// Views and members.

// ViewChangeStarted counts a view left by recording a ViewChange.
func (m *Metrics) ViewChangeStarted() { m.viewChanges.Inc() }

// SetView says which view the replica is in or changing to.
func (m *Metrics) SetView(view uint64) { m.currentView.Set(float64(view)) }

// SetLeader says which member leads that view.
func (m *Metrics) SetLeader(member int) { m.currentLeader.Set(float64(member)) }

// SetObserving says whether the replica does not vote yet.
func (m *Metrics) SetObserving(observing bool) { setFlag(m.observing, observing) }

// SetHalted says whether the replica has stopped voting and executing.
func (m *Metrics) SetHalted(halted bool) { setFlag(m.halted, halted) }

// setFlag shows a condition as 1 or 0.
func setFlag(g prometheus.Gauge, holds bool) {
	if holds {
		g.Set(1)
	} else {
		g.Set(0)
	}
}

// SetViewTimeout says what the present view's timeout is.
func (m *Metrics) SetViewTimeout(d time.Duration) { m.viewTimeout.Set(d.Seconds()) }

// KeyElsewhere counts what the own key signed and the replica did not.
func (m *Metrics) KeyElsewhere() { m.keyElsewhere.Inc() }

// Violation counts one violation of the given type.
func (m *Metrics) Violation(kind string) { m.violations.at(kind).Inc() }

// SetBanned says how many members are banned.
func (m *Metrics) SetBanned(n int) { m.banned.Set(float64(n)) }

// SetPeersConnected says to how many other members a channel is open.
func (m *Metrics) SetPeersConnected(n int) { m.peersConnected.Set(float64(n)) }

// SetPeersVoting says how many of them vote, as far as is known.
func (m *Metrics) SetPeersVoting(n int) { m.peersVoting.Set(float64(n)) }

// SetPeerBehind says how many sequences a member is behind this replica.
func (m *Metrics) SetPeerBehind(peer int, sequences uint64) {
	m.peerBehind.at(strconv.Itoa(peer)).Set(float64(sequences))
}

// Signatures and the journal.

// ObserveSign says that a bundle of so many votes was signed in d.
func (m *Metrics) ObserveSign(d time.Duration, votes int) {
	m.signDuration.Observe(d.Seconds())
	m.bundleVotes.Observe(float64(votes))
}

// ObserveVerify says that one bundle was verified in d.
func (m *Metrics) ObserveVerify(d time.Duration) { m.verifyDuration.Observe(d.Seconds()) }

// ObserveFlush says that a group of so many bytes was written and flushed in d.
func (m *Metrics) ObserveFlush(d time.Duration, bytes int) {
	m.flushDuration.Observe(d.Seconds())
	m.flushBytes.Observe(float64(bytes))
}

// SetWALSyncDisabled says whether the replica runs without flushing.
func (m *Metrics) SetWALSyncDisabled(disabled bool) { setFlag(m.walSyncDisabled, disabled) }

// SetDiskFree says how much is left on the disk.
func (m *Metrics) SetDiskFree(bytes uint64) { m.diskFree.Set(float64(bytes)) }

// Queues, drops and restarts.

// SetQueueDepth says how many items wait in a queue.
func (m *Metrics) SetQueueDepth(queue string, depth int) {
	m.queueDepth.at(actorLabel(queue)).Set(float64(depth))
}

// AddQueueDepth says that so many items joined a queue, or left it if delta is
// negative. The mailboxes of all actors of one name count as one queue.
func (m *Metrics) AddQueueDepth(queue string, delta int) {
	m.queueDepth.at(actorLabel(queue)).Add(float64(delta))
}

// Dropped counts n messages or votes thrown away. Reasons are compared in
// lower case, with underscores for spaces and hyphens.
func (m *Metrics) Dropped(reason string, n int) { m.drops.at(reason).Add(float64(max(n, 0))) }

// LimitReached counts that a member reached one of the bounds on what it may
// cost.
func (m *Metrics) LimitReached(limit string) { m.limits.at(limit).Inc() }

// SignaturesRemembered counts n bundles that needed no verification.
func (m *Metrics) SignaturesRemembered(n int) { m.cacheHits.Add(float64(max(n, 0))) }

// BundleQuarantined counts a valid bundle set aside because handling it
// panicked twice.
func (m *Metrics) BundleQuarantined() { m.quarantined.Inc() }

// ActorRestarted counts the restart of an actor; "phase-17" counts as "phase".
func (m *Metrics) ActorRestarted(actor string) { m.restarts.at(actorLabel(actor)).Inc() }

// ApplicationRetried counts a panic out of the application that it gets a second
// chance after.
func (m *Metrics) ApplicationRetried() { m.retries.Inc() }

// The network.

// NetworkSent counts bytes sent to a member in a lane.
func (m *Metrics) NetworkSent(peer int, lane string, bytes int) {
	m.sentBytes.at(strconv.Itoa(peer)).at(lane).Add(float64(max(bytes, 0)))
}

// NetworkReceived counts bytes received from a member.
func (m *Metrics) NetworkReceived(peer int, bytes int) {
	m.receivedBytes.at(strconv.Itoa(peer)).Add(float64(max(bytes, 0)))
}

// State transfer.

// StateTransferBegan counts a snapshot that is being fetched.
func (m *Metrics) StateTransferBegan() { m.stateTransfers.Inc() }

// StateTransferred counts bytes of parts that were fetched and are right.
func (m *Metrics) StateTransferred(bytes int) { m.transferredBytes.Add(float64(max(bytes, 0))) }

// SetStateTransfer says how many parts the snapshot has that is being fetched, and
// how many are missing; none while nothing is fetched.
func (m *Metrics) SetStateTransfer(parts, missing int) {
	m.transferParts.Set(float64(parts))
	m.transferMissing.Set(float64(missing))
}

// SetSnapshot says at which sequence the newest snapshot was taken, which others
// may have, and how many seconds ago.
func (m *Metrics) SetSnapshot(seq uint64, age time.Duration) {
	m.snapshotSequence.Set(float64(seq))
	m.snapshotAge.Set(age.Seconds())
}

// SetLedgerFirst says which is the oldest sequence in the ledger.
func (m *Metrics) SetLedgerFirst(seq uint64) { m.ledgerFirst.Set(float64(seq)) }
