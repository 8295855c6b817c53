package testkit_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/testkit"
)

// is accepts the messages of one type of package actors.
func is(name string) func(any) bool {
	return func(message any) bool { return reflect.TypeOf(message).String() == "*actors."+name }
}

// own accepts what is no unverified message of a peer.
func own(message any) bool {
	_, frame := message.(*cluster.Inbound)
	return !frame && !is("verify")(message) && !is("viewChangeOffered")(message)
}

// shortIntervals makes checkpoints frequent.
var shortIntervals = testkit.WithParams(func(p *messages.Params) {
	p.CheckpointInterval, p.Window, p.SnapshotInterval = 4, 8, 8
})

// smallSegments make the journal prepare new ones often.
var smallSegments = testkit.WithSegmentBytes(1 << 20)

// isVote is an event of a tracker that brings a vote.
var isVote = testkit.BringsVote()

// A tracker that panics has lost its memory and the message. It is restarted,
// the sequencer replays what it had, the voter remembers what it voted, and the
// sequence commits all the same.
func TestATrackerThatPanicsIsRestartedAndReplayed(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	for i := range 4 {
		fault := c.PanicOn(i, "phase-*", 3, isVote)
		seq := c.Propose(i, "survives its tracker")
		c.AwaitEqual(seq)
		fault.Await()
	}
}

// A bug that does not go away must not become a loop of restarts: the replica
// stops and names the actor.
func TestATrackerThatKeepsPanickingStopsTheReplica(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	c.PanicOn(2, "phase-*", 1000, nil)
	c.Propose(0, "the others go on")
	if err := c.AwaitEnd(2); err == nil || !strings.Contains(err.Error(), "phase-1 ") {
		t.Errorf("the replica ended with %v", err)
	}
}

// A vote that makes its tracker panic again and again is set aside, and the
// sequence is executed without it.
func TestAVoteThatPanicsATrackerTwiceIsSetAside(t *testing.T) {
	c := testkit.New(t, 4)
	for _, i := range []int{0, 1, 3} { // so that no quorum is complete without member 1
		c.Start(i)
	}
	fault := c.PanicOn(3, "phase-*", 1000, func(message any) bool {
		e, ok := message.(*pbft.ToSlot)
		if !ok {
			return false
		}
		v, ok := e.Event.(pbft.VoteReceived)
		return ok && v.Vote.From() == 1 && v.Vote.Value().Kind == messages.Commit && v.Vote.Value().Seq == 2
	})
	for range 3 {
		c.AwaitEqual(c.Propose(3, "whatever member 1 votes"))
	}
	if got := fault.Struck(); got != 2 {
		t.Errorf("the tracker was given the vote %d times, want 2", got)
	}
	if got := c.Metric(3, "cretoai_consensus_quarantined_bundles_total"); got != 1 {
		t.Errorf("%v bundles are counted as set aside, want 1", got)
	}
	if got := c.Replica(3).Detector().Reputation(1); got != 1 {
		t.Errorf("member 1, whose vote was valid, has reputation %v", got)
	}
}

// restarted are the actors that survive a panic, each with its name in metrics.
var restarted = []struct{ actor, counted string }{
	{"preparer", "preparer"},
	{"checkpointer", "checkpointer"},
	{"signers", "signers"},
	{"signer-*", "signer"},
	{"egress", "egress"},
	{"ingress", "ingress"},
	{"sequencer", "sequencer"},
	{"proposer", "proposer"},
	{"executor", "executor"},
	{"viewchange", "viewchange"},
	{"detector", "detector"},
	{"sync", "sync"},
}

// Every actor of a leader and of a backup panics once, in turn, while the
// cluster works. Nobody stops, nothing is lost, and it is counted.
func TestEveryActorsPanicIsSurvivedInPlace(t *testing.T) {
	c := testkit.NewCluster(t, 4, smallSegments)
	c.AwaitEqual(c.Propose(0, "before"))
	for _, victim := range []int{0, 3} {
		for _, r := range restarted {
			fault := c.PanicOn(victim, r.actor, 1, nil)
			stop := c.Load(1, 2)
			fault.Await()
			stop()
			c.AwaitEqual(c.Propose(victim, "after a panic of "+r.actor))
			if got := c.Metric(victim, "cretoai_consensus_actor_restarts_total", "actor", r.counted); got != 1 {
				t.Errorf("replica %d: %v restarts of %s are counted, want 1", victim, got, r.counted)
			}
		}
	}
	for i := range 4 {
		if ready, reason := c.Replica(i).Ready(); !ready {
			t.Errorf("replica %d is not ready: %s", i, reason)
		}
	}
}

// A sequencer may panic at any of its messages, whatever is recorded, signed or
// on its way at that moment, and at several of them.
func TestASequencersPanicInEveryPhaseIsSurvived(t *testing.T) {
	for _, phase := range []struct{ before, message string }{
		{"the pre-prepare is accepted", "batchArrived"},
		{"the batch has its place", "proposal"},
		{"votes are counted", "verifiedVotes"},
		{"a vote is granted", "proposeVote"},
		{"a recorded vote is counted", "flushed"},
		{"a signed vote is counted", "signed"},
		{"the execution is noted", "executed"},
		{"a checkpoint is voted for", "checkpointReached"},
		{"the window moves", "stableDurable"},
		{"anything is rebuilt", "rebuilt"},
	} {
		t.Run(phase.message, func(t *testing.T) {
			c := testkit.NewCluster(t, 4, shortIntervals)
			c.AwaitEqual(c.Propose(1, "before "+phase.before))
			for _, victim := range []int{0, 2} {
				if phase.message == "proposal" && victim != 0 {
					continue // which only a leader gets
				}
				if phase.message == "batchArrived" && victim == 0 {
					continue // which a leader does not
				}
				fault := c.PanicOn(victim, "sequencer", 3, is(phase.message))
				if phase.message == "rebuilt" {
					c.PanicOn(victim, "sequencer", 1, nil)
				}
				stop := c.Load(1, 3)
				fault.Await()
				stop()
				c.AwaitEqual(c.Propose(victim, "after"))
			}
		})
	}
}

// An executor that panics before a batch is applied, or after that while it
// tells of it, goes on where it was.
func TestAnExecutorsPanicIsSurvived(t *testing.T) {
	for _, at := range []struct {
		message string
		sending bool // it panics when it sends the message, else when it gets it
	}{
		{"decided", false},
		{"becameStable", false},
		{"placed", false},
		{"rebuild", false},
		{"keep", true},
		{"executed", true},
		{"checkpointReached", true},
		{"report", true},
		{"stableDurable", true},
	} {
		t.Run(at.message, func(t *testing.T) {
			c := testkit.NewCluster(t, 4, shortIntervals)
			c.AwaitEqual(c.Propose(1, "before"))
			events := c.Replica(2).Subscribe(1 << 12)
			defer events.Close()
			var fault *testkit.Fault
			if at.sending {
				fault = c.PanicOnSend(2, "executor", 2, is(at.message))
			} else {
				fault = c.PanicOn(2, "executor", 3, is(at.message))
			}
			if at.message == "rebuild" {
				c.PanicOn(2, "sequencer", 2, is("verifiedVotes"))
			}
			stop := c.Load(0, 3)
			fault.Await()
			stop()
			seq := c.Propose(2, "after")
			c.AwaitEqual(seq)
			c.AwaitStable(2, seq-seq%4)
			next := messages.Seq(2)
			for next <= seq {
				if e, ok := (<-events.C).(messages.Finalized); ok {
					if e.Seq != next {
						t.Fatalf("sequence %d is told of, want %d", e.Seq, next)
					}
					next++
				}
			}
		})
	}
}

// A budget that is used up stops the replica, and it comes back.
func TestTooManyPanicsStopTheReplicaAndItComesBack(t *testing.T) {
	for _, r := range restarted {
		if r.actor == "preparer" {
			continue // which gets no message to panic on so soon
		}
		t.Run(r.actor, func(t *testing.T) {
			c := testkit.NewCluster(t, 4)
			c.AwaitEqual(c.Propose(0, "before"))
			c.PanicOn(3, r.actor, 11, own) // of two signers, one six times
			stop := c.Load(0, 1)
			err := c.AwaitEnd(3)
			stop()
			if err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(r.actor, "*")) || !strings.Contains(err.Error(), "more than 5 times in 10s") {
				t.Errorf("the replica ended with %v", err)
			}
			c.Start(3)
			c.AwaitEqual(c.Propose(0, "and after"))
		})
	}
}

func TestAPanicOfTheJournalStopsTheReplicaAndItComesBack(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	c.AwaitEqual(c.Propose(0, "before"))
	c.PanicOn(3, "journal", 1, nil)
	stop := c.Load(0, 1)
	err := c.AwaitEnd(3)
	stop()
	if err == nil || !strings.Contains(err.Error(), "journal") {
		t.Errorf("the replica ended with %v", err)
	}
	c.Start(3)
	c.AwaitEqual(c.Propose(3, "and after"))
}

// What a peer sent and nobody has verified must not stop a replica, however
// often it makes an actor panic.
func TestAPeersMessagesCannotUseUpABudget(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	for _, name := range []string{"ingress", "signer-*"} {
		fault := c.PanicOn(3, name, 20, func(message any) bool { return !own(message) })
		stop := c.Load(0, 1)
		fault.Await()
		stop()
	}
	c.AwaitEqual(c.Propose(3, "goes on"))
}
