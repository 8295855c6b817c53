package cluster

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cretoai/consensus/actors/runtime"
)

// session is one attempt to reach a peer and, if it succeeds, the connection:
// the client's side of proto.actor's stream. proto.actor's writer sends the
// greeting, receives the answer, then sends batches while a goroutine of its
// own waits in RecvMsg for the end.
//
// Failures before the answer are kept until that wait: told at once, they would
// make the writer sleep for two seconds, and Stop wait for it. And the wait
// itself ends cleanly whatever happened: of a failure proto.actor tells the
// world, by the peer's address, and ends the connection there is by then. If
// that has just begun, it makes another when it is through, ends, and tells of
// that. So the link alone decides: it makes proto.actor forget a connection
// before the next attempt.
type session struct {
	grpc.ClientStream // nil if no stream came about
	link              *link
	conn              io.Closer // what gRPC would dial again by itself, until proto.actor forgets it
	cancel            context.CancelFunc
	timeout           runtime.Timer // cancels, unless the answer comes in time

	mu       sync.Mutex
	answered bool
	failed   error
}

var errSilent = errors.New("it takes connections and does not answer in time")

// openStream is the interceptor that puts sessions around the streams of
// proto.actor.
func (r *Remote) openStream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string,
	streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	l := r.linkTo(cc.Target())
	if l == nil {
		return nil, status.Error(codes.PermissionDenied, "no member has the address "+cc.Target())
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &session{link: l, conn: cc, cancel: cancel}
	if !l.begin(s) {
		_ = s.fail(errors.New("the transport was stopped")) // RecvMsg tells
		return s, nil
	}
	s.timeout = r.cfg.Clock.AfterFunc(r.cfg.Limits.HandshakeTimeout, func() {
		l.note(errSilent)
		cancel()
	})
	stream, err := streamer(ctx, desc, cc, method, opts...)
	if err != nil {
		_ = s.fail(err) // RecvMsg tells
		return s, nil
	}
	s.ClientStream = stream
	return s, nil
}

// fail keeps the first error and ends the attempt.
func (s *session) fail(err error) error {
	s.mu.Lock()
	first := s.failed == nil
	if first {
		if errors.Is(err, io.EOF) {
			err = status.Error(codes.Unavailable, "the peer closed the connection")
		}
		s.failed = err
	}
	err = s.failed
	s.mu.Unlock()
	s.cancel()
	s.link.ended(s, err)
	if first {
		_ = s.conn.Close() // of a connection that is over anyway
	}
	return err
}

func (s *session) state() (answered bool, failed error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answered, s.failed
}

// SendMsg implements grpc.ClientStream.
func (s *session) SendMsg(m any) error {
	answered, failed := s.state()
	if failed == nil {
		err := s.ClientStream.SendMsg(m)
		if err == nil {
			s.link.accepted(s, frames(m))
			return nil
		}
		// EOF means that the stream has ended: RecvMsg tells why, and fails.
		if failed = err; !errors.Is(err, io.EOF) {
			failed = s.fail(err)
		}
	}
	if !answered {
		return nil
	}
	return failed
}

// RecvMsg implements grpc.ClientStream.
func (s *session) RecvMsg(m any) error {
	answered, failed := s.state()
	if failed == nil {
		if err := s.ClientStream.RecvMsg(m); err != nil {
			failed = s.fail(err)
		}
	}
	if answered {
		if failed == nil { // a second answer means that the peer shuts down
			_ = s.fail(io.EOF)
		}
		return io.EOF
	}
	s.mu.Lock()
	s.answered = true
	s.mu.Unlock()
	if s.timeout != nil {
		s.timeout.Stop()
	}
	if failed == nil {
		s.link.greeted(s)
	} else if answer, ok := m.(*remote.RemoteMessage); ok {
		answer.MessageType = &remote.RemoteMessage_ConnectResponse{ConnectResponse: &remote.ConnectResponse{}}
	}
	return nil
}

// CloseSend implements grpc.ClientStream.
func (s *session) CloseSend() error {
	if s.ClientStream == nil {
		return nil
	}
	return s.ClientStream.CloseSend()
}

// frames counts the frames of a batch, knocks left out.
func frames(m any) (n int) {
	message, ok := m.(*remote.RemoteMessage)
	if !ok {
		return 0
	}
	for _, e := range message.GetMessageBatch().GetEnvelopes() {
		if len(e.MessageData) > 0 {
			n++
		}
	}
	return n
}
