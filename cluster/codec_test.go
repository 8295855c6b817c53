package cluster

import (
	"runtime"
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
			err := codec.Unmarshal(mem.BufferSlice{mem.SliceBuffer(wire)}, &message)
			runtime.ReadMemStats(&after)
			if err != nil || message.MessageType != nil {
				t.Errorf("decodes to %T, %v", message.MessageType, err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > uint64(len(wire)) {
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
		if err := newFrugalCodec().Unmarshal(data, &got); err != nil || !proto.Equal(&got, want) {
			t.Errorf("%s comes out different: %v", name, err)
		}
	}
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
