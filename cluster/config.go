package cluster

import (
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/messages"
)

// Peer is a member as the network knows it.
type Peer struct {
	// Address is host:port, where the others reach the member.
	Address string
	// ChannelKey authenticates the member's connections; the genesis lists it.
	ChannelKey ed25519.PublicKey
	// Name is what people call the member; it is for the log only.
	Name string
}

// RemoteConfig says who we are, who the others are, and what they may cost us.
type RemoteConfig struct {
	// Self is our place in Peers.
	Self messages.Index
	// Peers are all members in the order of the genesis, ourselves included.
	Peers []Peer
	// Listen is the address, host:port, to listen on. An empty host listens on
	// every interface.
	Listen string
	// Key is the private half of our ChannelKey.
	Key ed25519.PrivateKey
	// ChainHash tells our chain from others, in certificates and their refusals.
	ChainHash messages.Digest
	// Observer counts; the zero value counts nothing.
	Observer Observer
	// Logger gets the story of the connections; required.
	Logger *slog.Logger

	// Limits bound what peers cost; zero fields take their defaults.
	Limits Limits
	// Clock times reconnection; default runtime.RealClock().
	Clock runtime.Clock
	// Rand spreads reconnection; default runtime.SecureRand().
	Rand runtime.Rand
}

// Limits bound the memory and time a peer can cost.
type Limits struct {
	// VoteBytes, ViewChangeBytes, BatchBytes and BulkBytes bound what waits for
	// one peer in each lane. Votes: 4 MiB, view changes: 8 MiB, batches: 16 MiB,
	// bulk: 8 MiB. Below FrameBytesMax a lane loses its largest frames.
	VoteBytes, ViewChangeBytes, BatchBytes, BulkBytes int
	// FlightBytes bounds what was handed to a connection and not yet accepted by
	// it; default 512 KiB, at most messages.FrameBytesMax, which the other side
	// takes as one message. Urgent frames wait behind this much at most.
	FlightBytes int
	// InboundBytes bounds what one peer has sent and was not released; default
	// 8 MiB. Beyond it, reading from that peer stops.
	InboundBytes int
	// Handshakes bounds the connections that have not proved who they are, beyond
	// one for each peer; default 32.
	Handshakes int
	// HandshakeTimeout bounds connecting and proving; default 5 s.
	HandshakeTimeout time.Duration
	// BackoffMin and BackoffMax bound the pause before connecting again, which
	// doubles from one to the other; default 100 ms and 5 s. Each is spread by
	// a half to either side.
	BackoffMin, BackoffMax time.Duration
	// Keepalive is the idle time after which a connection is probed, and how
	// long the answer may take; default 5 s.
	Keepalive time.Duration
}

// setDefaults fills in what is zero.
func (c *RemoteConfig) setDefaults() {
	l := &c.Limits
	l.VoteBytes = cmp.Or(l.VoteBytes, 4<<20)
	l.ViewChangeBytes = cmp.Or(l.ViewChangeBytes, 8<<20)
	l.BatchBytes = cmp.Or(l.BatchBytes, 16<<20)
	l.BulkBytes = cmp.Or(l.BulkBytes, 8<<20)
	l.FlightBytes = cmp.Or(l.FlightBytes, 512<<10)
	l.InboundBytes = cmp.Or(l.InboundBytes, 8<<20)
	l.Handshakes = cmp.Or(l.Handshakes, 32)
	l.HandshakeTimeout = cmp.Or(l.HandshakeTimeout, 5*time.Second)
	l.BackoffMin = cmp.Or(l.BackoffMin, 100*time.Millisecond)
	l.BackoffMax = cmp.Or(l.BackoffMax, 5*time.Second)
	l.Keepalive = cmp.Or(l.Keepalive, 5*time.Second)
	if c.Clock == nil {
		c.Clock = runtime.RealClock()
	}
	if c.Rand == nil {
		c.Rand = runtime.SecureRand()
	}
}

// validate joins every complaint about the configuration.
func (c *RemoteConfig) validate() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Logger == nil {
		complain("no logger")
	}
	if _, _, err := hostPort(c.Listen); err != nil {
		complain("listen address: %w", err)
	}
	if c.Limits.FlightBytes > messages.FrameBytesMax {
		complain("flight of %d bytes: peers take at most %d at once", c.Limits.FlightBytes, messages.FrameBytesMax)
	}
	if len(c.Peers) > messages.MembersMax {
		complain("%d peers, at most %d are possible", len(c.Peers), messages.MembersMax)
	}
	at := make(map[string]int, len(c.Peers))
	for i, p := range c.Peers {
		if _, _, err := hostPort(p.Address); err != nil {
			complain("address of peer %d: %w", i, err)
		}
		if j, taken := at[p.Address]; taken {
			complain("peers %d and %d have the same address %s", j, i, p.Address)
		}
		at[p.Address] = i
		if len(p.ChannelKey) != ed25519.PublicKeySize {
			complain("channel key of peer %d has %d bytes, not %d", i, len(p.ChannelKey), ed25519.PublicKeySize)
		}
	}
	switch {
	case int(c.Self) >= len(c.Peers):
		complain("we are member %d of %d", c.Self, len(c.Peers))
	case len(c.Key) != ed25519.PrivateKeySize:
		complain("the channel key has %d bytes, not %d", len(c.Key), ed25519.PrivateKeySize)
	case !c.Peers[c.Self].ChannelKey.Equal(c.Key.Public()):
		complain("the channel key is not the one the genesis lists for member %d: use the key file made with it", c.Self)
	}
	return errors.Join(errs...)
}

// hostPort splits an address the way proto.actor takes it: it joins the two
// with a colon and nothing else, so IPv6 keeps its brackets.
func hostPort(address string) (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("address %s: the port is not a number below 65536", address)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host, int(n), nil
}
