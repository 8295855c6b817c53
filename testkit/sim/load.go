package sim

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// load is what clients propose, and what became of it. A payload begins with a
// number by which it is known again.
type load struct {
	rng      *rand.Rand
	vertices []*vertex
	nonces   [clients]uint64
	left     int // to be proposed yet
	missing  int // proposed and not executed anywhere
}

// clients bring creators of their own and propose again what may be lost; the
// last of them is the door's, whose vertices die with the process that took
// them.
const clients = 4

// vertex is one proposal.
type vertex struct {
	proposal replica.Vertex
	door     bool
	holders  []*process // who accepted it, of honest members
	taken    bool       // somebody accepted it
	executed bool
}

// forever is an expiry no run reaches.
const forever messages.Seq = 1 << 19

// lost reports whether no process that took the vertex lives.
func (v *vertex) lost() bool {
	for _, p := range v.holders {
		if !p.dead {
			return false
		}
	}
	return true
}

// String says who took the vertex, and lives.
func (v *vertex) String() string {
	text := fmt.Sprintf("%x of creator %x, nonce %d, taken by", v.proposal.Payload[:8], v.proposal.Creator[:2], v.proposal.Nonce)
	for _, p := range v.holders {
		text += fmt.Sprintf(" replica %d in life %d (alive: %v)", p.member, p.life, !p.dead)
	}
	return text
}

// next makes a new vertex.
func (l *load) next() *vertex {
	l.left--
	l.missing++
	payload := binary.BigEndian.AppendUint64(nil, uint64(len(l.vertices)))
	v := &vertex{proposal: replica.Vertex{Payload: append(payload, make([]byte, l.rng.IntN(200))...)}}
	if c := l.rng.IntN(clients); c == clients-1 {
		v.door = true
	} else {
		l.nonces[c]++
		v.proposal.Creator = [32]byte{1, byte(c)}
		v.proposal.Nonce, v.proposal.Expires = l.nonces[c], forever
	}
	l.vertices = append(l.vertices, v)
	return v
}

// done is a context that has ended: whoever proposes with it does not wait.
var done = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// propose has a replica accept a vertex, if it can.
func (v *vertex) propose(m *member) error {
	_, err := m.replica.Propose(done, v.proposal)
	var waits replica.NotFinalError
	switch {
	case errors.As(err, &waits):
		if v.taken = true; !m.faulty {
			v.holders = append(v.holders, m.process)
		}
		return nil
	case errors.Is(err, replica.ErrPoolFull), errors.Is(err, replica.ErrStopped):
		return nil // it is proposed again elsewhere
	}
	return fmt.Errorf("replica %d answers a proposal with %w", m.index, err)
}

// executed notes that a payload was executed for the first time anywhere.
func (l *load) executed(payload []byte) error {
	if len(payload) < 8 {
		return errors.New("nobody proposed it")
	}
	id := binary.BigEndian.Uint64(payload)
	if id >= uint64(len(l.vertices)) {
		return errors.New("nobody proposed it")
	}
	v := l.vertices[id]
	if v.executed {
		return errors.New("its payload was executed before")
	}
	v.executed = true
	l.missing--
	return nil
}

// owed lists what has to be executed still: all but vertices of the door's that
// nobody holds any more.
func (l *load) owed() (list []*vertex) {
	if l.missing == 0 {
		return nil
	}
	for _, v := range l.vertices {
		if !v.executed && !(v.door && v.lost()) {
			list = append(list, v)
		}
	}
	return list
}
