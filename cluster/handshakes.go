package cluster

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cretoai/consensus/messages"
)

// handshakes are the connections that have not proved who they are. There is
// one place for each peer and some more. When all are taken, the newest still
// gets one: the host that holds the most places beyond those of the members
// that live there loses its oldest connection, first of those that have said
// nothing yet. So whoever proves itself promptly gets in, one host's flood costs
// another host nothing, and a member at the host it is known at loses its place
// to no stranger elsewhere, however many hosts the stranger has: a full room
// always has somebody who holds more than his due. At the member's own host,
// strangers that only connect cost it nothing once its handshake has begun.
type handshakes struct {
	max int

	mu      sync.Mutex
	pending []*handshake   // oldest first
	hosts   []netip.Prefix // by member; invalid if not known
}

// handshake is one connection that has not proved who it is. It is the
// connection, too, and notes whether the other side has said anything.
type handshake struct {
	net.Conn
	host  netip.Prefix
	begun atomic.Bool
}

// Read implements net.Conn.
func (h *handshake) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	if n > 0 && !h.begun.Load() {
		h.begun.Store(true)
	}
	return n, err
}

// newHandshakes knows the hosts of members by their addresses, as far as these
// are no names; where a member really connects from comes with seen.
func newHandshakes(cfg *RemoteConfig) *handshakes {
	p := &handshakes{max: cfg.Limits.Handshakes + len(cfg.Peers) - 1, hosts: make([]netip.Prefix, len(cfg.Peers))}
	for i, peer := range cfg.Peers {
		if messages.Index(i) != cfg.Self {
			p.hosts[i] = hostOf(peer.Address)
		}
	}
	return p
}

// enter gives a connection a place and closes the one that had it, if any.
func (p *handshakes) enter(conn net.Conn) *handshake {
	h := &handshake{Conn: conn, host: hostOf(conn.RemoteAddr().String())}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = append(p.pending, h)
	if len(p.pending) > p.max {
		i := p.surplus()
		_ = p.pending[i].Close() // its handshake fails and says why
		p.pending = slices.Delete(p.pending, i, i+1)
	}
	return h
}

// leave gives the place back. It reports false if another connection took it:
// this one is closed.
func (p *handshakes) leave(h *handshake) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.pending, h)
	if i < 0 {
		return false
	}
	p.pending = slices.Delete(p.pending, i, i+1)
	return true
}

// surplus finds the connection to close, which is the newest only if its host
// has no other. p.mu is held.
func (p *handshakes) surplus() int {
	excess := make(map[netip.Prefix]int, len(p.pending))
	for _, h := range p.pending {
		excess[h.host]++
	}
	for _, host := range p.hosts {
		excess[host]--
	}
	oldest := 0
	for i, h := range p.pending {
		if excess[h.host] > excess[p.pending[oldest].host] {
			oldest = i
		}
	}
	host, older := p.pending[oldest].host, p.pending[:len(p.pending)-1]
	if silent := slices.IndexFunc(older, func(h *handshake) bool { return h.host == host && !h.begun.Load() }); silent >= 0 {
		return silent
	}
	return oldest
}

// seen says where a member has proved itself: it may be reached under a name or
// connect from behind a gateway.
func (p *handshakes) seen(member messages.Index, from net.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hosts[member] = hostOf(from.String())
}

// hostOf is the network that one host has to itself: an IPv4 address or an IPv6
// network of 64 bits. It is invalid if the address is a name.
func hostOf(address string) netip.Prefix {
	host, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Prefix{}
	}
	ip := host.Addr().Unmap()
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	return netip.PrefixFrom(ip.WithZone(""), bits).Masked()
}
