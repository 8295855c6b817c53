package actors

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

func testIndex(t testing.TB, interval messages.Seq) *vertexIndex {
	t.Helper()
	state := memoryState(t)
	return &vertexIndex{store: state, interval: interval}
}

// checkpoint brings the index up to a stable checkpoint to the store.
func (x *vertexIndex) checkpoint(t testing.TB, seq messages.Seq) {
	t.Helper()
	b := x.store.NewBatch()
	x.write(b, seq)
	if err := b.Commit(true); err != nil {
		t.Fatal(err)
	}
	x.stored(seq)
}

func (x *vertexIndex) mustFind(t *testing.T, hash messages.Digest) []spot {
	t.Helper()
	spots, err := x.find(hash)
	if err != nil {
		t.Fatal(err)
	}
	return spots
}

// addBatch adds the vertices from..from+n-1 at seq, all with one outcome.
func (x *vertexIndex) addBatch(t testing.TB, seq messages.Seq, from, n int, outcome pbft.Outcome, failed ...int) []messages.Digest {
	t.Helper()
	vertices, hashes := numberedVertices(t, from, n)
	batch, err := messages.BuildBatch(vertices, hashes, messages.DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	outcomes, ops := make([]pbft.Outcome, n), make([]Operation, n)
	for i := range outcomes {
		outcomes[i] = outcome
	}
	for _, i := range failed {
		ops[i].Result.Failed = true
	}
	x.add(seq, batch, outcomes, ops)
	return hashes
}

func numberedVertices(t testing.TB, from, n int) (encoded [][]byte, hashes []messages.Digest) {
	t.Helper()
	for i := range n {
		v := messages.Vertex{Payload: binary.BigEndian.AppendUint64(nil, uint64(from+i)), Creator: [32]byte{9}, Expires: 1000}
		b, err := v.Encode()
		if err != nil {
			t.Fatal(err)
		}
		encoded, hashes = append(encoded, b), append(hashes, messages.HashVertex(b))
	}
	return encoded, hashes
}

// TestIndexEntryHoldsItsExtremes: the largest genesis there can be fits the 64
// bits.
func TestIndexEntryHoldsItsExtremes(t *testing.T) {
	for _, base := range []messages.Seq{0, 1 << 40} {
		for _, s := range []spot{
			{seq: base + 1},
			{seq: base + messages.WindowMax/2, position: messages.BatchVerticesMax - 1, outcome: pbft.TooManyCreators, failed: true},
			{seq: base + 2, outcome: pbft.Repeated}, {seq: base + 1, failed: true},
		} {
			for _, hash := range []messages.Digest{{}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x80, 0, 0, 0, 1, 9}} {
				e := newEntry(hash, base, s)
				s.position %= indexPositions
				if got := e.spot(base); got != s || e.hashBits() != hashBits(hash) || e.bucket() != int(hashBits(hash)>>30) {
					t.Errorf("%+v of %v became %+v, bucket %d", s, hash, got, e.bucket())
				}
			}
		}
	}
}

// TestVertexIndexFindsEverything follows vertices from memory into the store,
// over several intervals, one of which has an empty sequence and one nothing.
func TestVertexIndexFindsEverything(t *testing.T) {
	x := testIndex(t, 4)
	want := make(map[messages.Digest]spot)
	add := func(seq messages.Seq, from, n int) {
		for i, h := range x.addBatch(t, seq, from, n, pbft.Fresh) {
			want[h] = spot{seq: seq, position: uint32(i)}
		}
	}
	check := func(when string) {
		t.Helper()
		for h, s := range want {
			if got := x.mustFind(t, h); !reflect.DeepEqual(got, []spot{s}) {
				t.Fatalf("%s: vertex of sequence %d found at %+v", when, s.seq, got)
			}
		}
		if got := x.mustFind(t, messages.HashVertex([]byte("none"))); len(got) != 0 {
			t.Fatalf("%s: a vertex of nobody found at %+v", when, got)
		}
	}
	for seq := messages.Seq(1); seq <= 6; seq++ {
		add(seq, int(seq)*1000, 300)
	}
	x.add(7, nil, nil, nil)
	check("in memory")
	x.checkpoint(t, 4)
	if len(x.blocks) != 1 || x.blocks[0].base != 4 {
		t.Errorf("the blocks in memory begin after %v", x.blocks[0].base)
	}
	check("half stored")
	add(8, 8000, 1)
	add(13, 13000, 1024) // 9 to 12 came and went with nothing in them
	x.checkpoint(t, 16)
	if len(x.blocks) != 0 {
		t.Errorf("%d blocks stay in memory", len(x.blocks))
	}
	check("stored")
	// The next life begins with what the store has, and executes nothing twice.
	next := &vertexIndex{store: x.store, interval: 4}
	x = next
	check("after a restart")
	add(17, 17000, 5)
	x.addBatch(t, 17, 50000, 5, pbft.Fresh) // as an executor that was restarted would
	check("after a sequence came again")
}

func TestVertexIndexPrefersWhereItTookEffect(t *testing.T) {
	x := testIndex(t, 4)
	h := x.addBatch(t, 1, 0, 2, pbft.NonceTooFar)
	x.addBatch(t, 2, 0, 2, pbft.Expired)
	if got := x.mustFind(t, h[1]); !reflect.DeepEqual(got, []spot{{seq: 2, position: 1, outcome: pbft.Expired}}) {
		t.Errorf("of two no-ops found %+v, want the newest", got)
	}
	x.addBatch(t, 3, 0, 2, pbft.Fresh, 1)
	x.checkpoint(t, 4)
	x.addBatch(t, 5, 0, 2, pbft.Repeated)
	got := x.mustFind(t, h[1])
	if want := []spot{{seq: 3, position: 1, failed: true}, {seq: 5, position: 1, outcome: pbft.Repeated}}; !reflect.DeepEqual(got, want) {
		t.Errorf("found %+v, want %+v", got, want)
	}
}

// BenchmarkVertexIndex is what the index costs a vertex: executing it, and its
// share of writing a full checkpoint of 128 sequences to a store on disk; bytes
// are those given to the store. find looks vertices up among so many.
func BenchmarkVertexIndex(b *testing.B) {
	const interval = 128
	vertices, hashes := numberedVertices(b, 0, messages.BatchVerticesMax)
	batch, err := messages.BuildBatch(vertices, hashes, messages.DefaultParams())
	if err != nil {
		b.Fatal(err)
	}
	outcomes, ops := make([]pbft.Outcome, batch.Len()), make([]Operation, batch.Len())
	open := func(b *testing.B) *vertexIndex {
		state, err := storage.OpenState(filepath.Join(b.TempDir(), "state"), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = state.Close() })
		return &vertexIndex{store: state, interval: interval}
	}
	perVertex := func(b *testing.B, vertices int) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(vertices), "ns/vertex")
	}
	b.Run("add", func(b *testing.B) {
		x := open(b)
		for i := range b.N {
			if x.add(messages.Seq(i+1), batch, outcomes, ops); (i+1)%interval == 0 {
				x.stored(messages.Seq(i + 1))
			}
		}
		perVertex(b, b.N*batch.Len())
	})
	// fill spreads hashes as a hash does, whatever the batch's own are.
	fill := func(x *vertexIndex, from, checkpoints int) {
		for c := range checkpoints {
			base := messages.Seq((from + c) * interval)
			block := indexBlock{base: base}
			for i := range interval * batch.Len() {
				var h [8]byte
				binary.BigEndian.PutUint64(h[:], (uint64(base)<<20+uint64(i)+1)*0x9e3779b97f4a7c15)
				block.entries = append(block.entries, newEntry(messages.Digest(append(h[:], make([]byte, 24)...)), base, spot{seq: base + 1}))
			}
			x.blocks = append(x.blocks, block)
		}
	}
	for _, with := range []string{"checkpoint", "checkpoint without"} {
		b.Run(with, func(b *testing.B) {
			x := open(b)
			for i := range b.N {
				b.StopTimer()
				fill(x, i, 1)
				b.StartTimer()
				w := x.store.NewBatch()
				w.Set(keyHead, make([]byte, 48))
				if with == "checkpoint" {
					x.write(w, messages.Seq((i+1)*interval))
				}
				if err := w.Commit(true); err != nil {
					b.Fatal(err)
				}
				x.stored(messages.Seq((i + 1) * interval))
			}
			perVertex(b, b.N*interval*batch.Len())
		})
	}
	for _, checkpoints := range []int{10, 100} {
		b.Run(fmt.Sprintf("find/%dk", checkpoints*interval*batch.Len()/1000), func(b *testing.B) {
			x := open(b)
			for i := range checkpoints {
				fill(x, i, 1)
				x.checkpoint(b, messages.Seq((i+1)*interval))
			}
			b.ResetTimer()
			for i := range b.N {
				if _, err := x.find(hashes[i%len(hashes)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestFindInALargeBatch: the index has ten bits of a position, and a batch has more
// vertices than that.
func TestFindInALargeBatch(t *testing.T) {
	l := newLedger(nil, memoryState(t), messages.DefaultParams())
	encoded, hashes := numberedVertices(t, 0, messages.BatchVerticesMax)
	batch := testBatch(t, encoded, hashes)
	l.add(&decided{commit: pbft.Committed{Seq: 1, View: 2, Digest: batch.Digest()}, batch: batch})
	l.vertices.add(1, batch, make([]pbft.Outcome, batch.Len()), make([]Operation, batch.Len()))
	for _, at := range []uint32{0, 1023, 1024, 1500, messages.BatchVerticesMax - 1} {
		f, err := l.Find(hashes[at])
		if err != nil || f == nil {
			t.Fatalf("the vertex at %d: %v, %v", at, f, err)
		}
		if r := f.Receipt; r.Position != at || r.Vertex != hashes[at] || r.View != 2 || r.Batch != batch.Digest() {
			t.Errorf("the vertex at %d is found at %d: %+v", at, r.Position, r)
		}
	}
	if f, err := l.Find(hashOf(1)); f != nil || err != nil {
		t.Errorf("what was never there is found: %v, %v", f, err)
	}
}
