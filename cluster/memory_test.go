package cluster

import (
	"fmt"
	"testing"

	"github.com/cretoai/consensus/messages"
)

// startMemory runs a member of a network within the process.
func startMemory(t *testing.T, m *MemoryNetwork, self messages.Index) *node {
	t.Helper()
	return run(t, m.Transport(self))
}

func TestMemoryDeliversInOrder(t *testing.T) {
	m := NewMemoryNetwork(2)
	a, b := startMemory(t, m, 0), startMemory(t, m, 1)
	a.meet(1)
	b.meet(0)
	for i := range 1000 {
		a.Send(1, Lane(i%int(laneCount)), fmt.Append(nil, i))
	}
	for i, in := range b.receive(1000) {
		if string(in.Frame) != fmt.Sprint(i) || in.From != 0 {
			t.Fatalf("frame %d is %q from %d", i, in.Frame, in.From)
		}
	}
}

// Every receiver owns its frame: changing it shows nowhere else.
func TestMemoryCopiesFrames(t *testing.T) {
	m := NewMemoryNetwork(3)
	a, b, c := startMemory(t, m, 0), startMemory(t, m, 1), startMemory(t, m, 2)
	frame := []byte("frame")
	a.Send(1, LaneVotes, frame)
	b.receive(1)[0].Frame[0] = 'x'
	a.Send(2, LaneVotes, frame)
	if got := c.receive(1)[0].Frame; string(got) != "frame" {
		t.Errorf("the second receiver got %q", got)
	}
}

func TestMemoryHoldsToTheFrameBound(t *testing.T) {
	m := NewMemoryNetwork(2)
	a, b := startMemory(t, m, 0), startMemory(t, m, 1)
	a.Send(1, LaneVotes, make([]byte, messages.FrameBytesMax+1))
	a.Send(7, LaneVotes, []byte("to nobody"))
	a.Send(1, LaneVotes, make([]byte, messages.FrameBytesMax))
	if got := b.receive(1); len(got) != 1 || len(got[0].Frame) != messages.FrameBytesMax {
		t.Errorf("%d frames came, the first of %d bytes", len(got), len(got[0].Frame))
	}
}

func TestMemoryBlocksOneDirection(t *testing.T) {
	m := NewMemoryNetwork(2)
	a, b := startMemory(t, m, 0), startMemory(t, m, 1)
	m.Block(0, 1, true)
	a.Send(1, LaneVotes, []byte("lost"))
	b.Send(0, LaneVotes, []byte("arrives"))
	a.receive(1)
	if a.Connected(1) || b.Connected(0) {
		t.Error("a cut link counts as connected")
	}
	m.Block(0, 1, false)
	a.Send(1, LaneVotes, []byte("after"))
	if got := b.receive(1); string(got[0].Frame) != "after" {
		t.Errorf("got %q", got[0].Frame)
	}
}

func TestMemoryMembersComeAndGo(t *testing.T) {
	m := NewMemoryNetwork(2)
	a, b := startMemory(t, m, 0), startMemory(t, m, 1)
	a.meet(1)
	for range 2 {
		if err := b.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	a.wait("the peer to leave", func() bool { return len(a.peer) == 2 && !a.peer[1].Connected })
	if a.Connected(1) {
		t.Error("a stopped peer counts as connected")
	}
	a.Send(1, LaneVotes, []byte("lost"))
	b.Send(0, LaneVotes, []byte("from a stopped member"))
	again := startMemory(t, m, 1)
	again.Send(0, LaneVotes, []byte("back"))
	if got := a.receive(1); string(got[0].Frame) != "back" {
		t.Errorf("got %q", got[0].Frame)
	}
	if a.wait("the peer to return", func() bool { return len(a.peer) == 3 && a.peer[2].Connected }); !a.Connected(1) {
		t.Error("a peer that returned does not count as connected")
	}
}
