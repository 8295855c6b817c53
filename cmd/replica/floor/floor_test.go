package floor

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/cretoai/consensus/cmd/replica/workload"
	"github.com/cretoai/consensus/messages"
)

// start runs a floor for the time of a test.
func start(t *testing.T, cfg Config) *Floor {
	t.Helper()
	cfg.Dir, cfg.Scheme, cfg.JournalBytes = t.TempDir(), "ml-dsa-87", 2<<20
	f, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Stop(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// awaitExecuted waits until every member has executed a sequence and its votes
// have left.
func awaitExecuted(t *testing.T, f *Floor, seq messages.Seq) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for _, m := range f.members {
		for {
			m.mu.Lock()
			done := m.executed >= seq
			m.mu.Unlock()
			if done {
				break
			}
			select {
			case <-tick.C:
			case <-t.Context().Done():
				t.Fatal("nothing is executed any more")
			}
		}
	}
}

// TestCosts counts what one sequence at a time costs: what the protocol demands,
// to the last flush, signature, verification and message. The number is the same
// wherever the vertex enters, but for the one message that forwards it.
func TestCosts(t *testing.T) {
	for _, cfg := range []Config{
		{Replicas: 4, TLS: true}, {Replicas: 4}, {Replicas: 5, TLS: true}, {Replicas: 7, TLS: true},
		{Replicas: 4, TLS: true, Unanimous: true}, {Replicas: 7, Unanimous: true},
	} {
		t.Run(fmt.Sprintf("%+v", cfg), func(t *testing.T) {
			n := cfg.Replicas
			cfg.Depth, cfg.Sync = 1, true
			f := start(t, cfg)
			const sequences = 12 // below a checkpoint interval
			forwarded := 0
			for k := range sequences {
				door := k % n
				if door != leader {
					forwarded++
				}
				got, err := f.Submit(t.Context(), door, [][]byte{[]byte("a"), []byte("b")})
				if err != nil {
					t.Fatal(err)
				}
				want := uint64(k + 1)
				if len(got) != 2 || got[0] != want || got[1] != want {
					t.Fatalf("two vertices final at %v, want both at %d", got, want)
				}
				awaitExecuted(t, f, messages.Seq(want))
			}
			got, err := f.Count()
			if err != nil {
				t.Fatal(err)
			}
			q := messages.Quorum(n)
			votes, verified, sent := 2*n, n*(2*q-2), 2*(n-1)+(n-1)*(n-1)+n*(n-1)
			if cfg.Unanimous {
				votes, verified, sent = n, n*(n-1), 2*(n-1)+(n-1)*(n-1)
			}
			for _, c := range []struct {
				name      string
				got, want int
			}{
				{"sequences", int(got.Sequences), sequences},
				{"flushes", int(got.Flushes), sequences * votes},
				{"signatures", int(got.Signatures), sequences * votes},
				{"verifications", int(got.Verifications), sequences * verified},
				{"messages", int(got.Messages), sequences*sent + forwarded},
			} {
				if c.got != c.want {
					t.Errorf("%d %s, want %d", c.got, c.name, c.want)
				}
			}
			if got.FlushSeconds <= 0 || got.JournalBytes < got.Flushes*pageBytes || got.NetworkBytes < 4627*got.Messages/2 {
				t.Errorf("%+v: flushes take time and pages, and most messages carry a signature", got)
			}
		})
	}
}

// TestUnderLoad finalises thousands of vertices at all doors with several
// sequences in flight, past checkpoints and the end of the journals' files.
func TestUnderLoad(t *testing.T) {
	for _, unanimous := range []bool{false, true} {
		t.Run(fmt.Sprint("unanimous: ", unanimous), func(t *testing.T) { underLoad(t, unanimous) })
	}
}

func underLoad(t *testing.T, unanimous bool) {
	f := start(t, Config{Replicas: 4, Depth: 4, TLS: true, Unanimous: unanimous})
	r, err := workload.Run(t.Context(), f, workload.Options{Outstanding: 200, Payload: 100, Vertices: 10_000, Duration: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if r.Vertices < 10_000 || r.Batch.Max > messages.BatchVerticesMax || r.Batch.Mean < 2 {
		t.Errorf("%d vertices in batches of %+v", r.Vertices, r.Batch)
	}
	n, q := 4.0, 3.0
	if s := r.Spent; s.Flushes > 2.2*n*s.Sequences || s.Verifications > 1.1*n*(2*q-2)*s.Sequences || s.Flushes < s.Sequences {
		t.Errorf("%+v: a sequence costs at most %v flushes and %v verifications, and the checkpoints a little", s, 2*n, n*(2*q-2))
	}
}

// TestBatches: the bytes and the digest are those of a replica.
func TestBatches(t *testing.T) {
	d := door{self: 3, waiting: make(map[uint64]*waiter)}
	for _, n := range []int{1, 2, 32, 33, messages.BatchVerticesMax} {
		payloads := make([][]byte, n)
		for i := range payloads {
			payloads[i] = bytes.Repeat([]byte{byte(i)}, 1+i%300)
		}
		encoded, _, err := d.admit(payloads)
		if err != nil {
			t.Fatal(err)
		}
		vertices := hashed(encoded)
		hashes := make([]messages.Digest, n)
		for i := range vertices {
			hashes[i] = sha256.Sum256(encoded[i])
		}
		want, err := messages.BuildBatch(encoded, hashes, messages.DefaultParams())
		if err != nil {
			t.Fatal(err)
		}
		built := buildBatch(vertices)
		parsed, err := parseBatch(want.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(built.bytes, want.Bytes()) || built.digest != want.Digest() || parsed.digest != want.Digest() {
			t.Errorf("a batch of %d vertices differs from a replica's", n)
		}
		for i := range n {
			if v := parsed.bytes[parsed.offsets[i]:parsed.offsets[i+1]]; !bytes.Equal(v, encoded[i]) || built.offsets[i] != parsed.offsets[i] {
				t.Fatalf("vertex %d of %d is found elsewhere", i, n)
			}
		}
	}
	for _, bad := range [][]byte{nil, make([]byte, messages.BatchHeaderBytes+5), append(make([]byte, 4), 0xff, 0xff, 0xff, 0xff)} {
		if b, err := parseBatch(bad); err == nil && len(bad) != messages.BatchHeaderBytes {
			t.Errorf("%x was taken for a batch of %d bytes", bad, len(b.bytes))
		}
	}
}

// TestJournalWraps writes more than the file holds.
func TestJournalWraps(t *testing.T) {
	j, err := openJournal(t.TempDir()+"/journal", 16<<20, false)
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	record := make([]byte, 5<<20)
	for range 30 {
		n, err := j.write([][]byte{record, nil, []byte("vote")})
		if err != nil {
			t.Fatal(err)
		}
		if n%pageBytes != 0 || n < len(record) || n > len(record)+2*pageBytes {
			t.Fatalf("a group of %d bytes took %d", len(record), n)
		}
	}
	if info, err := j.file.Stat(); err != nil || info.Size() != j.size {
		t.Errorf("the file has %v bytes, want the %d it was made with (%v)", info.Size(), j.size, err)
	}
}

// TestForgeryEndsIt: verification is not left out.
func TestForgeryEndsIt(t *testing.T) {
	f := start(t, Config{Replicas: 4, Depth: 1})
	vote := messages.Vote{Kind: messages.Commit, Seq: 1, Digest: messages.Digest{1}}
	forged := &messages.Bundle{From: 2, Votes: []messages.Vote{vote}, Signature: make([]byte, 4627)}
	if err := f.members[1].onBundle(forged); err == nil {
		t.Error("a bundle without a signature was counted")
	}
}
