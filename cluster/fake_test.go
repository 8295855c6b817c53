package cluster

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"

	"github.com/cretoai/consensus/messages"
)

// fakeStream is a server's stream without a network.
type fakeStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *fakeStream) Context() context.Context { return s.ctx }

// contextOf is the context of a stream on a member's connection.
func contextOf(member messages.Index) context.Context {
	return peer.NewContext(context.Background(), &peer.Peer{AuthInfo: memberInfo{member: member}})
}
