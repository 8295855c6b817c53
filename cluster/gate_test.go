package cluster

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/cretoai/consensus/messages"
)

// hostile is a member that speaks gRPC as it likes, with a valid certificate.
type hostile struct {
	t      *testing.T
	conn   *grpc.ClientConn
	stream remote.Remoting_ReceiveClient
}

// infiltrate connects to member to as the member of cfg, and greets unless the
// test wants to do that itself.
func infiltrate(t *testing.T, cfg RemoteConfig, to messages.Index, greet bool) *hostile {
	t.Helper()
	ids, err := newIdentities(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient("passthrough:"+cfg.Peers[to].Address, grpc.WithTransportCredentials(credentials.NewTLS(ids.dial(to))))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitMax)
	stream, err := remote.NewRemotingClient(conn).Receive(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h := &hostile{t, conn, stream}
	t.Cleanup(func() { cancel(); _ = conn.Close() })
	if greet {
		h.send(greeting())
		if _, err := stream.Recv(); err != nil {
			t.Fatalf("the greeting was not answered: %v", err)
		}
	}
	return h
}

func (h *hostile) send(m *remote.RemoteMessage) {
	h.t.Helper()
	if err := h.stream.Send(m); err != nil {
		h.t.Fatal(err)
	}
}

// expelled waits for the end of the stream.
func (h *hostile) expelled() error {
	for {
		if _, err := h.stream.Recv(); err != nil {
			return err
		}
	}
}

func greeting() *remote.RemoteMessage {
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
		ConnectionType: &remote.ConnectRequest_ServerConnection{ServerConnection: &remote.ServerConnection{SystemId: "x", Address: "127.0.0.1:1"}},
	}}}
}

func batchOf(b *remote.MessageBatch) *remote.RemoteMessage {
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: b}}
}

// legal is a batch of one frame, as members send it.
func legal(frame []byte) *remote.MessageBatch {
	data, err := proto.Marshal(&wrapperspb.BytesValue{Value: frame})
	if err != nil {
		panic(err)
	}
	return &remote.MessageBatch{
		TypeNames: []string{frameType}, Targets: []*actor.PID{{Address: "anywhere:1", Id: ingressID}},
		Envelopes: []*remote.MessageEnvelope{{MessageData: data}},
	}
}

// carrying is a batch whose message is another one.
func carrying(target string, m proto.Message) *remote.MessageBatch {
	data, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return &remote.MessageBatch{
		TypeNames: []string{string(proto.MessageName(m))}, Targets: []*actor.PID{{Id: target}},
		Envelopes: []*remote.MessageEnvelope{{MessageData: data}},
	}
}

// with changes a legal batch.
func with(change func(b *remote.MessageBatch, e *remote.MessageEnvelope)) *remote.RemoteMessage {
	b := legal([]byte("frame"))
	change(b, b.Envelopes[0])
	return batchOf(b)
}

// attacks are messages that end a process, an actor or a peer's peace when
// proto.actor sees them, and relatives of them.
var attacks = []struct {
	name   string
	reason abuse
	attack *remote.RemoteMessage
}{
	{"no message", abuseMessage, &remote.RemoteMessage{}},
	{"second greeting", abuseGreeting, greeting()},
	{"disconnect request", abuseMessage, &remote.RemoteMessage{MessageType: &remote.RemoteMessage_DisconnectRequest{DisconnectRequest: &remote.DisconnectRequest{}}}},
	{"answer to a greeting", abuseMessage, &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectResponse{ConnectResponse: &remote.ConnectResponse{}}}},
	{"target index above", abuseTarget, with(func(_ *remote.MessageBatch, e *remote.MessageEnvelope) { e.Target = 1 })},
	{"target index below", abuseTarget, with(func(_ *remote.MessageBatch, e *remote.MessageEnvelope) { e.Target = -1 })},
	{"target request id", abuseTarget, with(func(_ *remote.MessageBatch, e *remote.MessageEnvelope) { e.TargetRequestId = 7 })},
	{"no target", abuseTarget, with(func(b *remote.MessageBatch, _ *remote.MessageEnvelope) { b.Targets = nil })},
	{"two targets", abuseTarget, with(func(b *remote.MessageBatch, _ *remote.MessageEnvelope) {
		b.Targets = append(b.Targets, &actor.PID{Id: "x"})
	})},
	{"other target", abuseTarget, with(func(b *remote.MessageBatch, _ *remote.MessageEnvelope) { b.Targets[0].Id = "sequencer" })},
	{"another peer's mailbox", abuseTarget, with(func(b *remote.MessageBatch, _ *remote.MessageEnvelope) { b.Targets[0].Id = ingressID + "/0" })},
	{"type index above", abuseType, with(func(_ *remote.MessageBatch, e *remote.MessageEnvelope) { e.TypeId = 1 })},
	{"type index below", abuseType, with(func(_ *remote.MessageBatch, e *remote.MessageEnvelope) { e.TypeId = -1 })},
	{"no type", abuseType, with(func(b *remote.MessageBatch, _ *remote.MessageEnvelope) { b.TypeNames = nil })},
	{"unknown type", abuseType, with(func(b *remote.MessageBatch, _ *remote.MessageEnvelope) { b.TypeNames[0] = "no.such.Type" })},
	{"two types", abuseType, with(func(b *remote.MessageBatch, _ *remote.MessageEnvelope) {
		b.TypeNames = append(b.TypeNames, "actor.PoisonPill")
	})},
	{"sender index", abuseSender, with(func(_ *remote.MessageBatch, e *remote.MessageEnvelope) { e.Sender = 9 })},
	{"sender below", abuseSender, with(func(_ *remote.MessageBatch, e *remote.MessageEnvelope) { e.Sender = -1 })},
	{"sender", abuseSender, with(func(b *remote.MessageBatch, e *remote.MessageEnvelope) {
		b.Senders, e.Sender = []*actor.PID{{Address: "127.0.0.1:1", Id: "canary"}}, 1
	})},
	{"serializer", abuseSerializer, with(func(_ *remote.MessageBatch, e *remote.MessageEnvelope) { e.SerializerId = 7 })},
	{"serializer below", abuseSerializer, with(func(_ *remote.MessageBatch, e *remote.MessageEnvelope) { e.SerializerId = -1 })},
	{"json serializer", abuseSerializer, with(func(_ *remote.MessageBatch, e *remote.MessageEnvelope) { e.SerializerId = 1 })},
	{"header", abuseHeader, with(func(_ *remote.MessageBatch, e *remote.MessageEnvelope) {
		e.MessageHeader = &remote.MessageHeader{HeaderData: map[string]string{"peer": "0"}}
	})},
	{"payload of no message", abusePayload, with(func(_ *remote.MessageBatch, e *remote.MessageEnvelope) { e.MessageData = []byte{0xff} })},
	{"length beyond the payload", abusePayload, with(func(_ *remote.MessageBatch, e *remote.MessageEnvelope) {
		e.MessageData = []byte{0x0a, 0xff, 0xff, 0xff, 0x7f}
	})},
	{"bytes behind the frame", abusePayload, with(func(_ *remote.MessageBatch, e *remote.MessageEnvelope) {
		e.MessageData = append(e.MessageData, 0x10, 0x01)
	})},
	{"frame too large", abuseSize, batchOf(legal(make([]byte, messages.FrameBytesMax+1)))},
	{"batch too large", abuseSize, batchOf(legal(make([]byte, 2*messages.FrameBytesMax)))},
	{"too many frames", abuseEnvelopes, with(func(b *remote.MessageBatch, e *remote.MessageEnvelope) {
		for range batchEnvelopes {
			b.Envelopes = append(b.Envelopes, e)
		}
	})},
	{"terminated", abuseType, batchOf(carrying(ingressID, &actor.Terminated{}))},
	{"terminated endpoint", abuseType, batchOf(carrying("EndpointSupervisor", &actor.Terminated{Who: &actor.PID{Id: ingressID}}))},
	{"message to a guardian", abuseTarget, with(func(b *remote.MessageBatch, _ *remote.MessageEnvelope) { b.Targets[0].Id = "guardian$1" })},
	{"poison pill", abuseType, batchOf(carrying(ingressID, &actor.PoisonPill{}))},
	{"stop", abuseType, batchOf(carrying(ingressID, &actor.Stop{}))},
	{"watch", abuseType, batchOf(carrying(ingressID, &actor.Watch{Watcher: &actor.PID{Address: "127.0.0.1:1", Id: "x"}}))},
	{"remote spawn", abuseType, batchOf(carrying("activator", &remote.ActorPidRequest{Name: "x", Kind: "y"}))},
}

// The frame that is sent with each attack must not arrive either, and all goes
// on afterwards.
func TestGate(t *testing.T) {
	cfg := members(t, 3)
	got := count(&cfg[0])
	victim, friend := start(t, cfg[0]), start(t, cfg[2])
	got.attach(victim)
	friend.meet(0)
	for i, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			before := got.drops("", string(a.reason))
			h := infiltrate(t, cfg[1], 0, true)
			h.send(a.attack)
			if err := h.expelled(); status.Code(err) != codes.InvalidArgument && status.Code(err) != codes.ResourceExhausted {
				t.Errorf("the stream ended with %v", err)
			}
			if n := got.drops("", string(a.reason)); n != before+1 {
				t.Errorf("%d attacks were counted as %q, want one", n-before, a.reason)
			}
			friend.Send(0, LaneVotes, []byte{byte(i)})
			if in := victim.receive(1); len(in) != 1 || in[0].From != 2 || in[0].Frame[0] != byte(i) {
				t.Errorf("%d frames came, the first from %d", len(in), in[0].From)
			}
		})
	}
	if n := got.read(func() int { return got.received[1] }); n != 0 {
		t.Errorf("%d bytes of the attacker were delivered", n)
	}
}

func TestGateWantsGreetingFirst(t *testing.T) {
	cfg := members(t, 2)
	got := count(&cfg[0])
	victim := start(t, cfg[0])
	h := infiltrate(t, cfg[1], 0, false)
	h.send(batchOf(legal([]byte("frame"))))
	if err := h.expelled(); status.Code(err) != codes.InvalidArgument {
		t.Errorf("the stream ended with %v", err)
	}
	client := &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
		ConnectionType: &remote.ConnectRequest_ClientConnection{ClientConnection: &remote.ClientConnection{}},
	}}}
	h = infiltrate(t, cfg[1], 0, false)
	h.send(client)
	if err := h.expelled(); status.Code(err) != codes.InvalidArgument {
		t.Errorf("the stream of a client ended with %v", err)
	}
	if n := got.drops("", string(abuseGreeting)); n != 2 {
		t.Errorf("%d counted, want 2", n)
	}
	victim.mu.Lock()
	defer victim.mu.Unlock()
	if len(victim.in) > 0 {
		t.Error("a frame without a greeting was delivered")
	}
}

// The same path that refuses attacks lets members through: frames of a raw
// client arrive under the name of its certificate.
func TestGateNamesTheSender(t *testing.T) {
	cfg := members(t, 3)
	victim := start(t, cfg[0])
	for _, i := range []messages.Index{1, 2} {
		h := infiltrate(t, cfg[i], 0, true)
		h.send(batchOf(legal([]byte("frame"))))
		if got := victim.receive(1); got[0].From != i {
			t.Errorf("a frame of member %d arrived from %d", i, got[0].From)
		}
	}
}

func TestGateRefusesUnaryCalls(t *testing.T) {
	cfg := members(t, 2)
	got := count(&cfg[0])
	start(t, cfg[0])
	for name, call := range map[string]func(ctx context.Context, c remote.RemotingClient) error{
		"ListProcesses": func(ctx context.Context, c remote.RemotingClient) error {
			_, err := c.ListProcesses(ctx, &remote.ListProcessesRequest{})
			return err
		},
		"GetProcessDiagnostics": func(ctx context.Context, c remote.RemotingClient) error {
			_, err := c.GetProcessDiagnostics(ctx, &remote.GetProcessDiagnosticsRequest{})
			return err
		},
	} {
		h := infiltrate(t, cfg[1], 0, true)
		if err := h.stream.CloseSend(); err != nil { // one stream at a time
			t.Fatal(err)
		}
		if err := h.expelled(); err == nil || !strings.Contains(err.Error(), "EOF") {
			t.Fatalf("the stream ended with %v", err)
		}
		if err := call(t.Context(), remote.NewRemotingClient(h.conn)); status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s gives %v", name, err)
		}
	}
	if n := got.drops("", string(abuseUnary)); n != 2 {
		t.Errorf("%d calls were counted, want 2", n)
	}
}

// One connection a member: a newer one replaces the older.
func TestGateKeepsOneConnectionAMember(t *testing.T) {
	cfg := members(t, 2)
	victim := start(t, cfg[0])
	older := infiltrate(t, cfg[1], 0, true)
	newer := infiltrate(t, cfg[1], 0, true)
	if err := older.expelled(); status.Code(err) != codes.Unavailable {
		t.Errorf("the older connection ended with %v", err)
	}
	newer.send(batchOf(legal([]byte("frame"))))
	victim.receive(1)
}

// A panic behind the gate ends the stream, not the process.
func TestGateRecovers(t *testing.T) {
	cfg := members(t, 2)
	got := count(&cfg[0])
	r, err := NewRemote(cfg[0])
	if err != nil {
		t.Fatal(err)
	}
	stream := &fakeStream{ctx: contextOf(1)}
	err = r.guardStream(nil, stream, nil, func(any, grpc.ServerStream) error { panic(errors.New("behind the gate")) })
	if status.Code(err) != codes.Internal || got.drops("", string(abusePanic)) != 1 {
		t.Errorf("a panic gives %v, counted %d times", err, got.drops("", string(abusePanic)))
	}
	if err := r.guardStream(nil, &fakeStream{ctx: context.Background()}, nil, nil); status.Code(err) != codes.Unauthenticated {
		t.Errorf("a stream of nobody gives %v", err)
	}
}

func FuzzFrameBytes(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x0a, 1, 'x'})
	f.Add([]byte{0x0a, 0x80, 0x80, 0x80, 0x80, 0x10})
	f.Add([]byte{0x0a, 0, 0x0a, 1, 'x'})
	f.Fuzz(func(t *testing.T, data []byte) {
		n, ok := frameBytes(data)
		if !ok {
			return
		}
		var value wrapperspb.BytesValue
		if err := proto.Unmarshal(data, &value); err != nil {
			t.Fatalf("%x passed the gate and does not decode: %v", data, err)
		}
		if len(value.Value) != n || len(value.ProtoReflect().GetUnknown()) > 0 || n > len(data) {
			t.Fatalf("%x was charged %d bytes and has %d", data, n, len(value.Value))
		}
		if n > 0 && !bytes.HasSuffix(data, value.Value) {
			t.Fatalf("%x decodes to %x", data, value.Value)
		}
	})
}

// A panic on delivery once kept the credit of the whole batch: eight of them cut
// the peer off until a restart.
func TestGatePanicKeepsNoCredit(t *testing.T) {
	cfg := members(t, 2)
	r, err := NewRemote(cfg[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(func(msg any) {
		if _, ok := msg.(*Inbound); ok {
			panic("behind the gate")
		}
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	})
	h := infiltrate(t, cfg[1], 0, true)
	b := legal(make([]byte, 16<<10))
	for range 15 {
		b.Envelopes = append(b.Envelopes, b.Envelopes[0])
	}
	h.send(batchOf(b))
	if err := h.expelled(); status.Code(err) != codes.Internal {
		t.Errorf("the stream ended with %v", err)
	}
	c := &r.mailboxes[1].credit
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used != 0 {
		t.Errorf("%d bytes of credit are gone for good", c.used)
	}
}
