package cluster

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/cretoai/consensus/actors/runtime"
)

// oddPeer is a member that has the right key and its own idea of the channel.
type oddPeer struct {
	remote.UnimplementedRemotingServer
	streams atomic.Int32
	serve   func(number int32, stream remote.Remoting_ReceiveServer) error
}

func (p *oddPeer) Receive(stream remote.Remoting_ReceiveServer) error {
	return p.serve(p.streams.Add(1), stream)
}

// impersonate runs an odd peer as a member until the end of the test.
func impersonate(t *testing.T, cfg RemoteConfig, serve func(int32, remote.Remoting_ReceiveServer) error) {
	t.Helper()
	ids, err := newIdentities(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(ids.accept())))
	remote.RegisterRemotingServer(s, &oddPeer{serve: serve})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// answer takes the greeting and answers it.
func answer(stream remote.Remoting_ReceiveServer) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	return stream.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectResponse{ConnectResponse: &remote.ConnectResponse{}}})
}

// However a connection ends, the next one is made, and traffic goes on. A clean
// end once silenced a peer for good; failures before the answer made
// proto.actor sleep.
func TestSessionSurvivesOddPeers(t *testing.T) {
	for name, odd := range map[string]func(remote.Remoting_ReceiveServer) error{
		"ends cleanly": answer,
		"ends before the answer": func(stream remote.Remoting_ReceiveServer) error {
			_, err := stream.Recv()
			return err
		},
		"ends at once": func(remote.Remoting_ReceiveServer) error { return nil },
		"asks to disconnect": func(stream remote.Remoting_ReceiveServer) error {
			if err := answer(stream); err != nil {
				return err
			}
			if err := stream.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_DisconnectRequest{DisconnectRequest: &remote.DisconnectRequest{}}}); err != nil {
				return err
			}
			<-stream.Context().Done()
			return nil
		},
		"never answers": func(stream remote.Remoting_ReceiveServer) error {
			<-stream.Context().Done()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := members(t, 2)
			cfg[0].Limits.HandshakeTimeout = 500 * time.Millisecond
			third, came := make(chan struct{}), make(chan []byte, 1)
			impersonate(t, cfg[1], func(number int32, stream remote.Remoting_ReceiveServer) error {
				if number < 3 {
					return odd(stream)
				}
				close(third)
				return receiveOne(stream, came)
			})
			n := start(t, cfg[0])
			wait := time.After(waitMax)
			select {
			case <-third:
			case <-wait:
				t.Fatal("no third connection")
			}
			n.meet(1)
			if name == "never answers" {
				n.wait("a reason that says so", func() bool { return strings.Contains(n.peer[0].Reason, errSilent.Error()) })
			}
			n.Send(1, LaneVotes, []byte("frame"))
			select {
			case data := <-came:
				if !bytes.HasSuffix(data, []byte("frame")) {
					t.Errorf("got %q", data)
				}
			case <-wait:
				t.Fatal("no traffic after the odd connections")
			}
		})
	}
}

// receiveOne answers the greeting, hands over the first frame, and stays.
func receiveOne(stream remote.Remoting_ReceiveServer, came chan<- []byte) error {
	if err := answer(stream); err != nil {
		return err
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, e := range m.GetMessageBatch().GetEnvelopes() {
			if len(e.MessageData) > 0 {
				came <- e.MessageData
			}
		}
	}
}

// lateNews is the real clock. It spreads the news of an endpoint's end when the
// first attempt has just begun.
type lateNews struct {
	runtime.Clock
	handshake time.Duration
	once      sync.Once
	spread    func()
}

func (c *lateNews) AfterFunc(d time.Duration, f func()) runtime.Timer {
	if d == c.handshake {
		c.once.Do(c.spread)
	}
	return c.Clock.AfterFunc(d, f)
}

// TestSessionIsNotEndedByNewsOfAnother: proto.actor names a connection that
// ended by its address, and then ends the one there is by now. One that had just
// begun made its successor when it was through, and ended it by its own end: so
// it went on for ever, several times a second.
func TestSessionIsNotEndedByNewsOfAnother(t *testing.T) {
	cfg := members(t, 2)
	cfg[0].Limits.HandshakeTimeout = waitMax
	clock := &lateNews{Clock: runtime.RealClock(), handshake: waitMax}
	cfg[0].Clock = clock
	opened, came := make(chan int32, 1000), make(chan []byte, 1)
	impersonate(t, cfg[1], func(number int32, stream remote.Remoting_ReceiveServer) error {
		opened <- number
		return receiveOne(stream, came)
	})
	r, err := NewRemote(cfg[0])
	if err != nil {
		t.Fatal(err)
	}
	clock.spread = func() {
		r.system.EventStream.Publish(&remote.EndpointTerminatedEvent{Address: cfg[1].Listen})
	}
	n := run(t, r)
	wait := time.After(waitMax)
	for frames := 0; frames < 2000; {
		n.Send(1, LaneVotes, []byte("frame"))
		select {
		case <-came:
			frames++
		case number := <-opened: // a frame may have been lost with the last one
			if number > 8 {
				t.Fatalf("connection %d after %d frames", number, frames)
			}
		case <-wait:
			t.Fatalf("%d frames in %v", frames, waitMax)
		}
	}
}
