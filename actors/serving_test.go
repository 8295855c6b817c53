package actors

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/metrics"
	"github.com/cretoai/consensus/pbft"
)

// counter counts the batches that leave, and the bytes of their frames.
type counter struct {
	nowhere
	t         *testing.T
	to        messages.Index
	sequences []messages.Seq
	bytes     int
}

func (k *counter) Send(_ *actor.PID, m any) {
	s, ok := m.(*send)
	if !ok {
		return
	}
	d, ok := s.message.(*messages.Decided)
	if !ok || s.lane != cluster.LaneBulk || s.to != k.to {
		k.t.Errorf("sent to member %d on lane %v: %T", s.to, s.lane, s.message)
		return
	}
	frame, err := messages.EncodeFrame(d)
	if err != nil {
		k.t.Error(err)
	}
	k.sequences = append(k.sequences, d.Seq)
	k.bytes += len(frame)
}

// fullBatch is as large as a batch gets, or nearly.
func fullBatch(t *testing.T) *messages.Batch {
	t.Helper()
	var vertices [][]byte
	var hashes []messages.Digest
	for i := range byte(5) {
		v := messages.Vertex{Payload: make([]byte, messages.BatchBytesMax/5-1024), Creator: [32]byte{1 + i}}
		b, err := v.Encode()
		if err != nil {
			t.Fatal(err)
		}
		vertices, hashes = append(vertices, b), append(hashes, messages.HashVertex(b))
	}
	batch, err := messages.BuildBatch(vertices, hashes, messages.DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

// server has so many sequences to give, each with a batch and a certificate of three.
func server(t *testing.T, sequences messages.Seq, batch *messages.Batch) *serving {
	t.Helper()
	state := memoryState(t)
	tree := late(t).t
	tree.cfg.Metrics, tree.cfg.Clock = metrics.New(metrics.Options{Members: 7}), runtime.NewVirtual(time.Unix(0, 0))
	tree.snapshots = &snapshots{t: tree}
	tree.ledger = newLedger(nil, state, messages.DefaultParams())
	for seq := messages.Seq(1); seq <= sequences; seq++ {
		d := &decided{batch: batch, commit: pbft.Committed{Seq: seq, Digest: messages.NullDigest}}
		if batch != nil {
			d.commit.Digest = batch.Digest()
		}
		for m := range messages.Index(3) {
			vote := messages.Vote{Kind: messages.Commit, Seq: seq, Digest: d.commit.Digest}
			d.commit.Bundles = append(d.commit.Bundles, &messages.Bundle{From: m, Votes: []messages.Vote{vote}, Signature: make([]byte, 4627)})
		}
		tree.ledger.add(d)
	}
	return newServing(tree)
}

// A member gets so many bytes in a heartbeat, whatever it asks for: what is beyond is
// not even read. It gets the rest with the next heartbeats, a banned one with more of
// them, and only what it asked for last.
func TestR3_ServesSoMuchInAHeartbeat(t *testing.T) {
	batch := fullBatch(t)
	for _, c := range []struct {
		name   string
		batch  *messages.Batch
		banned bool
		most   int // sequences in a heartbeat
		beats  int // until all are there
	}{
		{"full batches", batch, false, 8, 32},
		{"full batches for a banned one", batch, true, 1, 256},
		{"empty ones", nil, false, servedPerBeat, 2},
		{"empty ones for a banned one", nil, true, servedPerBeat / bannedShare, 16},
	} {
		s, k := server(t, messages.DecidedMax, c.batch), &counter{t: t, to: 3}
		if c.banned {
			for range 8 {
				s.t.detector.core.Malformed(3)
			}
		}
		s.decided(k, &decidedWanted{3, &messages.FetchDecided{From: 1, To: messages.DecidedMax}})
		got, most, bytes, beats := 0, 0, 0, 1
		for ; ; beats++ {
			if most, bytes = max(most, len(k.sequences)-got), max(bytes, k.bytes); len(k.sequences) == messages.DecidedMax || beats > 1000 {
				break
			}
			got, k.bytes = len(k.sequences), 0
			s.beat(k)
		}
		if bound := s.t.share(3, bulkBytesPerBeat) + messages.FrameBytesMax; most != c.most || bytes > bound || beats != c.beats {
			t.Errorf("%s: in a heartbeat it got %d sequences and %d bytes, want %d and at most %d; all after %d", c.name, most, bytes, c.most, bound, beats)
		}
		for i, seq := range k.sequences {
			if seq != messages.Seq(i+1) {
				t.Fatalf("%s: sequence %d was sent after %d others", c.name, seq, i)
			}
		}
	}
}

// Whoever asks again waits no less, and the rest of what it asked for before is
// forgotten.
func TestR3_ServesWhatIsAskedForLast(t *testing.T) {
	s, k := server(t, 100, fullBatch(t)), &counter{t: t, to: 3}
	for _, from := range []messages.Seq{1, 41, 61} {
		s.decided(k, &decidedWanted{3, &messages.FetchDecided{From: from, To: from + 19}})
	}
	if len(k.sequences) != 8 {
		t.Fatalf("it asked three times and got %d sequences", len(k.sequences))
	}
	s.beat(k)
	s.beat(k)
	s.beat(k)
	if rest := k.sequences[8:]; len(rest) != 20 || rest[0] != 61 || rest[19] != 80 {
		t.Errorf("after the first heartbeat it got %v", rest)
	}
	// Parts of snapshots and batches are of one share.
	s.bytes[3] = bulkBytesPerBeat
	s.decided(k, &decidedWanted{3, &messages.FetchDecided{From: 1, To: 1}})
	if s.chunk(k, 3, &messages.FetchChunk{}); len(k.sequences) != 28 || len(s.waiting[3]) != 1 {
		t.Errorf("beyond its share it got %d sequences, and %d requests for parts wait", len(k.sequences)-28, len(s.waiting[3]))
	}
}
