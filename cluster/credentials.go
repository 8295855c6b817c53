package cluster

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/cretoai/consensus/messages"
)

// door is the side of the channel that is dialled. It bounds the connections
// that have proved nothing, and keeps one connection a member: the newest,
// because the older one may be dead without our knowing.
type door struct {
	credentials.TransportCredentials
	remote     *Remote
	handshakes *handshakes

	mu    sync.Mutex
	conns map[messages.Index]*memberConn
	twins map[messages.Index]*twins
}

func newDoor(r *Remote) *door {
	return &door{
		TransportCredentials: credentials.NewTLS(r.ids.accept()),
		remote:               r,
		handshakes:           newHandshakes(&r.cfg),
		conns:                make(map[messages.Index]*memberConn),
		twins:                make(map[messages.Index]*twins),
	}
}

// memberInfo is what a handler of a stream knows of its connection.
type memberInfo struct {
	credentials.TLSInfo
	member messages.Index
}

var errTooManyHandshakes = errors.New("too many connections have not proved who they are")

// ServerHandshake implements credentials.TransportCredentials.
func (d *door) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	place := d.handshakes.enter(raw)
	conn, auth, err := d.TransportCredentials.ServerHandshake(place)
	switch kept := d.handshakes.leave(place); {
	case !kept:
		d.remote.refuse(raw.RemoteAddr().String(), "too many handshakes", errTooManyHandshakes)
		_ = raw.Close()
		return nil, nil, errTooManyHandshakes
	case err != nil:
		d.remote.refuse(raw.RemoteAddr().String(), reasonOf(err), err)
		return nil, nil, err
	}
	info, ok := auth.(credentials.TLSInfo)
	if !ok {
		return nil, nil, errors.Join(errors.New("the connection carries no TLS"), conn.Close())
	}
	member, err := d.remote.ids.member(&info.State)
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	d.handshakes.seen(member, raw.RemoteAddr())
	admitted := d.admit(raw, conn, member)
	d.remote.links[member].returned()
	return admitted, memberInfo{info, member}, nil
}

// Clone implements credentials.TransportCredentials.
func (d *door) Clone() credentials.TransportCredentials { return d }

// admit makes a connection the only one of its member.
func (d *door) admit(raw, conn net.Conn, member messages.Index) net.Conn {
	admitted := &memberConn{Conn: conn, raw: raw, door: d, member: member}
	d.mu.Lock()
	older := d.conns[member]
	d.conns[member] = admitted
	warn := older != nil && d.replaced(member)
	d.mu.Unlock()
	if warn {
		d.remote.warnOfTwins(member, older.raw.RemoteAddr(), raw.RemoteAddr())
	}
	if older != nil {
		_ = older.raw.Close() // without TLS's farewell, which a dead peer would make us wait for
	}
	return admitted
}

// replaced counts that a connection of a member replaces another, and reports whether
// it is time to warn. d.mu is held.
func (d *door) replaced(member messages.Index) bool {
	t := d.twins[member]
	if t == nil {
		t = new(twins)
		d.twins[member] = t
	}
	return t.replaced(d.remote.cfg.Clock.Now())
}

// memberConn is a connection that is known to be a member's.
type memberConn struct {
	net.Conn
	raw    net.Conn
	door   *door
	member messages.Index
}

// Close implements net.Conn.
func (c *memberConn) Close() error {
	c.door.mu.Lock()
	if c.door.conns[c.member] == c {
		delete(c.door.conns, c.member)
	}
	c.door.mu.Unlock()
	return c.Conn.Close()
}

// caller is the side of the channel that dials: only members, each at its
// address and with its key.
type caller struct {
	credentials.TransportCredentials
	remote *Remote
}

func newCaller(r *Remote) *caller {
	return &caller{TransportCredentials: credentials.NewTLS(r.ids.accept()), remote: r}
}

// dialledConn remembers whom a connection was opened to.
type dialledConn struct {
	net.Conn
	link *link
}

// dial opens a connection to a member. proto.actor has no way to make it dial
// any other address.
func (c *caller) dial(ctx context.Context, address string) (net.Conn, error) {
	l := c.remote.linkTo(address)
	if l == nil {
		return nil, errors.New("no member has the address " + address)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		noteUnlessCanceled(ctx, l, err)
		return nil, err
	}
	return &dialledConn{conn, l}, nil
}

// ClientHandshake implements credentials.TransportCredentials. The name it is
// given says nothing: the key of the member is what counts.
func (c *caller) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	dialled, ok := raw.(*dialledConn)
	if !ok {
		return nil, nil, errors.New("a connection that was not dialled here")
	}
	conn, auth, err := credentials.NewTLS(c.remote.ids.dial(dialled.link.peer)).ClientHandshake(ctx, authority, raw)
	if err == nil {
		conn, err = verdict(ctx, conn)
	}
	if err != nil {
		noteUnlessCanceled(ctx, dialled.link, err)
		return nil, nil, err
	}
	return conn, auth, nil
}

// noteUnlessCanceled leaves out what fails because the attempt is over: that is
// its end and not its reason.
func noteUnlessCanceled(ctx context.Context, l *link, err error) {
	if !errors.Is(ctx.Err(), context.Canceled) {
		l.note(err)
	}
}

// verdict waits for the peer's first byte. TLS 1.3 is done for the side that
// dials before the other has looked at its certificate: only now is it known
// whether we are refused, and why.
func verdict(ctx context.Context, conn net.Conn) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	first := make([]byte, 1)
	_, err := conn.Read(first)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &heardConn{Conn: conn, first: first}, nil
}

// heardConn gives back what verdict read.
type heardConn struct {
	net.Conn
	first []byte
}

// Read implements net.Conn.
func (c *heardConn) Read(p []byte) (int, error) {
	if len(c.first) == 0 || len(p) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.first)
	c.first = c.first[n:]
	return n, nil
}

// Clone implements credentials.TransportCredentials.
func (c *caller) Clone() credentials.TransportCredentials { return c }
