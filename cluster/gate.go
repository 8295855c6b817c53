package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/cretoai/consensus/messages"
)

// The gate stands between gRPC and proto.actor, which trusts its peers: an
// index out of range, an unknown type or an unimplemented call ends the
// process, and a Stop ends any actor. It lets pass one greeting and then
// batches of frames, rewritten so that they can reach the sender's mailbox
// only. Anything else ends the connection.

// abuse is what no member's program sends; the label of a counter.
type abuse string

// Kinds of abuse.
const (
	noAbuse         abuse = ""
	abuseUnary      abuse = "unary call"
	abuseGreeting   abuse = "greeting"
	abuseMessage    abuse = "unknown message"
	abuseEnvelopes  abuse = "too many envelopes"
	abuseSerializer abuse = "serializer"
	abuseType       abuse = "type"
	abuseTarget     abuse = "target"
	abuseSender     abuse = "sender"
	abuseHeader     abuse = "header"
	abuseSize       abuse = "oversized"
	abusePayload    abuse = "payload"
	abusePanic      abuse = "panic"
)

// refuseUnary lets no call but the stream through: proto.actor panics in each.
func (r *Remote) refuseUnary(ctx context.Context, _ any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
	if m, ok := r.mailboxOf(ctx); ok {
		r.abused(m.peer, abuseUnary, errors.New(info.FullMethod))
	}
	return nil, status.Error(codes.PermissionDenied, "members exchange frames and make no calls")
}

// guardStream runs proto.actor's endpoint reader behind the gate.
func (r *Remote) guardStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	m, ok := r.mailboxOf(stream.Context())
	if !ok {
		return status.Error(codes.Unauthenticated, "the connection belongs to no member")
	}
	defer func() {
		if p := recover(); p != nil {
			r.abused(m.peer, abusePanic, fmt.Errorf("%v", p))
			err = status.Error(codes.Internal, "the stream failed")
		}
	}()
	return handler(srv, &guardedStream{ServerStream: stream, remote: r, mailbox: m})
}

// mailboxOf finds the member a connection was authenticated as.
func (r *Remote) mailboxOf(ctx context.Context) (*mailbox, bool) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil, false
	}
	info, ok := p.AuthInfo.(memberInfo)
	if !ok {
		return nil, false
	}
	return r.mailboxes[info.member], true
}

// guardedStream is the stream as proto.actor sees it.
type guardedStream struct {
	grpc.ServerStream
	remote  *Remote
	mailbox *mailbox
	greeted bool
	in      incoming
}

// RecvMsg implements grpc.ServerStream. It waits until the peer's earlier
// frames are worked off: meanwhile HTTP/2 stops this peer, and only this one.
func (s *guardedStream) RecvMsg(m any) error {
	// A greeting costs nothing: a peer that waits for credit is not unreachable.
	if s.greeted && !s.mailbox.credit.wait(s.Context().Done()) {
		return s.Context().Err()
	}
	message, ok := m.(*remote.RemoteMessage)
	if !ok {
		return status.Error(codes.Internal, "a stream carries RemoteMessages")
	}
	if err := s.ServerStream.RecvMsg(&s.in); err != nil {
		if status.Code(err) == codes.ResourceExhausted {
			s.remote.abused(s.mailbox.peer, abuseSize, err)
		}
		return err
	}
	if err := s.in.decode(message); err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	if a := s.check(message); a != noAbuse {
		s.remote.abused(s.mailbox.peer, a, nil)
		return status.Error(codes.InvalidArgument, "against the channel's rules: "+string(a))
	}
	return nil
}

// check lets one greeting pass and then batches.
func (s *guardedStream) check(message *remote.RemoteMessage) abuse {
	switch t := message.MessageType.(type) {
	case *remote.RemoteMessage_ConnectRequest:
		if s.greeted || t.ConnectRequest.GetServerConnection() == nil {
			return abuseGreeting
		}
		s.greeted = true
		return noAbuse
	case *remote.RemoteMessage_MessageBatch:
		if !s.greeted {
			return abuseGreeting
		}
		if a := checkBatch(t.MessageBatch); a != noAbuse {
			return a
		}
		// Whatever the batch says, it goes to the sender's mailbox.
		t.MessageBatch.Targets = []*actor.PID{s.mailbox.pid}
		return noAbuse
	}
	return abuseMessage
}

// checkBatch holds a batch to what we send ourselves.
func checkBatch(b *remote.MessageBatch) abuse {
	switch {
	case len(b.Envelopes) > batchEnvelopes:
		return abuseEnvelopes
	case len(b.TypeNames) != 1 || b.TypeNames[0] != frameType:
		return abuseType
	case len(b.Targets) != 1 || b.Targets[0].GetId() != ingressID || b.Targets[0].RequestId != 0:
		return abuseTarget
	case len(b.Senders) != 0:
		return abuseSender
	}
	for _, e := range b.Envelopes {
		if a := checkEnvelope(e); a != noAbuse {
			return a
		}
	}
	return noAbuse
}

func checkEnvelope(e *remote.MessageEnvelope) abuse {
	if a := checkEnvelopeHead(e); a != noAbuse {
		return a
	}
	if len(e.MessageData) > envelopeBytesMax {
		return abuseSize
	}
	n, ok := frameBytes(e.MessageData)
	if !ok {
		return abusePayload
	}
	if n > messages.FrameBytesMax {
		return abuseSize
	}
	return noAbuse
}

// checkEnvelopeHead holds all but the frame of an envelope to what we send.
func checkEnvelopeHead(e *remote.MessageEnvelope) abuse {
	switch {
	case e.SerializerId != 0:
		return abuseSerializer
	case e.TypeId != 0:
		return abuseType
	case e.Target != 0 || e.TargetRequestId != 0:
		return abuseTarget
	case e.Sender != 0 || e.SenderRequestId != 0:
		return abuseSender
	case e.MessageHeader != nil:
		return abuseHeader
	}
	return noAbuse
}
