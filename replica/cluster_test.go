package replica_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
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
	home     func(int) string

	segmentBytes int64
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
		home: home, segmentBytes: 4 << 20,
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
		cfg.Home = nw.home(i)
		cfg.SegmentBytes = nw.segmentBytes
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

// awaitEqual waits until all running replicas executed the same sequence, seq
// or later, and compares their ledger heads there.
func (nw *network) awaitEqual(seq messages.Seq) {
	nw.t.Helper()
	ctx, cancel := context.WithTimeout(nw.t.Context(), 30*time.Second)
	defer cancel()
	for i := 0; i < len(nw.replicas); i++ {
		if nw.replicas[i] == nil {
			continue
		}
		if got := nw.awaitSequence(ctx, i, seq); got > seq {
			seq, i = got, -1 // someone went on: all must
		}
	}
	var heads []messages.Digest
	for i, r := range nw.replicas {
		if r == nil {
			continue
		}
		s := r.Status()
		if s.Sequence != seq {
			nw.t.Fatalf("replica %d went on to sequence %d while compared at %d", i, s.Sequence, seq)
		}
		heads = append(heads, s.LedgerHead)
	}
	for _, h := range heads {
		if h != heads[0] {
			nw.t.Fatalf("ledger heads at sequence %d differ: %v", seq, heads)
		}
	}
}

// awaitSequence waits until a replica executed seq and returns where it is.
func (nw *network) awaitSequence(ctx context.Context, i int, seq messages.Seq) messages.Seq {
	nw.t.Helper()
	events := nw.replicas[i].Subscribe(1 << 12)
	defer events.Close()
	if nw.replicas[i].CurrentSequence() < seq {
		nw.awaitEvent(ctx, i, events.C, seq)
	}
	return nw.replicas[i].CurrentSequence()
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

// propose has n vertices finalised at one replica.
func (nw *network) propose(i, n int) messages.Seq {
	nw.t.Helper()
	receipts, err := nw.replicas[i].ProposeAll(nw.t.Context(), vertices(n))
	if err != nil {
		nw.t.Fatalf("propose at replica %d: %v", i, err)
	}
	return receipts[n-1].Seq
}

func home(i int) string { return filepath.Join("/", fmt.Sprintf("replica-%d", i)) }

func TestLedgerOnDiskIsTheLedgerInMemory(t *testing.T) {
	nw := newNetwork(t, 4)
	nw.start(0, 1, 2, 3)
	var seq messages.Seq
	for range 300 { // beyond two checkpoints
		seq = nw.propose(1, 3)
	}
	nw.awaitEqual(seq)
	want := nw.replicas[0].Status()
	nw.stopAll()
	for i := range 4 {
		got, err := replica.ReadLedgerOn(nw.disks[i], home(i), nw.genesis, messages.Index(i), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.Head != want.LedgerHead || got.Seq != want.Sequence || got.Vertices != want.Vertices {
			t.Errorf("replica %d has %+v on disk, %+v in memory", i, got, want)
		}
	}
}

func TestR3_ThreeOfFourFinaliseAndTheFourthCatchesUp(t *testing.T) {
	nw := newNetwork(t, 4)
	nw.start(0, 1, 2)
	var seq messages.Seq
	for range 140 { // beyond a checkpoint, so that the window has moved on
		seq = nw.propose(2, 2)
	}
	nw.start(3)
	nw.awaitEqual(seq)
	seq = nw.propose(3, 10) // and it takes part
	nw.awaitEqual(seq)
}

func TestTwoOfFourFinaliseNothingUntilTheThirdReturns(t *testing.T) {
	nw := newNetwork(t, 4)
	nw.start(0, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := nw.replicas[1].Propose(ctx, replica.Vertex{Payload: []byte("waits")})
	var notFinal replica.NotFinalError
	if !errors.As(err, &notFinal) || notFinal.Connected != 1 || notFinal.Quorum != 3 {
		t.Fatalf("two of four replied %v", err)
	}
	events := nw.replicas[0].Subscribe(16)
	nw.start(2)
	finalized, ok := (<-events.C).(messages.Finalized)
	if !ok || finalized.Executed != 1 || string(finalized.Batch.Vertex(0).Payload()) != "waits" {
		t.Fatalf("the vertex that waited was lost: %+v", finalized)
	}
}

func TestRestartRemembersEverything(t *testing.T) {
	nw := newNetwork(t, 4)
	nw.start(0, 1, 2, 3)
	var seq messages.Seq
	for range 150 {
		seq = nw.propose(0, 1)
	}
	nw.awaitEqual(seq)
	for i := range 4 { // the leader included
		nw.stop(i)
		nw.start(i)
		if got := nw.replicas[i].CurrentSequence(); got < seq-1 {
			t.Errorf("replica %d restarted at sequence %d, it was at %d", i, got, seq)
		}
		seq = nw.propose((i+1)%4, 5)
		nw.awaitEqual(seq)
	}
	before := nw.replicas[0].Status()
	nw.stopAll() // all at once
	nw.start(0, 1, 2, 3)
	seq = nw.propose(2, 1)
	nw.awaitEqual(seq)
	if after := nw.replicas[0].Status(); after.Vertices != before.Vertices+1 {
		t.Errorf("%d vertices before the restart of all, %d after one more", before.Vertices, after.Vertices)
	}
}

// awaitStable waits until a replica's checkpoint seq is stable.
func (nw *network) awaitStable(i int, seq messages.Seq) {
	nw.t.Helper()
	events := nw.replicas[i].Subscribe(1 << 12)
	defer events.Close()
	for nw.replicas[i].Status().StableCheckpoint < seq {
		nw.propose(i, 1)
	}
}
