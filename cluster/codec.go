package cluster

import (
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// frugalCodec is gRPC's codec for messages of proto.actor: frames are not copied
// once more on their way out or in, and nothing is allocated for a message from
// outside before it was bounded. An envelope of two bytes on the wire takes 150 in
// memory, so a message within the receive limit could cost 80 MB before the gate
// counts its envelopes.
type frugalCodec struct{ encoding.CodecV2 }

func newFrugalCodec() frugalCodec { return frugalCodec{encoding.GetCodecV2(proto.Name)} }

// Marshal implements encoding.CodecV2. It sends frames from where they lie.
func (c frugalCodec) Marshal(v any) (mem.BufferSlice, error) {
	if m, ok := v.(*remote.RemoteMessage); ok && m.GetMessageBatch() != nil {
		return marshalBatch(m.GetMessageBatch())
	}
	return c.CodecV2.Marshal(v)
}

// Unmarshal implements encoding.CodecV2. Streams receive into an incoming, which is
// decoded once the stream asks for it.
func (c frugalCodec) Unmarshal(data mem.BufferSlice, v any) error {
	if in, ok := v.(*incoming); ok {
		in.set(data)
		return nil
	}
	return c.CodecV2.Unmarshal(data, v)
}

// partsMax bounds what a message consists of: the envelopes of a batch, its
// type, its target, and room for the gate to say what is too many.
const partsMax = batchEnvelopes + 8

// Numbers of fields in proto.actor's messages.
const (
	fieldMessageBatch = 1 // of RemoteMessage
	fieldTypeNames    = 1 // of MessageBatch
	fieldTargets      = 2 // of MessageBatch
	fieldEnvelopes    = 3 // of MessageBatch
	fieldMessageData  = 2 // of MessageEnvelope
	fieldHeader       = 6 // of MessageEnvelope
	fieldValue        = 1 // of BytesValue
)

// frugal reports whether a RemoteMessage has few parts, entries of headers
// counted, and so costs little more memory than its bytes. Fields repeat and merge on the wire:
// the bound is on all of them together.
func frugal(message []byte) bool {
	parts := 0
	few := func() bool { parts++; return parts <= partsMax }
	entry := func(protowire.Number, []byte) bool { return few() }
	envelope := func(field protowire.Number, value []byte) bool {
		return field != fieldHeader || few() && walk(value, entry)
	}
	batch := func(field protowire.Number, value []byte) bool {
		return few() && (field != fieldEnvelopes || walk(value, envelope))
	}
	return walk(message, func(field protowire.Number, value []byte) bool {
		return few() && (field != fieldMessageBatch || walk(value, batch))
	})
}

// walk visits the fields of a message, with the bytes of those that have a
// length. It reports false if visit does, or if the message is broken.
func walk(message []byte, visit func(field protowire.Number, value []byte) bool) bool {
	for len(message) > 0 {
		field, kind, tag := protowire.ConsumeTag(message)
		if tag < 0 {
			return false
		}
		n := protowire.ConsumeFieldValue(field, kind, message[tag:])
		if n < 0 {
			return false
		}
		var value []byte
		if kind == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(message[tag:])
		}
		if !visit(field, value) {
			return false
		}
		message = message[tag+n:]
	}
	return true
}
