package cluster

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/cretoai/consensus/messages"
)

// repeat is a RemoteMessage whose batch consists of one field, over and over.
func repeat(field protowire.Number, value []byte) []byte {
	var batch []byte
	for len(batch) < messages.FrameBytesMax {
		batch = protowire.AppendTag(batch, field, protowire.BytesType)
		batch = protowire.AppendBytes(batch, value)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, fieldMessageBatch, protowire.BytesType), batch)
}

// bombs are messages within the receive limit that take many times their size.
func bombs() map[string][]byte {
	header := protowire.AppendTag(nil, fieldHeader, protowire.BytesType)
	var entries []byte
	for len(entries) < messages.FrameBytesMax {
		entries = append(entries, 0x0a, 0)
	}
	var merged []byte
	for len(merged) < messages.FrameBytesMax {
		merged = append(merged, 0x0a, 2, 0x1a, 0) // a batch of one envelope
	}
	one := protowire.AppendBytes(protowire.AppendTag(nil, fieldEnvelopes, protowire.BytesType), protowire.AppendBytes(header, entries))
	return map[string][]byte{
		"envelopes":      repeat(fieldEnvelopes, nil),
		"targets":        repeat(2, nil),
		"type names":     repeat(1, nil),
		"header entries": protowire.AppendBytes([]byte{0x0a}, one),
		"merged batches": merged,
	}
}

func TestCodecBoundsBeforeAllocating(t *testing.T) {
	codec := newFrugalCodec()
	for name, wire := range bombs() {
		t.Run(name, func(t *testing.T) {
			var message remote.RemoteMessage
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var in incoming
			err := codec.Unmarshal(mem.BufferSlice{mem.SliceBuffer(wire)}, &in)
			if err == nil {
				err = in.decode(&message)
			}
			runtime.ReadMemStats(&after)
			if err != nil || message.MessageType != nil {
				t.Errorf("decodes to %T, %v", message.MessageType, err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 4*uint64(len(wire)) { // it is copied once, by the race detector's append twice
				t.Errorf("%d bytes on the wire took %d in memory", len(wire), took)
			}
		})
	}
}

func TestCodecDecodesWhatMembersSend(t *testing.T) {
	full := legal(make([]byte, 1000))
	for range batchEnvelopes - 1 {
		full.Envelopes = append(full.Envelopes, full.Envelopes[0])
	}
	for name, want := range map[string]*remote.RemoteMessage{
		"greeting": greeting(), "knock": batchOf(legal(nil)), "largest": batchOf(legal(make([]byte, messages.FrameBytesMax))), "most": batchOf(full),
	} {
		wire, err := proto.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got remote.RemoteMessage
		// In pieces, as gRPC hands it over.
		data := mem.BufferSlice{mem.SliceBuffer(wire[:len(wire)/2]), mem.SliceBuffer(wire[len(wire)/2:])}
		var in incoming
		if err := newFrugalCodec().Unmarshal(data, &in); err != nil {
			t.Fatal(err)
		}
		if err := in.decode(&got); err != nil || !proto.Equal(&got, want) {
			t.Errorf("%s comes out different: %v", name, err)
		}
	}
}

// batchOfFrames is what proto.actor makes of frames it was given as outgoing.
func batchOfFrames(t *testing.T, frames ...[]byte) *remote.RemoteMessage {
	t.Helper()
	b := legal(nil)
	b.Envelopes = nil
	for _, frame := range frames {
		data, name, err := remote.Serialize(&outgoing{frame}, 0)
		if err != nil || name != frameType {
			t.Fatalf("type %s, %v", name, err)
		}
		b.Envelopes = append(b.Envelopes, &remote.MessageEnvelope{MessageData: data})
	}
	return batchOf(b)
}

func TestCodecWritesWhatProtobufWould(t *testing.T) {
	small, aliased, large := []byte("frame"), make([]byte, aliasedBytesMin), make([]byte, messages.FrameBytesMax)
	for name, frames := range map[string][][]byte{
		"a knock": {nil}, "small": {small}, "large": {large}, "threshold": {aliased, aliased[1:]},
		"mixed": {small, large, nil, small, aliased, small}, "large last": {small, aliased},
	} {
		want := legal(nil)
		want.Envelopes = nil
		for _, frame := range frames {
			want.Envelopes = append(want.Envelopes, legal(frame).Envelopes...)
		}
		wire, err := proto.MarshalOptions{Deterministic: true}.Marshal(batchOf(want))
		if err != nil {
			t.Fatal(err)
		}
		parts, err := newFrugalCodec().Marshal(batchOfFrames(t, frames...))
		if err != nil || !bytes.Equal(parts.Materialize(), wire) {
			t.Errorf("%s: other bytes than protobuf's, %v", name, err)
		}
		for _, frame := range frames {
			lies := func(p mem.Buffer) bool { return len(frame) > 0 && &p.ReadOnlyData()[0] == &frame[0] }
			if len(frame) >= aliasedBytesMin && !slices.ContainsFunc(parts, lies) {
				t.Errorf("%s: a frame of %d bytes was copied", name, len(frame))
			}
		}
		var in incoming
		var got remote.RemoteMessage
		in.set(parts)
		if b, ok := in.plain(); !ok || len(b.Envelopes) != len(frames) {
			t.Errorf("%s: not decoded in place", name)
		}
		if err := in.decode(&got); err != nil || !proto.Equal(&got, batchOf(want)) {
			t.Errorf("%s comes out different: %v", name, err)
		}
	}
}

// Members are sent frames. What else proto.actor wanted to send would be taken
// for one.
func TestCodecSendsNothingElse(t *testing.T) {
	for name, change := range map[string]func(*remote.MessageBatch){
		"type":    func(b *remote.MessageBatch) { b.TypeNames = append(b.TypeNames, "another") },
		"target":  func(b *remote.MessageBatch) { b.Targets = append(b.Targets, &actor.PID{Id: "another"}) },
		"sender":  func(b *remote.MessageBatch) { b.Senders = b.Targets },
		"request": func(b *remote.MessageBatch) { b.Envelopes[0].TargetRequestId = 1 },
	} {
		m := batchOfFrames(t, []byte("frame"))
		change(m.GetMessageBatch())
		if _, err := newFrugalCodec().Marshal(m); !errors.Is(err, errForeign) {
			t.Errorf("another %s is sent: %v", name, err)
		}
	}
}

// What is decoded in place comes out as protobuf has it.
func FuzzIncoming(f *testing.F) {
	for _, frames := range [][]byte{nil, []byte("frame"), make([]byte, aliasedBytesMin)} {
		wire, err := proto.Marshal(batchOf(legal(frames)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		var in incoming
		in.set(mem.BufferSlice{mem.SliceBuffer(wire)})
		var want remote.RemoteMessage
		got, ok := in.plain()
		if !ok {
			return
		}
		if err := proto.Unmarshal(wire, &want); err != nil || !proto.Equal(batchOf(got), &want) {
			t.Fatalf("%v is decoded from %x, protobuf has %v, %v", got, wire, &want, err)
		}
	})
}

// What passes costs little, whatever it says; what members send is in the seeds.
func FuzzFrugal(f *testing.F) {
	for _, m := range []*remote.RemoteMessage{greeting(), batchOf(legal([]byte("frame"))), batchOf(carrying("x", &actor.PID{Id: "y"}))} {
		wire, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		var message remote.RemoteMessage
		if !frugal(wire) || proto.Unmarshal(wire, &message) != nil {
			return
		}
		b := message.GetMessageBatch()
		n := len(b.GetEnvelopes()) + len(b.GetTargets()) + len(b.GetSenders()) + len(b.GetTypeNames())
		for _, e := range b.GetEnvelopes() {
			n += len(e.GetMessageHeader().GetHeaderData())
		}
		if n > partsMax {
			t.Fatalf("%d parts passed", n)
		}
	})
}
