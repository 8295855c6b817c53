package floor

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/cretoai/consensus/messages"
)

// link is the connection to another member, both ways.
type link struct {
	conn net.Conn

	mu      sync.Mutex
	waiting *sync.Cond
	queues  [2][][]byte // by lane
}

// The lanes of a link: votes do not wait for batches that have not left.
const (
	votes = iota
	bodies
)

func newLink(conn net.Conn) *link {
	l := &link{conn: conn}
	l.waiting = sync.NewCond(&l.mu)
	return l
}

// close ends both loops, once all is over.
func (l *link) close() {
	_ = l.conn.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting.Broadcast()
}

func (m *member) encode(msg messages.Message) []byte {
	frame, err := messages.EncodeFrame(msg)
	if err != nil {
		m.f.fail(fmt.Errorf("encode a message: %w", err))
	}
	return frame
}

// broadcast sends the same bytes to all others.
func (m *member) broadcast(msg messages.Message, lane int) {
	frame := m.encode(msg)
	for _, l := range m.links {
		if l != nil {
			m.send(l, frame, lane)
		}
	}
}

func (m *member) send(l *link, frame []byte, lane int) {
	m.f.spent.messages.Add(1)
	m.f.spent.networkBytes.Add(int64(len(frame)))
	l.mu.Lock()
	l.queues[lane] = append(l.queues[lane], frame)
	l.mu.Unlock()
	l.waiting.Signal()
}

// linkBuffer is how much is written and read at once if there is as much.
const linkBuffer = 64 << 10

// writeLoop writes frames, each after its length.
func (m *member) writeLoop(l *link) {
	w := bufio.NewWriterSize(l.conn, linkBuffer)
	for {
		frame := l.next(m.f, w.Buffered() == 0)
		if frame == nil {
			if m.f.over() {
				return
			}
			if err := w.Flush(); err != nil {
				m.broken(err)
				return
			}
			continue
		}
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(frame)))
		if _, err := w.Write(length[:]); err != nil {
			m.broken(err)
			return
		}
		if _, err := w.Write(frame); err != nil {
			m.broken(err)
			return
		}
	}
}

// next is the frame to write next; nil if there is none and the caller has
// something to flush, or if all is over.
func (l *link) next(f *Floor, wait bool) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for lane, queue := range l.queues {
			if len(queue) > 0 {
				l.queues[lane] = queue[1:]
				return queue[0]
			}
		}
		if !wait || f.over() {
			return nil
		}
		l.waiting.Wait()
	}
}

// readLoop handles what comes from a member.
func (m *member) readLoop(l *link) {
	r := bufio.NewReaderSize(l.conn, linkBuffer)
	for {
		var length [4]byte
		if _, err := io.ReadFull(r, length[:]); err != nil {
			m.broken(err)
			return
		}
		n := binary.BigEndian.Uint32(length[:])
		if n > messages.FrameBytesMax {
			m.broken(fmt.Errorf("a frame of %d bytes", n))
			return
		}
		frame := make([]byte, n)
		if _, err := io.ReadFull(r, frame); err != nil {
			m.broken(err)
			return
		}
		if err := m.onFrame(frame); err != nil {
			m.broken(err)
			return
		}
	}
}

func (m *member) onFrame(frame []byte) error {
	msg, err := messages.DecodeFrame(frame)
	if err != nil {
		return err
	}
	switch msg := msg.(type) {
	case *messages.Bundles:
		for _, b := range msg.Bundles {
			if err := m.onBundle(b); err != nil {
				return err
			}
		}
		return nil
	case *messages.BatchBody:
		return m.onBody(msg.Body)
	case *messages.Forward:
		return m.onForward(msg.Vertices)
	}
	return errors.New("a message that nobody sends")
}

// broken ends everything, unless that is what broke the connection.
func (m *member) broken(err error) {
	if !m.f.over() {
		m.f.fail(fmt.Errorf("the connection of member %d: %w", m.self, err))
	}
}
