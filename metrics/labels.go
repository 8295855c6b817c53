package metrics

import (
	"strconv"
	"strings"
)

// Other is the label value of whatever is in no closed set.
const Other = "other"

// The phases of one sequence whose durations are observed.
const (
	PhasePrepare = "prepare" // from the accepted pre-prepare to prepared, or decided by all
	PhaseCommit  = "commit"  // from prepared to committed
	PhaseExecute = "execute" // from committed to executed
)

var phases = []string{PhasePrepare, PhaseCommit, PhaseExecute}

// The ways in which a sequence is decided.
const (
	ByQuorum = "quorum" // that committed it
	ByAll    = "all"    // who accepted it, in optimistic mode
)

var decisions = []string{ByQuorum, ByAll}

// actorNames are the actors of a replica's tree. All phase trackers count as
// one: "phase-17" is "phase".
var actorNames = []string{
	"replica", "journal", "preparer", "checkpointer", "signers", "signer", "egress", "ingress", "sequencer", "phase",
	"proposer", "executor", "viewchange", "detector", "sync", "custom",
}

// queues are the places where work waits: the actors' mailboxes, and the frames whose
// senders wait for credit.
var queues = append([]string{"unverified"}, actorNames...)

// lanes are egress' lanes, most urgent first.
var lanes = []string{"votes", "viewchange", "batches", "bulk"}

// violations are the kinds of misbehaviour the detector tells apart.
var violations = []string{
	"equivocation", "invalid_new_view", // provable
	"invalid_signature", "malformed", "oversized", "flooding", "protocol", // attributable
	"timeout", "non_participation", // suspicion only
}

// dropReasons say why something that arrived or waited was thrown away.
var dropReasons = []string{
	// Without fault of anyone.
	"stale", "duplicate", "not_needed", "early", "wrong_view", "changing_views", "settled_by_new_view", "not_a_checkpoint",
	"below_the_low_watermark", "above_the_high_watermark", "unknown_version", "unknown_kind", "wrong_epoch",
	"unsolicited", "evicted", "disconnected", "stopped", "dead_letter",
	// A bound was reached.
	"queue_full", "over_budget", "pool_full", "creator_limit",
	// The sender is at fault.
	"malformed", "invalid", "too_large", "wrong_chain", "not_a_member", "bad_signature", "bad_certificate",
	"wrong_digest", "not_the_leader", "other_digest_accepted", "not_accepted", "contradicts_executed",
	"other_state_voted", "invalid_batch", "refused", "banned",
	// We are.
	"quarantined", "halted", "encode_failed",
}

// limits are the bounds on what one member may cost.
var limits = []string{
	"verification",     // its messages wait: it used up its share of this replica's time
	"held_bytes",       // too many of them wait, the newest were dropped
	"forwarded",        // its vertices fill its part of the pool
	"served_sequences", // it asked for more of the ledger than it gets at a time
	"served_batches",   // it asked for more batches than it gets at a time
	"served_manifests", // likewise of manifests of snapshots
	"served_chunks",    // likewise of snapshots
}

// normal brings a reason or name, as other packages print it, into the form of
// a label value: "wrong digest" and "wrong-digest" are "wrong_digest".
func normal(value string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return '_'
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, value)
}

// closed holds the children of a vector with one label whose values are all
// known. It is only read after it was made, so it needs no lock, and finding a
// child costs one map look-up.
type closed[T any] struct {
	children map[string]T
	other    T
}

// newClosed makes the child of each value, so that every series is exposed from
// the start, at zero.
func newClosed[T any](child func(value string) T, values []string) closed[T] {
	c := closed[T]{children: make(map[string]T, len(values)), other: child(Other)}
	for _, v := range values {
		c.children[v] = child(v)
	}
	return c
}

// at is the child for value, or that of "other".
func (c closed[T]) at(value string) T {
	if child, ok := c.children[value]; ok {
		return child
	}
	if child, ok := c.children[normal(value)]; ok {
		return child
	}
	return c.other
}

// actorLabel reduces the name of an actor to the part that is the same for all
// its instances: "phase-17" to "phase".
func actorLabel(name string) string {
	name, _, _ = strings.Cut(name, "-")
	return name
}

// members are the label values of n members: their indices in genesis.
func members(n int) []string {
	values := make([]string, n)
	for i := range values {
		values[i] = strconv.Itoa(i)
	}
	return values
}
