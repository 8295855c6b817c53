package cluster

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/cretoai/consensus/messages"
)

// incoming is the message a stream received last, and the room for the next one.
// proto.actor is done with one message, and has copied its frames, when it asks
// for the next.
type incoming struct {
	wire      []byte
	envelopes [batchEnvelopes]remote.MessageEnvelope
	list      [batchEnvelopes]*remote.MessageEnvelope
}

// incomingBytesKept bounds the room that is kept.
const incomingBytesKept = messages.FrameBytesMax

// set is called by the codec.
func (in *incoming) set(data mem.BufferSlice) {
	n := data.Len()
	if cap(in.wire) > max(n, incomingBytesKept) {
		in.wire = nil
	}
	in.wire = slices.Grow(in.wire[:0], n)[:n]
	data.CopyTo(in.wire)
}

// decode gives what was received; a message that is not frugal is left empty,
// which the gate refuses and counts like any other that is no batch.
func (in *incoming) decode(m *remote.RemoteMessage) error {
	if b, ok := in.plain(); ok {
		m.MessageType = &remote.RemoteMessage_MessageBatch{MessageBatch: b}
		return nil
	}
	if !frugal(in.wire) {
		return nil
	}
	return proto.Unmarshal(in.wire, m)
}

// plain decodes a batch of frames as members send it, in place. Whatever it does
// not take is not wrong for that, and decoded otherwise.
func (in *incoming) plain() (*remote.MessageBatch, bool) {
	batch, rest, ok := only(in.wire, fieldMessageBatch)
	if !ok || len(rest) > 0 {
		return nil, false
	}
	name, batch, ok := only(batch, fieldTypeNames)
	if !ok || string(name) != frameType {
		return nil, false
	}
	target, batch, ok := only(batch, fieldTargets)
	if !ok {
		return nil, false
	}
	n := 0
	for ; len(batch) > 0; n++ {
		var envelope []byte
		if envelope, batch, ok = only(batch, fieldEnvelopes); !ok || n == batchEnvelopes {
			return nil, false
		}
		e := &in.envelopes[n]
		if e.MessageData = nil; len(envelope) > 0 {
			if e.MessageData, envelope, ok = only(envelope, fieldMessageData); !ok || len(envelope) > 0 {
				return nil, false
			}
		}
		in.list[n] = e
	}
	pid := &actor.PID{}
	if err := proto.Unmarshal(target, pid); err != nil {
		return nil, false
	}
	return &remote.MessageBatch{TypeNames: frameTypes, Targets: []*actor.PID{pid}, Envelopes: in.list[:n:n]}, true
}

// only gives the bytes of the field a message must begin with, and the rest.
func only(message []byte, want protowire.Number) (value, rest []byte, ok bool) {
	field, kind, tag := protowire.ConsumeTag(message)
	if tag < 0 || field != want || kind != protowire.BytesType {
		return nil, nil, false
	}
	value, n := protowire.ConsumeBytes(message[tag:])
	if n < 0 {
		return nil, nil, false
	}
	return value, message[tag+n:], true
}
