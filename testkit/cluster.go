package testkit

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// Cluster is a cluster of replicas in one process. Its methods belong to the test's
// goroutine, as they fail the test with t.Fatal, at the line of the test that called
// them; those that set faults may be called from any.
type Cluster struct {
	Genesis *messages.Genesis
	// Network connects the replicas; links can be cut on it.
	Network *cluster.MemoryNetwork

	t        testing.TB
	o        options
	keys     []crypto.PrivateKey
	disks    []vfs.FS
	replicas []*replica.Replica
	faults   []*faults
	started  []bool // at least once
	links    *links
	members  []*byzantine.Member
	lied     []atomic.Bool // at any time
	timeline *timeline
}

// NewCluster starts n replicas, 4 to 64, and stops them when the test ends.
func NewCluster(t testing.TB, n int, opts ...Option) *Cluster {
	t.Helper()
	c := New(t, n, opts...)
	for i := range n {
		c.Start(i)
	}
	return c
}

// New makes a cluster of n replicas, 4 to 64, of which none is started.
func New(t testing.TB, n int, opts ...Option) *Cluster {
	t.Helper()
	if n < messages.MembersMin || n > messages.MembersMax {
		t.Fatalf("a cluster has %d to %d replicas, not %d", messages.MembersMin, messages.MembersMax, n)
	}
	o := newOptions(opts)
	if o.patience <= 0 {
		t.Fatalf("WithPatience(%v): nothing happens in no time", o.patience)
	}
	scheme, err := crypto.SchemeByName(o.scheme)
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{
		Network: cluster.NewMemoryNetwork(n),
		t:       t, o: o, disks: make([]vfs.FS, n), replicas: make([]*replica.Replica, n),
		faults: make([]*faults, n), started: make([]bool, n), lied: make([]atomic.Bool, n), links: newLinks(n), timeline: newTimeline(),
	}
	t.Cleanup(func() { c.timeline.tellFailure(t) })
	c.Genesis, c.keys, _ = cryptotest.NewMembers(n, 1, scheme)
	o.params(&c.Genesis.Params)
	for i := range n {
		c.faults[i] = &faults{}
		c.disks[i] = c.faults[i].disk(o.disk(i), c.Home(i))
	}
	c.members = c.newMembers(scheme)
	t.Cleanup(c.stopAll)
	return c
}

// Home is the folder of a replica on its disk.
func (c *Cluster) Home(i int) string {
	c.t.Helper()
	c.check(i)
	return fmt.Sprintf("%s/replica-%d", c.o.dir, i)
}

// Disk is the disk of a replica.
func (c *Cluster) Disk(i int) vfs.FS {
	c.t.Helper()
	c.check(i)
	return c.disks[i]
}

// SetDisk gives a replica that is down another disk, for its next start.
func (c *Cluster) SetDisk(i int, disk vfs.FS) {
	c.t.Helper()
	c.check(i)
	c.disks[i] = c.faults[i].disk(disk, c.Home(i))
}

// Key is the signing key of a member, for tests that play one.
func (c *Cluster) Key(i int) crypto.PrivateKey {
	c.t.Helper()
	c.check(i)
	return c.keys[i]
}

// Replica is a running replica, nil while it is killed.
func (c *Cluster) Replica(i int) *replica.Replica {
	c.t.Helper()
	c.check(i)
	return c.replicas[i]
}

// Start starts a replica that is down on what its disk holds: one that was killed,
// or that has ended by itself.
func (c *Cluster) Start(i int) {
	c.t.Helper()
	c.check(i)
	if r := c.replicas[i]; r != nil {
		select {
		case <-r.Done():
			_ = c.stop(i) // fails for the reason it ended for
		default:
			c.t.Fatalf("replica %d is running already: Kill it first, or Restart it", i)
		}
	}
	cfg := replica.DefaultConfig()
	cfg.FinalityTimeout, cfg.HeartbeatTimeout = slowness*cfg.FinalityTimeout, slowness*cfg.HeartbeatTimeout
	cfg.Genesis, cfg.Key, cfg.Home, cfg.SegmentBytes = c.Genesis, c.keys[i], c.Home(i), c.o.segmentBytes
	c.o.config(i, &cfg)
	cfg.FirstStart, c.started[i] = !c.started[i] && !c.o.ask, true
	opts := []replica.Option{
		replica.WithTransport(c.members[i].Transport(c.links.transport(i, c.Network.Transport(messages.Index(i))))),
		replica.WithStorage(c.disks[i]),
		replica.WithRuntime(actors.Runtime{
			Middleware: []actor.ReceiverMiddleware{c.faults[i].middleware},
			Sending:    []actor.SenderMiddleware{c.faults[i].sender},
		}),
		replica.WithLogger(zerolog.New(zerolog.NewTestWriter(c.t)).Level(c.o.level)),
	}
	r, err := replica.Start(c.t.Context(), cfg, append(opts, c.o.replica(i)...)...)
	if err != nil {
		c.t.Fatalf("start replica %d: %v", i, err)
	}
	c.replicas[i] = r
	c.timeline.tell("replica %d starts", i)
	c.timeline.follow(i, r)
}

// Kill stops a replica, if it runs; what is on its disk stays.
func (c *Cluster) Kill(i int) {
	c.t.Helper()
	c.check(i)
	if err := c.stop(i); err != nil {
		c.t.Errorf("stop replica %d: %v", i, err)
	}
}

func (c *Cluster) stop(i int) error {
	r := c.replicas[i]
	if r == nil {
		return nil
	}
	c.replicas[i] = nil
	c.timeline.tell("replica %d stops", i)
	ctx, cancel := context.WithTimeout(context.Background(), max(c.o.patience, patienceDefault))
	defer cancel()
	return r.Stop(ctx)
}

// Restart kills a replica if it runs and starts it again.
func (c *Cluster) Restart(i int) {
	c.t.Helper()
	c.Kill(i)
	c.Start(i)
}

func (c *Cluster) stopAll() {
	c.links.calm()
	for i := range c.replicas {
		c.Kill(i)
	}
	c.timeline.wait()
}

// Partition cuts all links between the given groups; members in no group are
// cut off from everybody.
func (c *Cluster) Partition(groups ...[]int) {
	c.t.Helper()
	for _, members := range groups {
		for _, m := range members {
			c.check(m)
		}
	}
	c.timeline.tell("the network splits into %v", groups)
	group := make(map[int]int)
	for g, members := range groups {
		for _, m := range members {
			group[m] = g + 1
		}
	}
	for a := range c.replicas {
		for b := range c.replicas {
			c.Network.Block(messages.Index(a), messages.Index(b), group[a] == 0 || group[a] != group[b])
		}
	}
}

// Heal restores all links and ends every Delay, Drop, Duplicate and Reorder.
func (c *Cluster) Heal() {
	c.timeline.tell("the network heals")
	c.links.calm()
	for a := range c.replicas {
		for b := range c.replicas {
			c.Network.Block(messages.Index(a), messages.Index(b), false)
		}
	}
}

// Context is for what is asked of a replica without this package, and must end: it
// does when the cluster's patience is over, counted from this call, or with the test.
//
//	answer, _, err := kvstore.Do(c.Context(), c.Replica(0), replica.Vertex{}, kvstore.Get("key"))
func (c *Cluster) Context() context.Context {
	ctx, cancel := context.WithTimeout(c.t.Context(), c.o.patience)
	c.t.Cleanup(cancel)
	return ctx
}

// Propose has a payload finalised at a replica and gives its sequence.
func (c *Cluster) Propose(i int, payload string) messages.Seq {
	c.t.Helper()
	return c.ProposeAll(i, []replica.Vertex{{Payload: []byte(payload)}})[0].Seq
}

// ProposeAll has vertices finalised at a replica.
func (c *Cluster) ProposeAll(i int, vertices []replica.Vertex) []replica.Receipt {
	c.t.Helper()
	r := c.running(i)
	ctx, cancel := context.WithTimeout(c.t.Context(), c.o.patience)
	defer cancel()
	receipts, err := r.ProposeAll(ctx, vertices)
	if err != nil {
		c.t.Fatalf("propose at replica %d: %v", i, err)
	}
	return receipts
}
