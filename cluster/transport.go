package cluster

import "github.com/cretoai/consensus/messages"

// Lane orders what waits for one peer: all of a lower lane leaves first.
type Lane uint8

// The lanes, most urgent first.
const (
	LaneVotes Lane = iota
	LaneViewChange
	LaneBatches
	LaneBulk
	laneCount
)

func (l Lane) String() string {
	switch l {
	case LaneVotes:
		return "votes"
	case LaneViewChange:
		return "viewchange"
	case LaneBatches:
		return "batches"
	case LaneBulk:
		return "bulk"
	}
	return "unknown"
}

// Inbound is one frame of a peer, as the ingress actor receives it. From is the
// identity the channel authenticated, never a name inside the frame. The
// receiver owns Frame.
type Inbound struct {
	From    messages.Index
	Frame   []byte
	release func()
}

// Release gives the peer its credit back: the frame waits for no work any more.
// It is called once; further calls have no effect.
func (in *Inbound) Release() {
	if f := in.release; f != nil {
		in.release = nil
		f()
	}
}

// PeerChange says that a peer's channel came up or went down, or, with a
// Reason, that it was refused.
type PeerChange struct {
	Peer      messages.Index
	Connected bool
	Reason    string
}

// Transport carries frames between members.
type Transport interface {
	// Start opens the network. deliver is called with *Inbound and *PeerChange,
	// from any goroutine; it does not block.
	Start(deliver func(msg any)) error
	// Send queues a frame and never blocks; what a bound makes it drop is
	// counted. The same slice may be given for many peers; nobody changes it.
	Send(to messages.Index, lane Lane, frame []byte)
	// Connected reports whether the channel to a peer is open.
	Connected(peer messages.Index) bool
	// Stop closes the network and leaves nothing behind. It may be called again.
	Stop() error
}
