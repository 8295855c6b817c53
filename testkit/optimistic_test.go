package testkit_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// optimistic has what all members accepted be final, and makes checkpoints frequent.
var optimistic = testkit.WithParams(func(p *messages.Params) {
	p.OptimisticMode = true
	p.CheckpointInterval, p.Window, p.SnapshotInterval = 4, 8, 8
})

// longBeat is so long that what takes one waited for somebody, and that nobody is
// waited for in vain because the machine is slow.
var longBeat = map[bool]time.Duration{false: time.Second, true: 3 * time.Second}[raced]

// unhurried has members tick every longBeat.
var unhurried = testkit.WithConfig(func(_ int, cfg *replica.Config) {
	cfg.Heartbeat, cfg.HeartbeatTimeout, cfg.FinalityTimeout = longBeat, 4*longBeat, 4*longBeat
})

// decided is a sequence of a replica's ledger, with a certificate that was checked.
func decided(t *testing.T, c *testkit.Cluster, i int, seq messages.Seq) *messages.Decided {
	t.Helper()
	d, err := c.Replica(i).Decided(seq)
	if err != nil {
		t.Fatalf("replica %d: %v", i, err)
	}
	keyring, err := crypto.NewKeyring(c.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	if err := keyring.OpenDecision(d.View, d.Seq, d.Digest, d.Certificate); err != nil {
		t.Fatalf("replica %d, sequence %d: %v", i, seq, err)
	}
	return d
}

// unanimous reports whether a valid certificate is of what all members accepted: the
// leader by its PrePrepare, the others by Prepares. The other kind is of Commits alone.
func unanimous(c *testkit.Cluster, d *messages.Decided) bool {
	n := len(c.Genesis.Members)
	for _, b := range d.Certificate {
		vote := messages.Vote{Kind: messages.Prepare, View: d.View, Seq: d.Seq, Digest: d.Digest}
		if int(b.From) == int(d.View)%n {
			vote.Kind = messages.PrePrepare
		}
		if !slices.Contains(b.Votes, vote) {
			return false
		}
	}
	return len(d.Certificate) == n
}

// commits counts the Commits all replicas have sent.
func commits(c *testkit.Cluster) (sent float64) {
	for i := range 4 {
		sent += c.Metric(i, "commits_sent_total")
	}
	return sent
}

// hears is what a behaviour does that is about sending.
type hears struct{}

// Receive implements byzantine.Behaviour.
func (hears) Receive(*byzantine.Member, messages.Index, messages.Message) bool { return true }

// hoarding keeps what is decided from those who ask: they have to decide it themselves.
type hoarding struct{ hears }

// Send implements byzantine.Behaviour.
func (hoarding) Send(_ *byzantine.Member, f byzantine.Frame, pass func(byzantine.Frame)) {
	if _, ok := f.Message.(*messages.Decided); !ok {
		pass(f)
	}
}

// order has a vertex finalised at one of the first members, in turn.
func order(c *testkit.Cluster, members, turn int, payload string) messages.Seq {
	seq := c.Propose(turn%members, fmt.Sprint(payload, " ", turn))
	keepUp(c, members, seq)
	return seq
}

// keepUp lets the first members move their windows before the leader goes beyond: what
// one does not take is sent again with a later heartbeat only, and all wait for it.
func keepUp(c *testkit.Cluster, members int, seq messages.Seq) {
	interval := c.Genesis.Params.CheckpointInterval
	if seq%interval != 0 {
		return
	}
	c.AwaitTrue("the checkpoint before the last is stable", func() bool {
		for i := range members {
			if c.Replica(i).Status().StableCheckpoint+interval < seq {
				return false
			}
		}
		return true
	})
}

// What all members accepted is final by that alone, at everybody, and nobody sends a
// Commit. The same votes decide nothing on a chain that is not in this mode.
func TestF1_AllAcceptAndNobodyCommits(t *testing.T) {
	c := testkit.NewCluster(t, 4, optimistic, unhurried)
	var last messages.Seq
	for i := range 10 { // beyond two checkpoints
		last = order(c, 4, i, "vertex")
	}
	c.AwaitEqual(last)
	for i := range 4 {
		for seq := messages.Seq(1); seq <= last; seq++ {
			d := decided(t, c, i, seq)
			if !unanimous(c, d) {
				t.Errorf("replica %d: the certificate of sequence %d is %v", i, seq, d.Certificate)
			}
			for _, b := range d.Certificate {
				if slices.ContainsFunc(b.Votes, func(v messages.Vote) bool { return v.Kind == messages.Commit }) {
					t.Errorf("replica %d: member %d sent a Commit: %v", i, b.From, b.Votes)
				}
			}
		}
	}
	if sent := commits(c); sent != 0 {
		t.Errorf("%v Commits were sent", sent)
	}

	plain := *c.Genesis
	plain.Params.OptimisticMode = false
	keyring, err := crypto.NewKeyring(&plain)
	if err != nil {
		t.Fatal(err)
	}
	d := decided(t, c, 0, last)
	var accepted, committed []*messages.Bundle
	for _, b := range d.Certificate {
		seal := func(votes ...messages.Vote) *messages.Bundle {
			sealed, _, err := crypto.Seal(keyring, b.From, c.Key(int(b.From)), votes)
			if err != nil {
				t.Fatal(err)
			}
			return sealed
		}
		accepted = append(accepted, seal(b.Votes...))
		committed = append(committed, seal(messages.Vote{Kind: messages.Commit, View: d.View, Seq: d.Seq, Digest: d.Digest}))
	}
	if err := keyring.OpenDecision(d.View, d.Seq, d.Digest, committed); err != nil {
		t.Errorf("Commits of all, on a chain without the mode: %v", err)
	}
	if keyring.OpenDecision(d.View, d.Seq, d.Digest, accepted) == nil {
		t.Error("what all accepted is decided on a chain without the mode")
	}
}

// A tracker that panics is told again what all accepted, the leader's word included: its
// replica need not wait for Commits, nor ask others for what they decided.
func TestF1_ATrackerThatPanicsHearsOfAllAgain(t *testing.T) {
	c := testkit.NewCluster(t, 4, optimistic, unhurried)
	for i := range 4 {
		c.Byzantine(i, hoarding{})
	}
	for i := range 4 {
		fault := c.PanicOn(i, "phase-*", 1, isVote) // a second one has the vote set aside
		seq := c.Propose(i, "survives its tracker")
		c.AwaitEqual(seq)
		fault.Await()
		if !unanimous(c, decided(t, c, i, seq)) {
			t.Errorf("replica %d executed sequence %d by Commits", i, seq)
		}
	}
	if sent := commits(c); sent != 0 {
		t.Errorf("%v Commits were sent", sent)
	}
}

// A vertex is proved final by what all members accepted, and by all of it only.
func TestF1_AProofNeedsAllAcceptances(t *testing.T) {
	c := testkit.NewCluster(t, 4, optimistic, unhurried)
	receipt := c.ProposeAll(2, payloads(0, 3))[1]
	c.AwaitEqual(receipt.Seq)
	for i := range 4 {
		p, err := c.Replica(i).Proof(receipt)
		if err != nil {
			t.Fatal(err)
		}
		if !unanimous(c, &messages.Decided{View: p.View, Seq: p.Seq, Digest: p.Batch, Certificate: p.Certificate}) {
			t.Fatalf("replica %d: the proof rests on %v", i, p.Certificate)
		}
		verify := func() error {
			data, err := p.Encode()
			if err != nil {
				t.Fatal(err)
			}
			_, err = replica.VerifyProof(c.Genesis, data)
			return err
		}
		if err := verify(); err != nil {
			t.Errorf("replica %d: %v", i, err)
		}
		all := p.Certificate
		for without := range all {
			p.Certificate = slices.Delete(slices.Clone(all), without, without+1)
			if verify() == nil {
				t.Errorf("replica %d: without member %d's word it is a proof", i, all[without].From)
			}
		}
	}
}

// What all accepted is on each disk: whoever starts there, alone, has executed it
// already, and so has who reads the folder.
func TestF1_WhatAllAcceptedIsExecutedAgainFromDisk(t *testing.T) {
	c := testkit.NewCluster(t, 4, optimistic, unhurried, testkit.WithFolder(t.TempDir()), testkit.WithSegmentBytes(1<<20))
	var last messages.Seq
	for i := 0; i < 5 || last%4 == 0; i++ { // some above the last checkpoint
		last = order(c, 4, i, "vertex")
	}
	c.AwaitEqual(last)
	head := c.Replica(0).Status().LedgerHead
	for i := range 4 {
		c.Kill(i)
	}
	for i := range 4 {
		all := 0
		summary, err := replica.ReadLedger(c.Home(i), c.Genesis, messages.Index(i), func(d *messages.Decided) error {
			if unanimous(c, d) {
				all++
			}
			return nil
		})
		if err != nil {
			t.Fatalf("folder of replica %d: %v", i, err)
		}
		if summary.Seq != last || summary.Head != head || all != int(last) {
			t.Errorf("folder of replica %d: %+v, and all accepted %d of it; want all %d sequences, and head %v", i, summary, all, last, head)
		}
		c.Start(i)
		if s := c.Replica(i).Status(); s.Sequence != last || s.LedgerHead != head {
			t.Errorf("replica %d, alone, is at sequence %d with head %v, not at %d with %v", i, s.Sequence, s.LedgerHead, last, head)
		}
		if !unanimous(c, decided(t, c, i, last)) {
			t.Errorf("replica %d has another certificate now", i)
		}
		c.Kill(i)
	}
	for i := range 4 {
		c.Start(i)
	}
	c.AwaitEqual(c.Propose(1, "it goes on"))
}

// A member that is away costs the others one wait; then they commit. When it is back
// it has what they committed, and after some checkpoints nobody sends Commits again.
func TestF3_WhoIsAwayIsWaitedForOnce(t *testing.T) {
	for how, away := range map[string]struct{ begin, end func(c *testkit.Cluster) }{
		"down":    {func(c *testkit.Cluster) { c.Kill(3) }, func(c *testkit.Cluster) { c.Start(3) }},
		"cut off": {func(c *testkit.Cluster) { c.Partition([]int{0, 1, 2}, []int{3}) }, (*testkit.Cluster).Heal},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel() // it mostly waits
			c := testkit.NewCluster(t, 4, optimistic, unhurried)
			before := c.Propose(0, "with all")
			c.AwaitEqual(before)
			away.begin(c)
			waits := 0
			var last messages.Seq
			for i := range 20 { // five checkpoints
				began := time.Now()
				last = c.Propose(i%3, fmt.Sprint("without one ", i))
				if time.Since(began) >= longBeat {
					waits++
				}
				keepUp(c, 3, last)
				if unanimous(c, decided(t, c, i%3, last)) {
					t.Errorf("all accepted sequence %d, it is said, and one is away", last)
				}
			}
			if waits > 1 {
				t.Errorf("who is away was waited for %d times", waits)
			}
			away.end(c)
			c.AwaitEqual(last)
			for seq := before + 1; seq <= last; seq++ {
				decided(t, c, 3, seq)
			}
			awaitPatience(t, c)
		})
	}
}

// A member whose Prepares are for other batches has said something, and not what all
// wait for: they wait for it in vain, and replace no leader.
func TestF3_WhoAcceptsAnotherBatchIsWaitedForInVain(t *testing.T) {
	t.Parallel()
	c := testkit.New(t, 4, optimistic, unhurried)
	for i := range 3 {
		c.Start(i)
	}
	play(t, c, 3, func(p *impostor, from messages.Index, m messages.Message) {
		answerStatus(p, from, m)
		bundles, ok := m.(*messages.Bundles)
		if !ok || bundles.Bundles[0].Votes[0].Kind != messages.PrePrepare {
			return
		}
		vote := bundles.Bundles[0].Votes[0]
		vote.Kind, vote.Digest[0] = messages.Prepare, vote.Digest[0]+1
		for to := range messages.Index(3) {
			p.send(to, cluster.LaneVotes, &messages.Bundles{Bundles: []*messages.Bundle{p.seal(vote)}})
		}
	})
	for i := range 3 {
		c.Propose(i, fmt.Sprint("all but one accept ", i))
		if got := c.Replica(i).CurrentView(); got != 0 {
			t.Fatalf("replica %d is in view %d: nothing was final in view 0", i, got)
		}
	}
}

// A vote that is set aside everywhere, for trackers panic at it, is missed for good: the
// log has it, and nobody may wait for it.
func TestF3_WhoseVoteIsSetAsideIsWaitedForInVain(t *testing.T) {
	t.Parallel()
	c := testkit.NewCluster(t, 4, optimistic, unhurried)
	isPrepare := testkit.BringsVote(messages.Prepare)
	for i := range 4 {
		c.PanicOn(i, "phase-*", 100, func(message any) bool {
			return isPrepare(message) && message.(*pbft.ToSlot).Event.(pbft.VoteReceived).Vote.From() == 1
		})
	}
	seq := c.Propose(0, "whatever member 1 votes")
	c.AwaitEqual(seq)
	if d := decided(t, c, 0, seq); unanimous(c, d) || d.View != 0 {
		t.Errorf("sequence %d was decided in view %d by %v", seq, d.View, d.Certificate)
	}
}

// awaitPatience has vertices finalised until so many in a row cost no Commit as no
// checkpoint is away from the next.
func awaitPatience(t *testing.T, c *testkit.Cluster) {
	t.Helper()
	sent, quiet := commits(c), 0
	for i := range 100 {
		seq := order(c, 4, i, "with all again")
		c.AwaitEqual(seq)
		quiet++
		if now := commits(c); now != sent || !unanimous(c, decided(t, c, 0, seq)) {
			sent, quiet = now, 0
		}
		if quiet > int(c.Genesis.Params.CheckpointInterval) {
			return
		}
	}
	t.Error("Commits are sent for ever, though all are there")
}

// A member without a disk is given what all accepted and what a quorum committed, and
// takes both.
func TestF1_BothKindsOfCertificatesAreServed(t *testing.T) {
	c := testkit.NewCluster(t, 4, optimistic, unhurried)
	var last messages.Seq
	for i := range 6 {
		last = order(c, 4, i, "with all")
	}
	c.AwaitEqual(last)
	c.Kill(3)
	for i := range 6 {
		last = order(c, 3, i, "without one")
	}
	c.SetDisk(3, vfs.NewMem())
	c.Start(3)
	c.AwaitEqual(last)
	kinds := make(map[bool]int)
	for seq := messages.Seq(1); seq <= last; seq++ {
		kinds[unanimous(c, decided(t, c, 3, seq))]++
	}
	if kinds[true] < 6 || kinds[false] < 6 {
		t.Errorf("of %d sequences all accepted %d, and %d were committed", last, kinds[true], kinds[false])
	}
}

// confiding has the others' votes of view 0 reach member 3 alone, from a sequence on. The
// leader's reach all.
type confiding struct {
	hears
	from messages.Seq
}

// Send implements byzantine.Behaviour.
func (k confiding) Send(m *byzantine.Member, f byzantine.Frame, pass func(byzantine.Frame)) {
	secret := func(v messages.Vote) bool { return v.Kind <= messages.Commit && v.View == 0 && v.Seq >= k.from }
	message, ok := f.Message.(*messages.Bundles)
	if ok && m.Self() != 0 && f.To != 3 && slices.ContainsFunc(message.Bundles, func(b *messages.Bundle) bool { return slices.ContainsFunc(b.Votes, secret) }) {
		return
	}
	pass(f)
}

// decideAtOne has the leader, member 0, order a vertex that member 3 alone sees all
// accept. None of the others has prepared it even: all that a ViewChange of theirs can
// tell is that they accepted it.
func decideAtOne(t *testing.T, c *testkit.Cluster) (*messages.Decided, <-chan error) {
	t.Helper()
	seq := c.Propose(0, "before") + 1
	c.AwaitEqual(seq - 1)
	for i := range 4 {
		c.Byzantine(i, confiding{from: seq}, hoarding{})
	}
	done := propose(c, 0, "what all accept")
	c.Await(3, seq)
	for i := range 3 {
		if got := c.Replica(i).CurrentSequence(); got >= seq {
			t.Fatalf("replica %d executed sequence %d, and cannot know of it", i, got)
		}
	}
	d := decided(t, c, 3, seq)
	if !unanimous(c, d) {
		t.Fatalf("sequence %d was committed", seq)
	}
	return d, done
}

// propose has a vertex finalised beside the test, and tells what came of it.
func propose(c *testkit.Cluster, i int, payload string) <-chan error {
	done := make(chan error, 1)
	r, ctx := c.Replica(i), c.Context()
	go func() {
		_, err := r.Propose(ctx, replica.Vertex{Payload: []byte(payload)})
		done <- err
	}()
	return done
}

// keeps fails the test unless a replica executes, in a later view, what was decided.
func keeps(t *testing.T, c *testkit.Cluster, i int, want *messages.Decided) {
	t.Helper()
	c.Await(i, want.Seq)
	if got := decided(t, c, i, want.Seq); got.Digest != want.Digest {
		t.Errorf("replica %d executed %v at sequence %d, in view %d; all had accepted %v", i, got.Digest, got.Seq, got.View, want.Digest)
	}
}

// The leader crashes as one member alone knows what all accepted, and does not tell.
// In the next view the others execute the same, for they accepted it.
func TestF2_TheNextViewKeepsWhatAllAccepted(t *testing.T) {
	c := testkit.NewCluster(t, 4, optimistic)
	want, lost := decideAtOne(t, c)
	c.Kill(0)
	if err := <-lost; err == nil {
		t.Error("the leader had its vertex finalised, and cannot have known")
	}
	for i := 1; i < 4; i++ {
		keeps(t, c, i, want)
	}
	c.AwaitEqual(c.Propose(1, "it goes on"))
	c.Byzantine(3) // it has to tell a late one
	c.Start(0)
	keeps(t, c, 0, want)
	c.AwaitEqual(c.Propose(0, "with all"))
}

// The one member that knows what all accepted crashes, and the others change views
// without it, with another vertex to order.
func TestF2_TheNextViewKeepsWhatNobodyThereKnows(t *testing.T) {
	c := testkit.NewCluster(t, 4, optimistic)
	want, first := decideAtOne(t, c)
	c.Kill(3)
	other := propose(c, 1, "another vertex") // both wait until their leader is replaced
	for _, done := range []<-chan error{first, other} {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		keeps(t, c, i, want)
	}
	seq := c.Propose(2, "it goes on")
	c.AwaitEqual(seq)
	for i := range 4 {
		c.Byzantine(i)
	}
	c.Start(3)
	c.AwaitEqual(seq)
	c.AwaitEqual(c.Propose(3, "with all"))
}
