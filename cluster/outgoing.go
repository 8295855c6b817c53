package cluster

import (
	"errors"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/runtime/protoiface"
)

// outgoing is a frame as proto.actor sends it: a BytesValue that marshals to the
// frame itself, the same bytes for every peer. The codec, which alone sees what it
// marshals to, puts the rest of the BytesValue before it. Otherwise each frame
// would be copied twice for each peer.
type outgoing struct{ frame []byte }

// ProtoReflect implements proto.Message.
func (o *outgoing) ProtoReflect() protoreflect.Message {
	return outgoingValue{knock.ProtoReflect(), o.frame}
}

type outgoingValue struct {
	protoreflect.Message
	frame []byte
}

// ProtoMethods implements protoreflect.Message.
func (v outgoingValue) ProtoMethods() *protoiface.Methods {
	return &protoiface.Methods{
		Flags: protoiface.SupportMarshalDeterministic,
		Marshal: func(protoiface.MarshalInput) (protoiface.MarshalOutput, error) {
			return protoiface.MarshalOutput{Buf: v.frame}, nil
		},
	}
}

// aliasedBytesMin is the size from which a frame is sent from where it lies. A
// smaller one is copied: that costs less than a buffer of its own.
const aliasedBytesMin = 4 << 10

var errForeign = errors.New("nothing but frames is sent to members")

// marshalBatch is proto.Marshal of a RemoteMessage with a batch of outgoing
// frames, in parts: large frames are parts of their own, not copied.
func marshalBatch(b *remote.MessageBatch) (mem.BufferSlice, error) {
	if len(b.TypeNames) != 1 || b.TypeNames[0] != frameType || len(b.Targets) != 1 || len(b.Senders) != 0 {
		return nil, errForeign
	}
	target, err := proto.Marshal(b.Targets[0])
	if err != nil {
		return nil, err
	}
	body := sizeField(len(frameType)) + sizeField(len(target))
	copied := body + sizeField(0) // and what is before the body
	for _, e := range b.Envelopes {
		if checkEnvelopeHead(e) != noAbuse {
			return nil, errForeign
		}
		size := envelopeSize(e.MessageData)
		body += sizeField(size)
		if copied += sizeField(size); len(e.MessageData) >= aliasedBytesMin {
			copied -= len(e.MessageData)
		}
	}
	copied += protowire.SizeVarint(uint64(body))

	var parts mem.BufferSlice
	head := appendHead(make([]byte, 0, copied), fieldMessageBatch, body)
	head = protowire.AppendString(protowire.AppendTag(head, fieldTypeNames, protowire.BytesType), frameType)
	head = protowire.AppendBytes(protowire.AppendTag(head, fieldTargets, protowire.BytesType), target)
	for _, e := range b.Envelopes {
		frame := e.MessageData
		head = appendHead(head, fieldEnvelopes, envelopeSize(frame))
		if len(frame) > 0 {
			head = appendHead(head, fieldMessageData, sizeField(len(frame)))
			head = appendHead(head, fieldValue, len(frame))
		}
		if len(frame) < aliasedBytesMin {
			head = append(head, frame...)
			continue
		}
		parts = append(parts, mem.SliceBuffer(head), mem.SliceBuffer(frame))
		head = head[len(head):] // goes on behind, in the same array
	}
	if len(head) > 0 {
		parts = append(parts, mem.SliceBuffer(head))
	}
	return parts, nil
}

// appendHead appends what stands before the bytes of a field.
func appendHead(b []byte, field protowire.Number, size int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(size))
}

// sizeField is what a field of so many bytes takes; all numbers here take one byte.
func sizeField(size int) int { return 1 + protowire.SizeBytes(size) }

// envelopeSize is what the fields of an envelope take, that is none for a knock.
func envelopeSize(frame []byte) int {
	if len(frame) == 0 {
		return 0
	}
	return sizeField(sizeField(len(frame)))
}
