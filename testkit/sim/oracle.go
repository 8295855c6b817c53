package sim

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/messages"
)

// oracle knows what every correct replica must agree on, and keeps the first
// thing that contradicts it. Nothing in it is told to the replicas.
type oracle struct {
	params messages.Params
	faulty []bool // by member: nothing it says or does is judged
	err    error

	ledger      map[messages.Seq]finalized
	executed    map[messages.Seq]digest // of the operations executed at a sequence
	checkpoints map[messages.Seq]messages.Digest
	nonces      map[nonce]messages.Seq // where each was executed
	inventors   map[[32]byte]bool      // creators of those who misbehave
	votes       votes
	load        *load
	leaders     map[messages.View]messages.Index
	heard       [][]byte // by member: the last frame it sent; it tells all others the same
}

type digest = [32]byte

// finalized is what a sequence was decided to be.
type finalized struct{ batch, head messages.Digest }

// nonce names one vertex of one creator.
type nonce struct {
	creator [32]byte
	n       uint64
}

func newOracle(params messages.Params, n int) *oracle {
	return &oracle{
		params: params, faulty: make([]bool, n),
		ledger: make(map[messages.Seq]finalized), executed: make(map[messages.Seq]digest),
		checkpoints: make(map[messages.Seq]messages.Digest), nonces: make(map[nonce]messages.Seq),
		votes: newVotes(n), heard: make([][]byte, n), leaders: make(map[messages.View]messages.Index), inventors: make(map[[32]byte]bool),
	}
}

// Violation says which property a run broke, and how.
type Violation struct {
	Property string
	Detail   string
}

func (v *Violation) Error() string { return v.Property + ": " + v.Detail }

// violated keeps the first violation.
func (o *oracle) violated(property, format string, args ...any) {
	if o.err == nil {
		o.err = &Violation{property, fmt.Sprintf(format, args...)}
	}
}

// sent looks at what leaves a replica: no member ever signs two digests for one
// place, restarts included, and all sign the same states.
func (o *oracle) sent(from int, frame []byte) {
	if o.faulty[from] || len(frame) > 0 && bytes.Equal(frame, o.heard[from]) {
		return
	}
	o.heard[from] = append(o.heard[from][:0], frame...)
	m, err := messages.DecodeFrame(frame)
	if err != nil {
		o.violated("valid frames", "replica %d sends what nobody can read: %v", from, err)
		return
	}
	var bundles []*messages.Bundle
	switch m := m.(type) {
	case *messages.Bundles:
		bundles = m.Bundles
	case *messages.Decided:
		bundles = m.Certificate
		o.decided(from, m.Seq, m.Digest)
	case *messages.StableCheckpoint:
		bundles = m.Certificate
	case *messages.ViewChangeMessage:
		o.votes.claim(m)
		bundles = append(slices.Clone(m.Certificate), m.Bundle)
	case *messages.NewViewMessage:
		bundles = append(slices.Clone(m.Certificate), m.Bundle)
	case *messages.PreparedCertificate:
		bundles = m.Certificate
	}
	for _, b := range bundles {
		if o.faulty[b.From] {
			continue
		}
		for _, v := range b.Votes {
			o.voted(b.From, v)
		}
	}
}

// checkpoint compares states at equal sequences.
func (o *oracle) checkpoint(member int, seq messages.Seq, state messages.Digest) {
	if agreed, ok := o.checkpoints[seq]; ok && agreed != state {
		o.violated("equal states", "replica %d has state %v after sequence %d, others have %v", member, state, seq, agreed)
	}
	o.checkpoints[seq] = state
}

// led compares who leads a view: replicas that disagree wait for each other.
func (o *oracle) led(member int, e messages.ViewChanged) {
	if leader, ok := o.leaders[e.View]; ok && leader != e.Leader {
		o.violated("one leader", "replica %d takes member %d for the leader of view %d, others take %d", member, e.Leader, e.View, leader)
	}
	o.leaders[e.View] = e.Leader
}

func (o *oracle) decided(member int, seq messages.Seq, batch messages.Digest) {
	if agreed, ok := o.ledger[seq]; ok && agreed.batch != batch {
		o.violated("agreement", "replica %d has batch %v at sequence %d, others have %v", member, batch, seq, agreed.batch)
	}
}

// finalized compares ledgers sequence by sequence.
func (o *oracle) finalized(member int, e messages.Finalized) {
	o.decided(member, e.Seq, e.Digest)
	if agreed, ok := o.ledger[e.Seq]; ok && agreed.head != e.Head {
		o.violated("agreement", "replica %d has ledger head %v after sequence %d, others have %v", member, e.Head, e.Seq, agreed.head)
	}
	o.ledger[e.Seq] = finalized{e.Digest, e.Head}
}

// installed compares a state that was taken over with what was executed.
func (o *oracle) installed(member int, e messages.StateInstalled) {
	agreed, ok := o.ledger[e.Seq]
	switch {
	case !ok:
		o.violated("agreement", "replica %d takes over the state of sequence %d, which nobody has executed", member, e.Seq)
	case agreed.head != e.Head:
		o.violated("agreement", "replica %d takes over ledger head %v at sequence %d, others have %v", member, e.Head, e.Seq, agreed.head)
	}
	vertices := uint64(0)
	for _, seq := range o.nonces {
		if seq <= e.Seq {
			vertices++
		}
	}
	if vertices != e.Vertices {
		o.violated("equal states", "replica %d takes over that %d vertices were executed up to sequence %d, %d were", member, e.Vertices, e.Seq, vertices)
	}
}

// apply takes what an application is told to execute: the same everywhere,
// nothing that was not proposed, nothing twice.
func (o *oracle) apply(member int, seq messages.Seq, ops []actors.Operation) {
	if o.faulty[member] {
		return
	}
	h := sha256.New()
	for _, op := range ops {
		h.Write(op.Hash[:])
	}
	got := digest(h.Sum(nil))
	if agreed, ok := o.executed[seq]; ok {
		if agreed != got {
			o.violated("agreement", "replica %d executes other vertices at sequence %d than others did", member, seq)
		}
		return
	}
	if seq > 1 {
		if _, ok := o.executed[seq-1]; !ok {
			o.violated("order", "replica %d executes sequence %d, and nobody has executed %d", member, seq, seq-1)
		}
	}
	o.executed[seq] = got
	for _, op := range ops {
		id := nonce{op.Vertex.Creator(), op.Vertex.Nonce()}
		if at, ok := o.nonces[id]; ok {
			o.violated("exactly once", "vertex %v, with a nonce executed at sequence %d, is executed at %d", op.Hash, at, seq)
		}
		o.nonces[id] = seq
		if o.inventors[op.Vertex.Creator()] {
			continue // as good as any client's
		}
		if err := o.load.executed(op.Vertex.Payload()); err != nil {
			o.violated("validity", "vertex %v at sequence %d: %v", op.Hash, seq, err)
		}
	}
}

// app is the application of a simulated replica: the vertex ledger under the
// oracle's eyes.
type app struct {
	actors.VertexLedger
	oracle *oracle
	member int
}

// Apply implements replica.StateMachine.
func (a *app) Apply(seq messages.Seq, ops []actors.Operation) {
	a.oracle.apply(a.member, seq, ops)
	a.VertexLedger.Apply(seq, ops)
}
