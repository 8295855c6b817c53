package actors

import (
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/metrics"
	"github.com/cretoai/consensus/pbft"
)

// connected is a network on which everybody is there but some.
type connected struct {
	cluster.Transport
	away []messages.Index
}

func (c connected) Connected(peer messages.Index) bool { return !slices.Contains(c.away, peer) }

// late is member 0 of seven, behind all others.
func late(t *testing.T, away ...messages.Index) *catchUp {
	t.Helper()
	_, _, keyring := testKeyring(t, 7)
	tree := &Tree{n: 7, cfg: Config{Keyring: keyring, Detection: true, Transport: connected{away: away}}}
	tree.detector = newDetector(tree)
	return &catchUp{t: tree, peers: []messages.Seq{9, 9, 9, 9, 9, 9, 9}, slow: make([]bool, 7), patience: newPatience(7, time.Second)}
}

// rotation is whom a late replica asks, one after the other.
func (s *catchUp) rotation(times int) (order []messages.Index) {
	for range times {
		to, ok := s.choose()
		if !ok {
			return order
		}
		s.from = to
		order = append(order, to)
	}
	return order
}

func TestCatchUp_AsksTheBannedLast(t *testing.T) {
	tests := []struct {
		name   string
		banned []messages.Index
		slow   []messages.Index
		away   []messages.Index
		want   []messages.Index
	}{
		{"everybody is well", nil, nil, nil, []messages.Index{1, 2, 3, 4, 5, 6, 1, 2}},
		{"two are banned", []messages.Index{2, 5}, nil, nil, []messages.Index{1, 3, 4, 6, 1, 3, 4, 6}},
		{"one is slow", nil, []messages.Index{1}, nil, []messages.Index{2, 3, 4, 5, 6, 2, 3, 4}},
		{"all others failed once", []messages.Index{2, 5}, []messages.Index{1, 3, 4, 6}, nil, []messages.Index{1, 3, 4, 6, 1, 3, 4, 6}},
		{"all others are away", []messages.Index{2, 5}, nil, []messages.Index{1, 3, 4, 6}, []messages.Index{2, 5, 2, 5, 2, 5, 2, 5}},
		{"all are away", nil, nil, []messages.Index{1, 2, 3, 4, 5, 6}, nil},
	}
	for _, tt := range tests {
		s := late(t, tt.away...)
		for _, m := range tt.banned {
			for range 8 {
				s.t.detector.core.Malformed(m)
			}
		}
		for _, m := range tt.slow {
			s.slow[m] = true
		}
		if got := s.rotation(8); !slices.Equal(got, tt.want) {
			t.Errorf("%s: asked are %v, want %v", tt.name, got, tt.want)
		}
	}
}

// What was not asked for is not verified: a quorum of signatures each.
func TestCatchUp_Asks(t *testing.T) {
	s := late(t)
	s.from, s.executed, s.asked = 3, 5, 8
	for seq, want := range map[messages.Seq]bool{5: false, 6: true, 8: true, 9: false} {
		if got := s.asks(3, seq); got != want {
			t.Errorf("sequence %d is asked for: %t, want %t", seq, got, want)
		}
	}
	if s.asks(2, 6) {
		t.Error("another member is taken for the one that was asked")
	}
	if got, want := s.t.share(3, servedPerBeat), servedPerBeat; got != want {
		t.Errorf("a member is served %d, want %d", got, want)
	}
	for range 8 {
		s.t.detector.core.Malformed(3)
	}
	if got, want := s.t.share(3, servedPerBeat), servedPerBeat/bannedShare; got != want {
		t.Errorf("a banned member is served %d, want %d", got, want)
	}
}

// What two of seven say does not count: they may be the liars.
func TestCatchUp_BelievesMoreThanCanLie(t *testing.T) {
	s := late(t)
	s.peers = []messages.Seq{0, 9, 1000, 7, 8, 2000, 9}
	if got := s.others(); got != 9 {
		t.Errorf("the others are at %d", got)
	}
}

// nowhere is a context of an actor whose messages go nowhere.
type nowhere struct{ actor.Context }

func (nowhere) Send(*actor.PID, any)            {}
func (nowhere) Self() *actor.PID                { return nil }
func (nowhere) ActorSystem() *actor.ActorSystem { return nil }

// Who fetches a state rests after what is new, and not for what it is sent again: a
// member could keep it from ever asking for more.
func TestR4_WhoRepeatsItselfDoesNotMakeARestLonger(t *testing.T) {
	state := memoryState(t)
	s, clock := late(t), runtime.NewVirtual(time.Unix(0, 0))
	cfg := &s.t.cfg
	cfg.State, cfg.Clock, cfg.Heartbeat, cfg.Metrics = state, clock, 100*time.Millisecond, metrics.New(metrics.Options{Members: 7})
	cfg.Genesis, _, _ = cryptotest.NewMembers(7, 1, cryptotest.NewHMAC())
	s.transfer, s.serving = newTransfer(s.t), newServing(s.t)
	x := s.transfer

	bucket := make([]byte, 2*messages.PartBytesMax)
	m := &messages.Manifest{Seq: 8, App: pbft.ListBuckets([][]messages.Digest{pbft.HashParts(bucket)})}
	x.perform(nowhere{}, x.core.Resume(m, nil))
	x.parts.work(clock.Now())
	arrive := func() time.Duration {
		part := bucket[:messages.PartBytesMax]
		s.onChunk(nowhere{}, &chunkArrived{&cluster.Inbound{From: 1}, &messages.Chunk{Manifest: m.Digest(), Parts: [][]byte{part}}})
		return x.parts.left(clock.Now())
	}
	clock.Advance(30 * time.Millisecond)
	if left := arrive(); left != 60*time.Millisecond {
		t.Fatalf("after work of 30 ms it rests for %v", left)
	}
	clock.Advance(50 * time.Millisecond)
	if left := arrive(); left != 10*time.Millisecond {
		t.Errorf("after the same again %v of the rest are left", left)
	}
}
