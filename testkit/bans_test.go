package testkit_test

import (
	"fmt"
	"testing"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// noisy is the channel of a member that works as it should and sends others
// what no correct one sends, besides.
type noisy struct {
	cluster.Transport
	self  messages.Index
	noise func(send func(to messages.Index, frame []byte))
	left  int // how often
}

func (n *noisy) Send(to messages.Index, lane cluster.Lane, frame []byte) {
	if n.left > 0 && n.heard() {
		n.left--
		n.noise(func(to messages.Index, frame []byte) { n.Transport.Send(to, cluster.LaneVotes, frame) })
	}
	n.Transport.Send(to, lane, frame)
}

// heard reports whether everybody would hear it.
func (n *noisy) heard() bool {
	for to := range messages.Index(4) {
		if to != n.self && !n.Connected(to) {
			return false
		}
	}
	return true
}

// withNoise makes a cluster of four in which one member is noisy.
func withNoise(t *testing.T, member, times int, noise func(c *testkit.Cluster, send func(to messages.Index, frame []byte))) *testkit.Cluster {
	t.Helper()
	var c *testkit.Cluster
	c = testkit.New(t, 4, testkit.WithReplica(func(i int) []replica.Option {
		if i != member {
			return nil
		}
		return []replica.Option{replica.WithTransport(&noisy{
			Transport: c.Network.Transport(messages.Index(i)), self: messages.Index(i), left: times,
			noise: func(send func(messages.Index, []byte)) { noise(c, send) },
		})}
	}))
	for i := range 4 {
		if i != member {
			c.Start(i)
		}
	}
	c.Start(member) // when there is somebody to hear it
	return c
}

// enough noise to be banned for, even if some is made before the network opens.
const enough = 20

// malformed is noise that costs a reputation.
func malformed(_ *testkit.Cluster, send func(to messages.Index, frame []byte)) {
	for to := range messages.Index(4) {
		send(to, []byte{0x93, messages.WireVersion, byte(messages.FrameBundles), 0xc0})
	}
}

func awaitBan(c *testkit.Cluster, i int, member messages.Index) {
	c.AwaitEvent(i, func(e messages.Event) bool {
		b, ok := e.(messages.MemberBanned)
		return ok && b.Member == member
	}, func() bool { return c.Replica(i).Detector().IsBanned(member) })
}

// A ban takes privileges, never votes: with one correct member down, three are a
// quorum only because the banned one's votes count. [E6]
func TestE6_TheVotesOfTheBannedCount(t *testing.T) {
	c := withNoise(t, 3, enough, malformed)
	for i := range 3 {
		awaitBan(c, i, 3)
	}
	c.Kill(2)
	var last messages.Seq
	for n := range 20 {
		last = c.Propose(n%2, "three votes, one of them a banned member's")
	}
	c.AwaitEqual(last)
	for i := range 2 {
		if got := c.Replica(i).Bans(); len(got) != 1 || got[0].Replica != 3 || got[0].Convicted || got[0].Violations["malformed"] < 8 {
			t.Errorf("replica %d bans %+v", i, got)
		}
	}
}

// What a banned member passes on is refused; what it proposes reaches the leader
// through nobody. The others' vertices do.
func TestABannedMembersForwardsAreRefused(t *testing.T) {
	c := testkit.New(t, 4)
	for i := range 3 {
		c.Start(i)
	}
	p := play(t, c, 3, nil)
	for range 8 {
		malformed(c, func(to messages.Index, frame []byte) { p.transport.Send(to, cluster.LaneVotes, frame) })
	}
	awaitBan(c, 0, 3)
	before := c.Propose(1, "of a member in good standing")
	p.send(0, cluster.LaneBatches, &messages.Forward{Vertices: vertex(t, 1, 10)})
	after := c.Propose(1, "and another")
	c.AwaitEqual(after)
	if got := c.Replica(0).Status().Vertices; got != 2 || after != before+1 {
		t.Errorf("%d vertices were executed by sequence %d, want 2: a banned member's was taken", got, after)
	}
}

// A ban for a low reputation is no reason to leave a view: f liars and one that
// errs would otherwise turn views at the speed of the network. [E9 bans that
// suspect]
func TestAReputationBanSuspectsNobody(t *testing.T) {
	c := withNoise(t, 0, enough, malformed)
	for i := 1; i < 4; i++ {
		awaitBan(c, i, 0)
	}
	var last messages.Seq
	for n := range 20 {
		last = c.Propose(n%4, fmt.Sprintf("vertex %d", n))
	}
	c.AwaitEqual(last)
	for i := range 4 {
		if got := c.Replica(i).CurrentView(); got != 0 {
			t.Errorf("replica %d is in view %d", i, got)
		}
	}
}

// A leader that is proved to have lied is replaced at once, without waiting for
// it to be slow.
func TestAConvictedLeaderIsReplaced(t *testing.T) {
	c := withNoise(t, 0, enough, func(c *testkit.Cluster, send func(messages.Index, []byte)) {
		liar := &impostor{t: t, c: c, self: 0}
		frame, err := messages.EncodeFrame(&messages.Bundles{Bundles: liar.lies(5).Bundles})
		if err != nil {
			t.Error(err)
		}
		send(2, frame)
	})
	for i := 1; i < 4; i++ {
		c.AwaitEvent(i, func(e messages.Event) bool {
			v, ok := e.(messages.ViewChanged)
			return ok && v.View >= 1
		}, func() bool { return c.Replica(i).CurrentView() >= 1 && c.Replica(i).Status().Active })
	}
	c.Propose(1, "under another leader")
	for i := 1; i < 4; i++ {
		if got := c.Replica(i).Bans(); len(got) != 1 || got[0].Replica != 0 || !got[0].Convicted {
			t.Errorf("replica %d bans %+v", i, got)
		}
	}
}

// Without byzantine_detection_enabled nobody is charged, banned or convicted,
// and no evidence is passed on.
func TestDetectionSwitchedOff(t *testing.T) {
	c := testkit.New(t, 4, testkit.WithConfig(func(_ int, cfg *replica.Config) { cfg.ByzantineDetection = false }))
	for i := range 3 {
		c.Start(i)
	}
	heard := make(chan messages.Message, 1<<10)
	p := play(t, c, 3, func(_ *impostor, _ messages.Index, m messages.Message) {
		if _, ok := m.(*messages.Evidence); ok {
			heard <- m
		}
	})
	for range 20 {
		malformed(c, func(to messages.Index, frame []byte) { p.transport.Send(to, cluster.LaneVotes, frame) })
	}
	lie := p.lies(5)
	p.send(0, cluster.LaneVotes, lie)
	p.send(0, cluster.LaneVotes, &messages.Bundles{Bundles: lie.Bundles})
	p.send(0, cluster.LaneBatches, &messages.Forward{Vertices: vertex(t, 1, 10)})
	proposed := uint64(0)
	for c.Replica(0).Status().Vertices <= proposed { // what the liar forwards is finalised like any other
		if proposed++; proposed > 100 {
			t.Fatal("the vertex a liar forwarded was not finalised")
		}
		c.AwaitEqual(c.Propose(1, "one more"))
	}
	if stats := c.Replica(0).Detector().Stats(); stats.Violations.Total() != 0 || stats.Banned != 0 || len(c.Replica(0).Evidence()) != 0 {
		t.Errorf("charged: %+v", stats)
	}
	if len(heard) > 0 {
		t.Errorf("told of %v", <-heard)
	}
}

// A member that is not heard of is suspected of taking no part, never banned for
// it, and forgiven once it is back.
func TestE5_SilenceIsASuspicionThatFades(t *testing.T) {
	c := testkit.New(t, 4, testkit.WithConfig(func(_ int, cfg *replica.Config) {
		cfg.Heartbeat, cfg.HeartbeatTimeout = cfg.Heartbeat/10, cfg.HeartbeatTimeout/10
	}))
	for i := range 3 {
		c.Start(i)
	}
	silent := func(e messages.Event) bool {
		v, ok := e.(messages.ViolationDetected)
		return ok && v.Member == 3 && v.Type == "non_participation"
	}
	c.AwaitEvent(0, silent, func() bool { return c.Replica(0).Detector().Reputation(3) <= 0.9 })
	c.AwaitEvent(0, silent, func() bool { return c.Replica(0).Detector().Reputation(3) <= 0.5 })
	if d := c.Replica(0).Detector(); d.IsBanned(3) || d.Reputation(1) != 1 {
		t.Errorf("a silent member is banned, or one that is not silent suspected")
	}
}
