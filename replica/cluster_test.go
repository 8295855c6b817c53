package replica_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// network is a cluster in memory: real actors, signatures and journals.
type network struct {
	t        testing.TB
	genesis  *messages.Genesis
	keys     []crypto.PrivateKey
	links    *cluster.MemoryNetwork
	disks    []vfs.FS
	replicas []*replica.Replica
	dir      string
	opts     []replica.Option
}

func newNetwork(t testing.TB, n int, opts ...replica.Option) *network {
	t.Helper()
	scheme, err := crypto.SchemeByName(crypto.DefaultScheme)
	if err != nil {
		t.Fatal(err)
	}
	genesis, keys, _ := cryptotest.NewMembers(n, 1, scheme)
	nw := &network{
		t: t, genesis: genesis, keys: keys, links: cluster.NewMemoryNetwork(n),
		disks: make([]vfs.FS, n), replicas: make([]*replica.Replica, n), dir: t.TempDir(), opts: opts,
	}
	for i := range n {
		nw.disks[i] = vfs.NewMem()
	}
	t.Cleanup(nw.stopAll)
	return nw
}

func (nw *network) start(members ...int) {
	nw.t.Helper()
	for _, i := range members {
		cfg := replica.DefaultConfig()
		cfg.Genesis, cfg.Key = nw.genesis, nw.keys[i]
		cfg.Home = filepath.Join("/", fmt.Sprintf("replica-%d", i))
		cfg.SegmentBytes = 4 << 20
		opts := append([]replica.Option{
			replica.WithTransport(nw.links.Transport(messages.Index(i))),
			replica.WithStorage(nw.disks[i]),
			replica.WithLogger(zerolog.New(zerolog.NewTestWriter(nw.t)).Level(zerolog.InfoLevel)),
		}, nw.opts...)
		r, err := replica.Start(nw.t.Context(), cfg, opts...)
		if err != nil {
			nw.t.Fatal(err)
		}
		nw.replicas[i] = r
	}
}

func (nw *network) stop(i int) {
	nw.t.Helper()
	if r := nw.replicas[i]; r != nil {
		nw.replicas[i] = nil
		if err := r.Stop(context.Background()); err != nil {
			nw.t.Errorf("stop replica %d: %v", i, err)
		}
	}
}

func (nw *network) stopAll() {
	for i := range nw.replicas {
		nw.stop(i)
	}
}

// vertices makes n small payloads.
func vertices(n int) []replica.Vertex {
	list := make([]replica.Vertex, n)
	for i := range list {
		list[i].Payload = fmt.Appendf(nil, "payload %d", i)
	}
	return list
}

// awaitHeads waits until all running replicas executed seq and returns whether
// their heads agree.
func (nw *network) awaitEqual(seq messages.Seq) {
	nw.t.Helper()
	ctx, cancel := context.WithTimeout(nw.t.Context(), 20*time.Second)
	defer cancel()
	var heads []messages.Digest
	for i, r := range nw.replicas {
		if r == nil {
			continue
		}
		events := r.Subscribe(1 << 12)
		if r.CurrentSequence() < seq {
			nw.awaitEvent(ctx, i, events.C, seq)
		}
		events.Close()
		for r.CurrentSequence() < seq { // shown a moment after the event
			runtime.Gosched()
		}
		heads = append(heads, r.Status().LedgerHead)
	}
	for _, h := range heads {
		if h != heads[0] {
			nw.t.Fatalf("ledger heads differ: %v", heads)
		}
	}
}

// awaitEvent waits until a replica says that it executed seq.
func (nw *network) awaitEvent(ctx context.Context, i int, events <-chan messages.Event, seq messages.Seq) {
	nw.t.Helper()
	for {
		select {
		case e := <-events:
			if f, ok := e.(messages.Finalized); ok && f.Seq >= seq {
				return
			}
		case <-ctx.Done():
			nw.t.Fatalf("replica %d is at sequence %d, not %d", i, nw.replicas[i].CurrentSequence(), seq)
		}
	}
}

func TestFourReplicasFinalise(t *testing.T) {
	nw := newNetwork(t, 4)
	nw.start(0, 1, 2, 3)
	receipt, err := nw.replicas[0].Propose(t.Context(), replica.Vertex{Payload: []byte("hello")})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", receipt)
	receipts, err := nw.replicas[2].ProposeAll(t.Context(), vertices(5000))
	if err != nil {
		t.Fatal(err)
	}
	nw.awaitEqual(receipts[len(receipts)-1].Seq)
}
