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
	creators [clients]*replica.Creator // nil where nobody signs
	signed   [clients][]*vertex        // signed together with others, and not proposed yet
	left     int                       // to be proposed yet
	missing  int                       // proposed and not executed anywhere
	// doubleSpends counts the vertices of 1000 that get a rival.
	doubleSpends int
	rivalry      *rand.Rand
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
	unsent   bool       // signed with others, and not proposed yet
	executed bool
	rival    *vertex // with the same nonce and another payload; one of them is executed
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
	size, c := l.rng.IntN(200), l.rng.IntN(clients)
	if l.creators[c] != nil {
		return l.nextSigned(c)
	}
	payload := binary.BigEndian.AppendUint64(nil, uint64(len(l.vertices)))
	v := &vertex{proposal: replica.Vertex{Payload: append(payload, make([]byte, size)...)}}
	l.vertices = append(l.vertices, v)
	if c == clients-1 {
		v.door = true
	} else {
		l.name(v, c)
		l.spendTwice(v)
	}
	return v
}

// spendTwice gives a vertex a rival, now and then.
func (l *load) spendTwice(v *vertex) {
	if l.doubleSpends == 0 || l.rivalry.IntN(1000) >= l.doubleSpends {
		return
	}
	rival := &vertex{proposal: v.proposal, rival: v}
	rival.proposal.Payload = binary.BigEndian.AppendUint64(nil, uint64(len(l.vertices)))
	v.rival = rival
	l.vertices = append(l.vertices, rival)
}

func (l *load) name(v *vertex, c int) {
	l.nonces[c]++
	v.proposal.Creator = [32]byte{1, byte(c)}
	v.proposal.Nonce, v.proposal.Expires = l.nonces[c], forever
}

// nextSigned is the next vertex of a client that signs a few at once and proposes
// them one after the other, wherever that is. A door signs for nobody.
func (l *load) nextSigned(c int) *vertex {
	if len(l.signed[c]) == 0 {
		l.signed[c] = make([]*vertex, 1+l.rng.IntN(6))
		proposals := make([]replica.Vertex, len(l.signed[c]))
		for i := range proposals {
			v := &vertex{unsent: true}
			v.proposal.Payload = make([]byte, 8+l.rng.IntN(200))
			binary.BigEndian.PutUint64(v.proposal.Payload, uint64(len(l.vertices)))
			l.vertices = append(l.vertices, v)
			l.name(v, c)
			l.signed[c][i], proposals[i] = v, v.proposal
		}
		signed, err := l.creators[c].SignVertices(proposals)
		must(err)
		for i, v := range l.signed[c] {
			v.proposal = signed[i]
		}
	}
	v := l.signed[c][0]
	l.signed[c], v.unsent = l.signed[c][1:], false
	return v
}

// done is a context that has ended.
var done = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// impatient is a context that ends when somebody begins to wait for that: whoever
// proposes with it does not wait.
type impatient struct {
	context.Context
	end context.CancelFunc
}

func newImpatient() impatient {
	ctx, cancel := context.WithCancel(context.Background())
	return impatient{ctx, cancel}
}

// Done implements context.Context.
func (i impatient) Done() <-chan struct{} {
	i.end()
	return i.Context.Done()
}

// propose has a replica accept a vertex, if it can.
func (v *vertex) propose(m *member) error {
	_, err := m.replica.Propose(newImpatient(), v.proposal)
	var waits *replica.NotFinalError
	switch {
	case errors.As(err, &waits):
		if v.taken = true; !m.faulty {
			v.holders = append(v.holders, m.process)
		}
		return nil
	case errors.Is(err, replica.ErrPoolFull), errors.Is(err, replica.ErrStopped), errors.Is(err, replica.ErrHalted):
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
	if v.rival != nil { // for whom nothing is left to spend
		v.rival.executed = true
	}
	l.missing--
	return nil
}

// owed counts what has to be executed still, and gives the first of it: all but
// vertices of the door's that nobody holds any more.
func (l *load) owed() (n int, first *vertex) {
	if l.missing == 0 {
		return 0, nil
	}
	for _, v := range l.vertices {
		if !v.executed && !v.unsent && !(v.door && v.lost()) {
			if n++; first == nil {
				first = v
			}
		}
	}
	return n, first
}
