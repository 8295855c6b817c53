package replica

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cretoai/consensus/messages"
)

// ErrNoSequence says that a sequence, or that of a receipt, is 0: there is none, the
// first is 1.
var ErrNoSequence = errors.New("sequences begin at 1")

// ErrNotExecuted says that this replica has not executed a sequence yet.
var ErrNotExecuted = errors.New("not executed here")

// Status is where a replica and its peers stand.
type Status struct {
	Replica  messages.Index  `json:"replica"`
	ChainID  string          `json:"chain_id"`
	Genesis  messages.Digest `json:"genesis"`
	View     messages.View   `json:"view"`
	Leader   messages.Index  `json:"leader"`
	IsLeader bool            `json:"is_leader"`
	Active   bool            `json:"active"`
	Sequence messages.Seq    `json:"sequence"` // the last executed
	// HighestSequence is the highest one accepted in this view, or executed: what lies
	// between Sequence and it is in flight.
	HighestSequence  messages.Seq `json:"highest_sequence"`
	StableCheckpoint messages.Seq `json:"stable_checkpoint"`
	// FirstSequence is the oldest one in the ledger here: 1, unless it was trimmed.
	FirstSequence messages.Seq    `json:"first_sequence"`
	Vertices      uint64          `json:"vertices"`
	LedgerHead    messages.Digest `json:"ledger_head"`
	// Pending is how many vertices wait here to become final.
	Pending int `json:"pending"`
	// Observing says why the replica does not vote yet; empty once it does.
	Observing string `json:"observing,omitempty"`
	// RequireVertexSignatures says that creators sign their vertices on this chain.
	RequireVertexSignatures bool `json:"require_vertex_signatures,omitempty"`
	// Halted says why the replica stopped executing; empty while it works.
	Halted string `json:"halted,omitempty"`
	// Transfer is the state being fetched from the others, nil while none is.
	Transfer *StateTransfer `json:"transfer,omitempty"`
	Peers    []PeerStatus   `json:"peers"`
}

// StateTransfer is how far the fetching of a state has come.
type StateTransfer struct {
	Seq     messages.Seq `json:"sequence"` // of the snapshot
	Parts   int          `json:"parts"`
	Missing int          `json:"missing"`
	Bytes   int64        `json:"bytes"` // fetched so far since the start
}

// StateTransfer tells of the state being fetched from the others, if one is.
func (r *Replica) StateTransfer() (StateTransfer, bool) {
	f, ok := r.tree.Fetching()
	return StateTransfer(f), ok
}

// PeerStatus is what is known of another member, from its newest Status.
type PeerStatus struct {
	Replica   messages.Index `json:"replica"`
	Name      string         `json:"name"`
	Connected bool           `json:"connected"`
	// Abstains says why no vote of it is to be expected; empty if nothing known here
	// speaks against it. That a member has halted is not known before this replica is
	// a window ahead of it.
	Abstains   string        `json:"abstains,omitempty"`
	Sequence   messages.Seq  `json:"sequence"`
	View       messages.View `json:"view"`
	Reputation float64       `json:"reputation"`
	Banned     bool          `json:"banned"`
}

// Status gathers where the replica stands.
func (r *Replica) Status() Status {
	standing, progress := r.tree.Standing(), r.tree.Progress()
	halted, _ := r.tree.Halted()
	observing, _ := r.tree.Observing()
	s := Status{
		Replica: r.self, ChainID: r.genesis.ChainID, Genesis: r.keyring.Chain(),
		View: standing.View, Leader: standing.Leader, IsLeader: standing.Leads, Active: standing.Active,
		Sequence: progress.Seq, HighestSequence: r.tree.Highest(), Pending: r.tree.Pool().Len(), StableCheckpoint: standing.Stable, Vertices: progress.Vertices,
		LedgerHead: progress.Head, Observing: observing, Halted: halted, Peers: make([]PeerStatus, 0, r.genesis.N()-1),
	}
	s.FirstSequence, s.RequireVertexSignatures = r.FirstSequence(), r.genesis.Params.RequireVertexSignatures
	if t, ok := r.StateTransfer(); ok {
		s.Transfer = &t
	}
	for i, member := range r.genesis.Members {
		m := messages.Index(i)
		if m == r.self {
			continue
		}
		p := PeerStatus{
			Replica: m, Name: member.Name, Connected: r.tree.ConnectedTo(m), Abstains: r.tree.Abstains(m),
			Reputation: r.tree.Detector().Reputation(m), Banned: r.tree.Detector().IsBanned(m),
		}
		if st := r.tree.Peer(m); st != nil {
			p.Sequence, p.View = st.Executed, st.View
		}
		s.Peers = append(s.Peers, p)
	}
	return s
}

// Ready reports whether the replica can be expected to finalise what it is
// given, and if not, why.
func (r *Replica) Ready() (ready bool, reason string) {
	select {
	case <-r.tree.Done():
		return false, "stopped"
	default:
	}
	if reason, halted := r.tree.Halted(); halted {
		return false, reason
	}
	if reason, observing := r.tree.Observing(); observing {
		return false, reason
	}
	if reason, full := r.tree.DiskFull(); full {
		return false, reason
	}
	need := messages.Quorum(r.genesis.N()) - 1
	if r.tree.Connected() < need {
		return false, "too few members connected for a quorum"
	}
	if r.tree.Voting() < need {
		return false, "too few of the connected members vote for a quorum: " + r.abstentions()
	}
	return true, ""
}

// abstentions lists the connected members of which no vote is to be expected.
func (r *Replica) abstentions() string {
	var list []string
	for i := range r.genesis.Members {
		m := messages.Index(i)
		if why := r.tree.Abstains(m); m != r.self && why != "" && r.tree.ConnectedTo(m) {
			list = append(list, fmt.Sprintf("of member %d, %s", m, why))
		}
	}
	return strings.Join(list, "; ")
}

// Decided gives a finalised batch with its certificate from the ledger,
// or ErrNotExecuted, ErrTrimmed, or, of sequence 0, ErrNoSequence.
func (r *Replica) Decided(seq messages.Seq) (*messages.Decided, error) {
	if seq == 0 {
		return nil, ErrNoSequence
	}
	if err := r.readers.enter(); err != nil {
		return nil, err
	}
	defer r.readers.leave()
	d, ok, err := r.tree.Ledger().Decided(seq)
	if first := r.FirstSequence(); err == nil && !ok && seq < first {
		err = &TrimmedError{seq, first}
	} else if err == nil && !ok {
		err = fmt.Errorf("sequence %d: %w", seq, ErrNotExecuted)
	}
	return d, err
}

// Batch is Decided with the batch taken apart; it is nil for the null batch.
func (r *Replica) Batch(seq messages.Seq) (*messages.Decided, *messages.Batch, error) {
	d, err := r.Decided(seq)
	if err != nil || d.Digest == messages.NullDigest {
		return d, nil, err
	}
	batch, err := messages.ParseBatch(d.Body, r.genesis.Params)
	return d, batch, err
}
