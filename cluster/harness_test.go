package cluster

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/cretoai/consensus/cluster/clustertest"
	"github.com/cretoai/consensus/messages"
)

// waitMax bounds every wait of these tests for the next thing to happen; nothing
// that works takes as long.
const waitMax = 30 * time.Second

// testChain is the chain of all members that are meant to meet.
var testChain = messages.Digest(sha256.Sum256([]byte("cluster tests")))

func channelKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// members makes the configurations of n members that know each other.
func members(t testing.TB, n int) []RemoteConfig {
	t.Helper()
	peers := make([]Peer, n)
	for i := range peers {
		key := channelKey(fmt.Sprint("member ", i))
		peers[i] = Peer{Address: clustertest.FreeAddress(t), ChannelKey: key.Public().(ed25519.PublicKey)}
	}
	configs := make([]RemoteConfig, n)
	for i := range configs {
		configs[i] = RemoteConfig{
			Self: messages.Index(i), Peers: peers, Listen: peers[i].Address,
			Key: channelKey(fmt.Sprint("member ", i)), ChainHash: testChain, Logger: testLogger(t, i),
		}
	}
	return configs
}

// testLogger prints to the test's log, until the test ends: proto.actor's last
// goroutines may outlive Stop by a moment.
func testLogger(t testing.TB, self int) *slog.Logger {
	out := &testOutput{w: t.Output()}
	t.Cleanup(out.end)
	return slog.New(slog.NewTextHandler(out, nil)).With("self", self)
}

type testOutput struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *testOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.w == nil {
		return len(p), nil
	}
	return o.w.Write(p)
}

func (o *testOutput) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w = nil
}

// node is a running member and what it was told.
type node struct {
	Transport
	t      testing.TB
	in     []*Inbound // of the test's goroutine, as peer
	peer   []*PeerChange
	signal chan struct{} // holds one: there is news

	mu    sync.Mutex
	fresh []any // delivered, not yet looked at
}

// start runs a member until the end of the test.
func start(t testing.TB, cfg RemoteConfig) *node {
	t.Helper()
	r, err := NewRemote(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, r)
}

// run starts a transport and stops it at the end of the test.
func run(t testing.TB, transport Transport) *node {
	t.Helper()
	n := &node{Transport: transport, t: t, signal: make(chan struct{}, 1)}
	if err := n.Start(n.deliver); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return n
}

// deliver never waits for a test: the transport may hold locks that a test's
// question to it would need.
func (n *node) deliver(msg any) {
	n.mu.Lock()
	n.fresh = append(n.fresh, msg)
	n.mu.Unlock()
	n.poke()
}

// poke has wait look again.
func (n *node) poke() {
	select {
	case n.signal <- struct{}{}:
	default:
	}
}

// look takes in what was delivered, and says how many frames came.
func (n *node) look() (frames int) {
	n.mu.Lock()
	fresh := n.fresh
	n.fresh = nil
	n.mu.Unlock()
	for _, msg := range fresh {
		switch m := msg.(type) {
		case *Inbound:
			n.in = append(n.in, m)
			frames++
		case *PeerChange:
			n.peer = append(n.peer, m)
		}
	}
	return frames
}

// wait returns once cond holds, and fails the test if it does not and no frame
// comes any more: how long many of them take is the machine's business.
func (n *node) wait(what string, cond func() bool) {
	n.t.Helper()
	timeout := time.NewTimer(waitMax)
	defer timeout.Stop()
	for n.look(); !cond(); {
		select {
		case <-n.signal:
			if n.look() > 0 {
				timeout.Reset(waitMax)
			}
		case <-timeout.C:
			n.t.Fatalf("waited %v for %s: %d frames, peers %v", waitMax, what, len(n.in), n.peer)
		}
	}
}

// receive waits for count frames and takes them, released.
func (n *node) receive(count int) []*Inbound {
	n.t.Helper()
	var got []*Inbound
	n.wait(fmt.Sprint(count, " frames"), func() bool {
		for _, in := range n.in {
			in.Release()
			got = append(got, in)
		}
		n.in = nil
		return len(got) >= count
	})
	return got
}

// from lists the frames of one peer that came and were not taken.
func (n *node) from(peer messages.Index) (got []*Inbound) {
	for _, in := range n.in {
		if in.From == peer {
			got = append(got, in)
		}
	}
	return got
}

// meet waits until the channel to a peer is open.
func (n *node) meet(peer messages.Index) {
	n.t.Helper()
	n.wait(fmt.Sprint("a connection to ", peer), func() bool { return n.Connected(peer) })
}
