package actors

import (
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// shelf is a replica's snapshots, on virtual time.
type shelf struct {
	*snapshots
	t     *testing.T
	clock *runtime.Virtual
	state *storage.State
}

func newShelf(t *testing.T) *shelf {
	state := memoryState(t)
	s := &shelf{t: t, clock: runtime.NewVirtual(time.Unix(0, 0)), state: state}
	s.snapshots = &snapshots{t: &Tree{cfg: Config{State: state, Clock: s.clock, Heartbeat: time.Second}, log: zerolog.Nop()}}
	t.Cleanup(func() {
		s.close()
	})
	return s
}

// take has the state be one bucket with these bytes, and takes a snapshot of it.
func (s *shelf) take(seq messages.Seq, bucket string) {
	s.t.Helper()
	b := s.state.NewBatch()
	b.Set(partKey(0, pbft.Part{App: true}), []byte(bucket))
	if err := b.Commit(false); err != nil {
		s.t.Fatal(err)
	}
	m := &messages.Manifest{
		Seq: seq, Head: messages.Digest{1}, Certificate: []*messages.Bundle{{Votes: []messages.Vote{{Kind: messages.Checkpoint, Seq: seq, Digest: messages.Digest{1}}}, Signature: []byte{1}}},
		App: pbft.ListBuckets([][]messages.Digest{pbft.HashParts([]byte(bucket))}),
	}
	if err := m.Validate(); err != nil {
		s.t.Fatal(err)
	}
	s.add(m, 0)
}

func (s *shelf) has(want ...messages.Seq) {
	s.t.Helper()
	var got []messages.Seq
	for _, one := range s.list {
		got = append(got, one.manifest.Seq)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("the snapshots of %v are there, want %v", got, want)
	}
}

// serve asks for the one part of a snapshot.
func (s *shelf) serve(digest messages.Digest) (string, bool) {
	s.t.Helper()
	c, ok, err := s.chunk(&messages.FetchChunk{Manifest: digest, Count: 1})
	if err != nil {
		s.t.Fatal(err)
	}
	if !ok {
		return "", false
	}
	return string(c.Parts[0]), true
}

// A snapshot that is served stays, and what it gives is the state as it was, while
// newer ones are taken: for as long as it is asked for, and while there are not too
// many.
func TestR4_ASnapshotStaysWhileItIsServed(t *testing.T) {
	s := newShelf(t)
	s.take(10, "as it was")
	digest := s.at(10).Digest()
	s.take(20, "later")
	s.take(30, "later still")
	s.has(10, 20, 30)
	for range 3 { // each time it has nearly run out of patience
		s.clock.Advance((pinPatience - 1) * time.Second)
		s.beat()
		if got, ok := s.serve(digest); !ok || got != "as it was" {
			t.Fatalf("the part served is %q (%t)", got, ok)
		}
	}
	s.take(40, "and later")
	s.has(10, 20, 30, 40)
	s.clock.Advance(pinPatience * time.Second)
	s.beat()
	s.has(30, 40)
	if _, ok := s.serve(digest); ok {
		t.Error("a snapshot that was given up is served")
	}
}

// Whoever asks again and again does not keep what is on the disk for ever: neither
// more snapshots than there may be, nor one for longer than it may stay.
func TestR4_ASnapshotIsNotServedForEver(t *testing.T) {
	s := newShelf(t)
	s.take(10, "asked for all the time")
	digest := s.at(10).Digest()
	for seq := messages.Seq(20); seq <= 50; seq += 10 {
		s.serve(digest)
		s.take(seq, "newer")
	}
	s.has(40, 50) // the others nobody asked for

	s = newShelf(t)
	s.take(10, "asked for all the time")
	digest = s.at(10).Digest()
	s.take(20, "newer")
	s.take(30, "newer")
	for range pinMax {
		s.clock.Advance(time.Second)
		s.serve(digest)
		s.beat()
	}
	s.has(20, 30)
}

// A checkpoint that is taken over twice, for a panic in between, has one snapshot.
func TestR4_ACheckpointHasOneSnapshot(t *testing.T) {
	s := newShelf(t)
	s.take(10, "once")
	s.take(20, "once")
	s.take(20, "twice")
	s.has(10, 20)
	if got, _ := s.serve(s.at(20).Digest()); got != "once" {
		t.Errorf("it is of %q", got)
	}
}
