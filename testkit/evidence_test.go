package testkit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

func prepare(seq messages.Seq, digest byte) messages.Vote {
	return messages.Vote{Kind: messages.Prepare, Seq: seq, Digest: messages.Digest{digest}}
}

// lies has a member sign two Prepares for one place, one bundle each.
func (p *impostor) lies(seq messages.Seq) *messages.Evidence {
	a, b := prepare(seq, 1), prepare(seq, 2)
	return &messages.Evidence{
		Member: p.self, Kind: a.Kind, Seq: seq, Digests: [2]messages.Digest{a.Digest, b.Digest},
		Bundles: []*messages.Bundle{p.seal(a), p.seal(b)},
	}
}

// awaitConviction waits until a replica holds evidence against a member.
func awaitConviction(c *testkit.Cluster, i int, member messages.Index) {
	c.AwaitEvent(i, func(e messages.Event) bool {
		found, ok := e.(messages.EvidenceFound)
		return ok && found.Evidence.Member == member
	}, func() bool { return c.Replica(i).Detector().Convicted()[member] })
}

// readEvidence reads a file of evidence from a replica's disk.
func readEvidence(t *testing.T, c *testkit.Cluster, i int, name string) []byte {
	t.Helper()
	f, err := c.Disk(i).Open(fmt.Sprintf("%s/%s/%s", c.Home(i), replica.EvidenceFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// One replica sees both votes of a liar. All come to know, keep it through a
// restart, and hold a file that convinces anyone; the cluster goes on.
func TestE9_OneReplicaSeesALieAndAllConvict(t *testing.T) {
	c := testkit.New(t, 4)
	for i := range 3 {
		c.Start(i)
	}
	liar := play(t, c, 3, nil)
	lie := liar.lies(5)
	liar.send(1, cluster.LaneVotes, &messages.Bundles{Bundles: lie.Bundles})
	for i := range 3 {
		awaitConviction(c, i, 3)
		if !c.Replica(i).Detector().IsBanned(3) {
			t.Errorf("replica %d convicts and does not ban", i)
		}
	}
	c.AwaitEqual(c.Propose(0, "three of four go on"))
	want := []replica.Ban{{
		Replica: 3, Name: c.Genesis.Members[3].Name, Convicted: true,
		Violations: map[string]uint64{"equivocation": 1}, Evidence: []string{lie.FileName()},
	}}
	if got := c.Replica(0).Bans(); !reflect.DeepEqual(got, want) {
		t.Errorf("bans are %+v, want %+v", got, want)
	}

	file := readEvidence(t, c, 2, lie.FileName())
	e, err := replica.VerifyEvidence(c.Genesis, file)
	if err != nil || e.Member != 3 || e.Kind != messages.Prepare || e.Seq != 5 {
		t.Errorf("the file says %+v, %v", e, err)
	}
	// The member that learned of it by gossip remembers, and its file comes back.
	if err := c.Disk(2).Remove(fmt.Sprintf("%s/%s/%s", c.Home(2), replica.EvidenceFolder, lie.FileName())); err != nil {
		t.Fatal(err)
	}
	c.Restart(2)
	if d := c.Replica(2).Detector(); !d.Convicted()[3] || !d.IsBanned(3) || d.Reputation(3) != 0 {
		t.Error("a restart forgot a conviction")
	}
	if got := readEvidence(t, c, 2, lie.FileName()); string(got) != string(file) {
		t.Error("the file after the restart is another one")
	}
	c.AwaitEqual(c.Propose(2, "and goes on"))
}

// A member that was down when a liar was convicted is told when it comes back.
func TestE9_AMemberThatWasAwayIsTold(t *testing.T) {
	c := testkit.New(t, 4)
	for i := range 3 {
		c.Start(i)
	}
	liar := play(t, c, 3, nil)
	c.AwaitEqual(c.Propose(0, "all know each other"))
	c.Kill(2)
	liar.send(1, cluster.LaneVotes, &messages.Bundles{Bundles: liar.lies(5).Bundles})
	for i := range 2 {
		awaitConviction(c, i, 3)
	}
	c.Start(2)
	awaitConviction(c, 2, 3)
}

// A vote nobody needed any more is not verified, and proves a lie all the same once
// its signer says something else for its place, before or after.
func TestE2_AVoteNobodyNeededProvesALie(t *testing.T) {
	for name, truthLast := range map[string]bool{"the lie after the truth": false, "the truth after the lie": true} {
		t.Run(name, func(t *testing.T) {
			c := testkit.New(t, 4)
			for i := range 3 {
				c.Start(i)
			}
			liar := play(t, c, 3, nil)
			c.AwaitEqual(c.Propose(0, "a sequence that is committed without the liar"))
			decided, err := c.Replica(1).Decided(1)
			if err != nil {
				t.Fatal(err)
			}
			truth := messages.Vote{Kind: messages.Commit, Seq: 1, Digest: decided.Digest}
			lie := truth
			lie.Digest[0]++
			order := []messages.Vote{truth, lie}
			if truthLast {
				order = []messages.Vote{lie, truth}
			}
			for _, vote := range order {
				liar.send(1, cluster.LaneVotes, &messages.Bundles{Bundles: []*messages.Bundle{liar.seal(vote)}})
			}
			awaitConviction(c, 1, 3)
		})
	}
}

// What was signed for another epoch is neither spared nor held against anybody: it
// names other places.
func TestE1_AVoteOfAnotherEpochIsNoCharge(t *testing.T) {
	c := testkit.New(t, 4)
	for i := range 3 {
		c.Start(i)
	}
	other := play(t, c, 3, nil)
	c.AwaitEqual(c.Propose(0, "a sequence that is committed without the other"))
	decided, err := c.Replica(1).Decided(1)
	if err != nil {
		t.Fatal(err)
	}
	vote := messages.Vote{Kind: messages.Commit, Seq: 1, Digest: decided.Digest}
	early := other.seal(vote)
	early.Epoch++
	vote.Digest[0]++
	for _, b := range []*messages.Bundle{early, other.seal(vote)} {
		other.send(1, cluster.LaneVotes, &messages.Bundles{Bundles: []*messages.Bundle{b}})
	}
	lie := other.lies(5) // what convicts comes last, and alone is charged
	other.send(1, cluster.LaneVotes, &messages.Bundles{Bundles: lie.Bundles})
	awaitConviction(c, 1, 3)
	if got := c.Replica(1).Bans()[0].Violations; !reflect.DeepEqual(got, map[string]uint64{"equivocation": 1}) {
		t.Errorf("charged with %v", got)
	}
}

// A pardon is durable: neither the evidence on disk nor the same evidence told
// again convicts the member anew, and a new lie does.
func TestE9_APardonOutlivesRestarts(t *testing.T) {
	c := testkit.New(t, 4)
	for i := range 3 {
		c.Start(i)
	}
	liar := play(t, c, 3, nil)
	lie := liar.lies(5)
	liar.send(0, cluster.LaneVotes, lie)
	awaitConviction(c, 0, 3)
	if err := c.Replica(0).LiftBan(3); err != nil {
		t.Fatal(err)
	}
	if err := c.Replica(0).LiftBan(4); !errors.Is(err, replica.ErrNoMember) {
		t.Errorf("no member was pardoned: %v", err)
	}
	if d := c.Replica(0).Detector(); d.Convicted()[3] || d.IsBanned(3) || d.Reputation(3) != 1 {
		t.Error("a pardon changed nothing")
	}
	c.Restart(0)
	if d := c.Replica(0).Detector(); d.Convicted()[3] || d.Reputation(3) != 1 {
		t.Error("a restart forgot a pardon")
	}
	liar.send(0, cluster.LaneVotes, lie)
	liar.send(0, cluster.LaneVotes, liar.lies(6))
	awaitConviction(c, 0, 3)
	if got := c.Replica(0).Evidence(); len(got) != 1 || got[0].Seq != 6 {
		t.Errorf("held is %v, want the new lie alone", got)
	}
}

// Slander convicts nobody and costs the slanderer. Valid evidence told again and
// again costs nobody anything.
func TestE12_SlanderIsChargedToItsSender(t *testing.T) {
	c := testkit.New(t, 4)
	for i := range 3 {
		c.Start(i)
	}
	p := play(t, c, 3, nil)
	slander := p.lies(5)
	slander.Member = 1
	for _, b := range slander.Bundles {
		b.From = 1
	}
	p.send(0, cluster.LaneVotes, slander)
	charged := func(e messages.Event) bool {
		v, ok := e.(messages.ViolationDetected)
		return ok && v.Member == 3 && v.Type == "invalid_signature"
	}
	c.AwaitEvent(0, charged, func() bool { return c.Replica(0).Detector().Reputation(3) < 1 })
	truth := p.lies(7)
	for range 50 {
		p.send(0, cluster.LaneVotes, truth)
	}
	awaitConviction(c, 0, 3)
	c.AwaitEqual(c.Propose(1, "the accused takes part"))
	stats := c.Replica(0).Detector().Stats()
	if m := stats.Members[1]; m.Convicted || m.Banned || m.Score != 1000 {
		t.Errorf("the slandered member stands at %+v", m)
	}
	if m := stats.Members[3]; m.Violations.Total() != 2 {
		t.Errorf("the slanderer is charged with %v, want one slander and one lie", m.Violations)
	}
}

// Beyond f convicted members nothing holds any more: the replica stops, says so,
// stays up, and does the same after a restart until an operator pardons.
func TestMoreConvictedThanMayLieStopsTheReplica(t *testing.T) {
	c := testkit.New(t, 4)
	c.Start(0)
	c.Start(1)
	for _, self := range []messages.Index{2, 3} {
		p := play(t, c, self, nil)
		p.send(0, cluster.LaneVotes, p.lies(5))
		awaitConviction(c, 0, self)
	}
	awaitHalt := func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		again := time.NewTicker(time.Millisecond)
		defer again.Stop()
		for c.Replica(0).Status().Halted == "" || c.Replica(0).Status().Active {
			select {
			case <-again.C:
			case <-ctx.Done():
				t.Fatal("the replica goes on")
			}
		}
	}
	awaitHalt()
	if ready, reason := c.Replica(0).Ready(); ready || reason != "2 members are convicted of lies, 1 may be faulty" {
		t.Errorf("ready %t, %q", ready, reason)
	}
	c.PanicOn(0, "sequencer", 1, nil).Await() // which does not make it forget
	for range 5 {
		c.AwaitHeartbeat(0)
		if c.Metric(0, "cretoai_consensus_actor_restarts_total", "actor", "sequencer") == 1 && c.Replica(0).Status().Active {
			t.Fatal("the replica votes again after a panic")
		}
	}
	c.Restart(0)
	awaitHalt()
	if err := c.Replica(0).LiftBan(2); err != nil {
		t.Fatal(err)
	}
	c.Restart(0)
	if reason := c.Replica(0).Status().Halted; reason != "" {
		t.Errorf("halted after a pardon and a restart: %s", reason)
	}
}
