package cluster

import "github.com/cretoai/consensus/messages"

// Observer is told what the network does. Any function may be nil; all are
// called from any goroutine and must not block. Reasons and lanes come from
// small fixed sets, fit for labels of metrics.
type Observer struct {
	// Sent: a frame of n bytes was accepted by the peer's connection.
	Sent func(peer messages.Index, lane Lane, n int)
	// Received: a frame of n bytes came from the peer.
	Received func(peer messages.Index, n int)
	// Dropped: a frame was lost here. lane is empty for what came in.
	Dropped func(peer messages.Index, lane, reason string)
	// Refused: a connection was not accepted.
	Refused func(reason string)
}

func (o *Observer) sent(peer messages.Index, lane Lane, n int) {
	if o.Sent != nil {
		o.Sent(peer, lane, n)
	}
}

func (o *Observer) received(peer messages.Index, n int) {
	if o.Received != nil {
		o.Received(peer, n)
	}
}

func (o *Observer) dropped(peer messages.Index, lane, reason string) {
	if o.Dropped != nil {
		o.Dropped(peer, lane, reason)
	}
}

func (o *Observer) refused(reason string) {
	if o.Refused != nil {
		o.Refused(reason)
	}
}
