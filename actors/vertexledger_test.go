package actors

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// vertexWith makes an operation of a vertex with these parents; its hash is the
// caller's.
func vertexWith(t testing.TB, hash messages.Digest, parents ...messages.Digest) Operation {
	t.Helper()
	v := messages.Vertex{Payload: []byte("x"), Creator: [32]byte{1}, Parents: parents}
	b, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	view, _, err := messages.ParseVertex(b)
	if err != nil {
		t.Fatal(err)
	}
	return Operation{Hash: hash, Vertex: view}
}

// hashOf is a hash that is spread like one.
func hashOf(n uint64) (d messages.Digest) {
	binary.BigEndian.PutUint64(d[:], n*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(d[24:], n+1)
	return d
}

// grow appends vertices until there are so many: vertex k has hashOf(k).
func grow(t testing.TB, l *VertexLedger, count uint64) {
	t.Helper()
	op := vertexWith(t, messages.Digest{})
	ops := make([]Operation, 0, 1024)
	for l.Count() < count {
		ops = ops[:0]
		for k := l.Count(); k < count && len(ops) < cap(ops); k++ {
			op.Hash = hashOf(k)
			ops = append(ops, op)
		}
		l.Apply(1, ops)
	}
}

func TestX5_ParentsAreCheckedAtExecution(t *testing.T) {
	var l VertexLedger
	grow(t, &l, 10)
	nobody := hashOf(1000)
	ops := []Operation{
		vertexWith(t, hashOf(10), hashOf(0), hashOf(9)),
		vertexWith(t, hashOf(11), hashOf(3), nobody),
		vertexWith(t, hashOf(12), hashOf(10)), // of the same batch
		vertexWith(t, hashOf(13), hashOf(11)), // which failed
		vertexWith(t, hashOf(14), hashOf(14)), // itself
	}
	l.Apply(2, ops)
	for i, want := range []string{"", nobody.Hex(), "", hashOf(11).Hex(), hashOf(14).Hex()} {
		if got := ops[i].Result; got.Failed != (want != "") || !strings.HasSuffix(got.Data, want) {
			t.Errorf("vertex %d: %+v, want a failure for %q", i, got, want)
		}
	}
	if l.Count() != 12 || l.Failed() != 3 {
		t.Errorf("%d appended, %d failed", l.Count(), l.Failed())
	}
}

// A vertex whose bytes make the ledger panic fails alone, and leaves nothing.
func TestX5_AVertexThatPanicsFailsAlone(t *testing.T) {
	var l, without VertexLedger
	ops := []Operation{vertexWith(t, hashOf(0)), {Hash: hashOf(1)}, vertexWith(t, hashOf(2), hashOf(0)), vertexWith(t, hashOf(3), hashOf(1))}
	l.Apply(1, ops)
	for i, failed := range []bool{false, true, false, true} {
		if ops[i].Result.Failed != failed {
			t.Errorf("vertex %d: %+v", i, ops[i].Result)
		}
	}
	if got := ops[1].Result.Data; got != "the operation panicked" {
		t.Errorf("it failed for %q", got)
	}
	nobody := vertexWith(t, hashOf(1), hashOf(1000))
	without.Apply(1, []Operation{ops[0], nobody, ops[2], ops[3]})
	if l.Digest() != without.Digest() {
		t.Error("it left something behind")
	}
}

// TestParentWindow: at every size, what is known is the last one to two
// generations, and a ledger restored there knows the same.
func TestParentWindow(t *testing.T) {
	var l VertexLedger
	for _, count := range []uint64{
		1, 256, generation, generation + 1, 2 * generation, 2*generation + 1, 3*generation + 1,
	} {
		grow(t, &l, count)
		var snapshot bytes.Buffer
		if err := l.Snapshot(&snapshot); err != nil {
			t.Fatal(err)
		}
		var restored VertexLedger
		grow(t, &restored, 3) // to be replaced
		if err := restored.Restore(&snapshot); err != nil {
			t.Fatalf("at %d: %v", count, err)
		}
		if l.Digest() != restored.Digest() {
			t.Errorf("at %d: another digest after Restore", count)
		}
		oldest := uint64(0) // the first that is known
		if newest := (count - 1) / generation; newest > 0 {
			oldest = (newest - 1) * generation
		}
		for _, k := range []uint64{0, oldest - 1, oldest, oldest + 1, count - generation, count - 1, count, count + 1} {
			want := k >= oldest && k < count
			if l.knows(hashOf(k)) != want || restored.knows(hashOf(k)) != want {
				t.Errorf("at %d: vertex %d is known: %v, after Restore %v, want %v", count, k, l.knows(hashOf(k)), restored.knows(hashOf(k)), want)
			}
		}
	}
}

// TestVertexLedgerDigest: it tells apart what differs, and depends on nothing but
// the vertices.
func TestVertexLedgerDigest(t *testing.T) {
	digests := make(map[messages.Digest]string)
	note := func(what string, l *VertexLedger) {
		d := l.Digest()
		if d != l.Digest() {
			t.Errorf("%s: asked twice, told two digests", what)
		}
		if other, ok := digests[d]; ok {
			t.Errorf("%s and %s have one digest", what, other)
		}
		digests[d] = what
	}
	note("nothing", &VertexLedger{})
	var l, failing, all VertexLedger
	for k := range uint64(3) {
		grow(t, &l, k+1)
		note("vertices "+string(rune('1'+k)), &l)
	}
	failing.Apply(1, []Operation{vertexWith(t, hashOf(0), hashOf(7))})
	note("a failure", &failing)
	grow(t, &all, 3)
	if all.Digest() != l.Digest() {
		t.Error("the digest depends on when it is asked for")
	}
	var swapped VertexLedger
	swapped.Apply(1, []Operation{vertexWith(t, hashOf(1)), vertexWith(t, hashOf(0)), vertexWith(t, hashOf(2))})
	note("swapped", &swapped)
}

// TestVertexLedgerRefusesWhatItDidNotWrite: a damaged snapshot is an error or
// another digest, and never a panic.
func TestVertexLedgerRefusesWhatItDidNotWrite(t *testing.T) {
	var l VertexLedger
	grow(t, &l, parentPageSlots+5)
	l.Apply(1, []Operation{vertexWith(t, hashOf(0), hashOf(1<<40))})
	testDamagedSnapshots(t, &l, func() Bucketed { return &VertexLedger{} })
}

// testDamagedSnapshots cuts a snapshot off, changes its bytes and appends to it.
func testDamagedSnapshots(t *testing.T, b Bucketed, fresh func() Bucketed) {
	t.Helper()
	var buffer bytes.Buffer
	if err := b.Snapshot(&buffer); err != nil {
		t.Fatal(err)
	}
	snapshot, digest := buffer.Bytes(), b.Digest()
	restore := func(data []byte) (Bucketed, error) {
		f := fresh()
		return f, f.Restore(bytes.NewReader(data))
	}
	if f, err := restore(snapshot); err != nil || f.Digest() != digest || len(f.Changed()) != 0 {
		t.Fatalf("a snapshot is not restored: %v", err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		if _, err := restore(snapshot[:rng.IntN(len(snapshot))]); err == nil {
			t.Fatal("a snapshot that was cut off was restored")
		}
		changed := slices.Clone(snapshot)
		at := rng.IntN(len(changed))
		changed[at] ^= 1 << rng.IntN(8)
		if f, err := restore(changed); err == nil && f.Digest() == digest {
			t.Fatalf("byte %d of the snapshot was changed and nothing noticed", at)
		}
	}
	if _, err := restore(append(slices.Clone(snapshot), 0)); err == nil {
		t.Error("something follows the snapshot")
	}
}

// TestChangedBucketsAreTheState: images of what changed, one on top of the other
// and some folded together, are the state.
func TestChangedBucketsAreTheState(t *testing.T) {
	var l VertexLedger
	disk := make(map[int][]byte)
	var waiting *appImage
	hashes, _ := hashApp(&l)
	for i, count := range []uint64{5, 5, 1000, 1030, 1030, 9000, 9001} {
		grow(t, &l, count)
		im, err := takeApp(&l, hashes, false)
		if err != nil {
			t.Fatal(err)
		}
		if pages := len(im.buckets) - 1; count == 9001 && pages != 1 {
			t.Errorf("one vertex changed %d pages", pages)
		}
		if waiting != nil {
			im.onto(waiting)
			waiting = nil
		}
		if i%2 == 0 {
			waiting = im
			continue
		}
		maps.Copy(disk, im.buckets)
	}
	maps.Copy(disk, waiting.buckets)
	var restored VertexLedger
	if err := restored.RestoreBuckets(maps.All(disk)); err != nil {
		t.Fatal(err)
	}
	if restored.Digest() != l.Digest() {
		t.Error("the images are another state")
	}
	if _, whole := hashApp(&restored); whole != pbft.BucketsDigest(hashes) {
		t.Error("the hashes of what changed are not those of the state")
	}
}

// BenchmarkVertexLedger is what executing a vertex costs, without parents and
// with two, and its share of a checkpoint of 128 full sequences.
func BenchmarkVertexLedger(b *testing.B) {
	for _, parents := range []int{0, 2} {
		b.Run(map[int]string{0: "plain", 2: "parents"}[parents], func(b *testing.B) {
			var l VertexLedger
			grow(b, &l, 3*generation)
			hashes, _ := hashApp(&l)
			ops := make([]Operation, messages.BatchVerticesMax)
			for i := range ops {
				ops[i] = vertexWith(b, messages.Digest{}, []messages.Digest{hashOf(l.Count() - 9), hashOf(l.Count() - 99)}[:parents]...)
			}
			b.ResetTimer()
			for i := range b.N {
				for k := range ops {
					ops[k].Hash = hashOf(l.Count() + uint64(k))
				}
				if l.Apply(1, ops); i%128 == 127 {
					if _, err := takeApp(&l, hashes, false); err != nil {
						b.Fatal(err)
					}
				}
				if parents > 0 && i%256 == 255 {
					b.StopTimer()
					for k := range ops {
						ops[k].Vertex = vertexWith(b, messages.Digest{}, hashOf(l.Count()-9), hashOf(l.Count()-99)).Vertex
					}
					b.StartTimer()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(ops)), "ns/vertex")
			if l.Failed() > 0 {
				b.Fatalf("%d vertices failed", l.Failed())
			}
		})
	}
}
