package cluster

import (
	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/cretoai/consensus/messages"
)

// On the wire of proto.actor a frame is a BytesValue for the target "ingress".
// Nothing else travels. An empty one is a knock: it makes proto.actor connect.
var (
	frameType  = string(proto.MessageName((*wrapperspb.BytesValue)(nil)))
	frameTypes = []string{frameType} // of a batch; never written to
	knock      = &wrapperspb.BytesValue{}
)

const (
	ingressID = "ingress"

	// envelopeBytesMax is the largest frame with the tag and length before it.
	envelopeBytesMax = messages.FrameBytesMax + 8
	// batchEnvelopes bounds how many frames proto.actor sends as one message.
	batchEnvelopes = 64
	// batchOverhead is what such a message has beside the bytes of its frames.
	// Those are bounded by what a link has under way: one frame, or FlightBytes.
	batchOverhead = 64 << 10
)

// frameBytes checks that data is a BytesValue as we write it, and gives the
// number of its bytes. Whatever passes, proto.actor decodes without an error.
func frameBytes(data []byte) (n int, ok bool) {
	if len(data) == 0 {
		return 0, true
	}
	field, kind, tag := protowire.ConsumeTag(data)
	if tag < 0 || field != 1 || kind != protowire.BytesType {
		return 0, false
	}
	frame, length := protowire.ConsumeBytes(data[tag:])
	return len(frame), length >= 0 && tag+length == len(data)
}

// mailbox is the local end of a peer: the process that proto.actor's endpoint
// reader hands the peer's frames to. The gate sends each connection's messages
// to the mailbox of the member that TLS authenticated, and nowhere else.
type mailbox struct {
	remote *Remote
	peer   messages.Index
	pid    *actor.PID
	credit credit
}

// SendUserMessage implements actor.Process. A frame is charged when it is
// delivered and not before: what a panic keeps from being delivered is never
// released either, and the peer's credit outlives the connection.
func (m *mailbox) SendUserMessage(_ *actor.PID, message any) {
	value, ok := message.(*wrapperspb.BytesValue)
	if !ok || len(value.Value) == 0 {
		return
	}
	n := len(value.Value)
	m.remote.cfg.Observer.received(m.peer, n)
	m.credit.take(n + frameOverhead)
	in := &Inbound{From: m.peer, Frame: value.Value, release: func() { m.credit.give(n + frameOverhead) }}
	defer func() {
		if p := recover(); p != nil {
			in.Release()
			panic(p)
		}
	}()
	m.remote.deliver(in)
}

// SendSystemMessage implements actor.Process: nobody supervises a mailbox, and
// the gate lets no system message through.
func (m *mailbox) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (m *mailbox) Stop(*actor.PID) {}
