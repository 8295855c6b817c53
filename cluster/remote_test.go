package cluster

import (
	"bytes"
	"testing"

	"github.com/cretoai/consensus/messages"
)

func TestRemoteRoundTrip(t *testing.T) {
	cfg := members(t, 2)
	a, b := start(t, cfg[0]), start(t, cfg[1])
	a.meet(1)
	b.meet(0)
	largest := bytes.Repeat([]byte{0xa5}, messages.FrameBytesMax)
	a.Send(1, LaneVotes, []byte("vote"))
	a.Send(1, LaneBulk, largest)
	b.Send(0, LaneVotes, []byte("answer"))
	got := b.receive(2)
	if got[0].From != 0 || string(got[0].Frame) != "vote" || got[1].From != 0 || !bytes.Equal(got[1].Frame, largest) {
		t.Errorf("got %d and %d bytes from %d and %d", len(got[0].Frame), len(got[1].Frame), got[0].From, got[1].From)
	}
	if back := a.receive(1); back[0].From != 1 || string(back[0].Frame) != "answer" {
		t.Errorf("got %q from %d", back[0].Frame, back[0].From)
	}
}
