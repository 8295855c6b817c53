package cluster

import (
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/messages"
)

// addressConn is a connection from an address, without a network.
type addressConn struct {
	net.Conn
	from   string
	closed bool
}

func (c *addressConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from))
}
func (c *addressConn) Close() error             { c.closed = true; return nil }
func (c *addressConn) Read([]byte) (int, error) { return 1, nil }

// Who loses his place when there is none left: here four of two peers and two
// more.
func TestHandshakesTakePlaces(t *testing.T) {
	for _, c := range []struct {
		name    string
		peers   []string // the addresses of members 1 and 2
		seen    []string // where they proved themselves later, "" for nowhere
		callers []string // in their order
		begun   []int    // callers that begin their handshake as soon as they come
		closed  []int    // places in callers
	}{
		{
			name: "there is room", peers: []string{"10.0.0.1:1", "10.0.0.2:1"},
			callers: []string{"9.9.9.9:1", "9.9.9.9:2", "9.9.9.9:3", "9.9.9.9:4"},
		}, {
			name: "one host loses its oldest", peers: []string{"10.0.0.1:1", "10.0.0.2:1"},
			callers: []string{"9.9.9.9:1", "9.9.9.9:2", "9.9.9.9:3", "9.9.9.9:4", "9.9.9.9:5", "9.9.9.9:6"},
			closed:  []int{0, 1},
		}, {
			name: "who has begun loses after who says nothing", peers: []string{"10.0.0.1:1", "10.0.0.2:1"},
			callers: []string{"10.0.0.1:1", "10.0.0.1:7", "10.0.0.1:2", "10.0.0.1:3", "10.0.0.1:4", "10.0.0.1:5", "10.0.0.1:6"},
			begun:   []int{1},
			closed:  []int{0, 2, 3},
		}, {
			name: "beginning is no right to stay", peers: []string{"10.0.0.1:1", "10.0.0.2:1"},
			callers: []string{"9.9.9.9:1", "9.9.9.9:2", "9.9.9.9:3", "9.9.9.9:4", "9.9.9.9:5", "9.9.9.9:6"},
			begun:   []int{0, 1, 2, 3, 5},
			closed:  []int{0, 4},
		}, {
			name: "a host that holds too much loses before a silent one", peers: []string{"10.0.0.1:1", "10.0.0.2:1"},
			callers: []string{"8.8.8.8:1", "9.9.9.9:1", "9.9.9.9:2", "9.9.9.9:3", "9.9.9.9:4"},
			begun:   []int{1, 2, 3, 4},
			closed:  []int{1},
		}, {
			name: "a flood takes nothing from another stranger", peers: []string{"10.0.0.1:1", "10.0.0.2:1"},
			callers: []string{"8.8.8.8:1", "9.9.9.9:1", "9.9.9.9:2", "9.9.9.9:3", "9.9.9.9:4", "9.9.9.9:5"},
			closed:  []int{1, 2},
		}, {
			name: "many hosts take nothing from members", peers: []string{"10.0.0.1:1", "10.0.0.2:1"},
			callers: []string{"10.0.0.1:7", "10.0.0.2:7", "9.9.9.1:1", "9.9.9.2:1", "9.9.9.3:1", "9.9.9.4:1"},
			closed:  []int{2, 3},
		}, {
			name: "members at one host have a place each", peers: []string{"10.0.0.1:1", "10.0.0.1:2"},
			callers: []string{"10.0.0.1:7", "10.0.0.1:8", "9.9.9.1:1", "9.9.9.2:1", "9.9.9.3:1"},
			closed:  []int{2},
		}, {
			name: "a host of members has no more places than members", peers: []string{"10.0.0.1:1", "10.0.0.1:2"},
			callers: []string{"10.0.0.1:7", "10.0.0.1:8", "10.0.0.1:9", "10.0.0.1:10", "9.9.9.9:1"},
			closed:  []int{0},
		}, {
			name: "names are learned", peers: []string{"one:1", "two:1"}, seen: []string{"10.0.0.1:55", "10.0.0.2:56"},
			callers: []string{"10.0.0.1:7", "10.0.0.2:7", "9.9.9.1:1", "9.9.9.2:1", "9.9.9.3:1"},
			closed:  []int{2},
		}, {
			name: "a member moves", peers: []string{"10.0.0.1:1", "10.0.0.2:1"}, seen: []string{"10.0.0.7:55", ""},
			callers: []string{"10.0.0.1:7", "10.0.0.7:7", "9.9.9.1:1", "9.9.9.2:1", "9.9.9.3:1"},
			closed:  []int{0},
		}, {
			name: "a network of IPv6 is one host", peers: []string{"[2001:db8:1::1]:1", "10.0.0.2:1"},
			callers: []string{"[2001:db8:1::9]:7", "[2001:db8:2::1]:1", "[2001:db8:2::2]:1", "[::ffff:10.0.0.2]:7", "[2001:db8:2::3]:1"},
			closed:  []int{1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := RemoteConfig{Self: 0, Peers: []Peer{{Address: "10.0.0.100:1"}, {Address: c.peers[0]}, {Address: c.peers[1]}}}
			cfg.Limits.Handshakes = 2
			p := newHandshakes(&cfg)
			for i, from := range c.seen {
				if from != "" {
					p.seen(messages.Index(i+1), (&addressConn{from: from}).RemoteAddr())
				}
			}
			conns, places := make([]*addressConn, len(c.callers)), make([]*handshake, len(c.callers))
			for i, from := range c.callers {
				conns[i] = &addressConn{from: from}
				places[i] = p.enter(conns[i])
				if slices.Contains(c.begun, i) {
					_, _ = places[i].Read(make([]byte, 1))
				}
			}
			for i, place := range places {
				closed := slices.Contains(c.closed, i)
				if conns[i].closed != closed {
					t.Errorf("connection %d from %s: closed is %v, want %v", i, c.callers[i], conns[i].closed, closed)
				}
				if kept := p.leave(place); kept == closed {
					t.Errorf("connection %d from %s: kept its place is %v, want %v", i, c.callers[i], kept, !closed)
				}
			}
			if len(p.pending) > 0 {
				t.Errorf("%d places are still taken", len(p.pending))
			}
		})
	}
}

// Connections that prove nothing hold a bounded number of places, for a bounded
// time.
func TestDoorBoundsHandshakes(t *testing.T) {
	cfg := members(t, 2)
	cfg[0].Limits.Handshakes = 2
	cfg[0].Limits.HandshakeTimeout = 500 * time.Millisecond
	got := count(&cfg[0])
	victim := start(t, cfg[0])
	got.attach(victim)
	for range 7 { // silent connections
		conn, err := net.Dial("tcp", cfg[0].Listen)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	victim.wait("four to be turned away", func() bool { return got.refusals("too many handshakes") == 4 })
	victim.wait("three to run out of time", func() bool { return got.refusals("handshake") == 3 })
	start(t, cfg[1]).meet(0)
}

// Strangers that connect, say nothing, and come back as soon as they are thrown
// out hold every place there is, and members come in all the same, even from the
// strangers' host.
func TestDoorUnderFlood(t *testing.T) {
	cfg := members(t, 2)
	cfg[0].Limits.HandshakeTimeout = time.Hour // nobody makes room by himself
	cfg[0].Limits.Handshakes = 8
	got := count(&cfg[0])
	victim := start(t, cfg[0])
	got.attach(victim)
	flood(t, cfg[0].Listen, 10)
	victim.wait("the strangers to hold every place", func() bool { return got.refusals("too many handshakes") > 0 })
	member := start(t, cfg[1])
	member.meet(0)
	victim.meet(1)
	member.Send(0, LaneVotes, []byte("vote"))
	victim.receive(1)
}

// flood keeps a number of silent connections to an address until the test ends.
func flood(t *testing.T, address string, strangers int) {
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	t.Cleanup(wait.Wait)
	t.Cleanup(cancel)
	for range strangers {
		wait.Go(func() {
			for ctx.Err() == nil {
				conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
				if err != nil {
					continue
				}
				stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
				_, _ = io.Copy(io.Discard, conn) // until thrown out
				stop()
				_ = conn.Close()
			}
		})
	}
}

// advanced is the real clock, put forward.
type advanced struct {
	runtime.Clock
	mu sync.Mutex
	by time.Duration
}

func (c *advanced) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Clock.Now().Add(c.by)
}

func (c *advanced) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by += by
}

// A peer that was away is dialled when it comes back, not when a long pause is
// over.
func TestRemoteDialsWhoReturns(t *testing.T) {
	cfg := members(t, 2)
	clock := &advanced{Clock: runtime.RealClock()}
	cfg[0].Clock = clock
	cfg[0].Limits.BackoffMin, cfg[0].Limits.BackoffMax = time.Hour, time.Hour
	a := start(t, cfg[0])
	a.wait("the attempt to fail", func() bool {
		return len(a.peer) == 1 && strings.Contains(a.peer[0].Reason, "does not answer")
	})
	clock.advance(time.Hour) // timers do not notice
	start(t, cfg[1])
	a.meet(1)
}
