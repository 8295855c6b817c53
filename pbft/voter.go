package pbft

import (
	"maps"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// Voter is the one gate for every vote: nothing is signed that it did not
// grant, and it never grants two digests for one (view, sequence, kind). Its
// memory is the replica's memory: each grant names the records that must be
// durable before the vote leaves, and Restore brings them back after a crash,
// so a tracker that forgot what it did may propose anything and no second vote
// comes of it. [V1, V2, V3, V5, V6]
//
// What it remembers of a sequence is in memory.go, how it leaves and enters
// views in voterview.go.
type Voter struct {
	self     messages.Index
	leader   func(messages.View) messages.Index
	window   messages.Seq
	interval messages.Seq

	view    messages.View
	active  bool                     // false while changing views
	left    *messages.ViewChangeBody // the last recorded, with which a view was left
	entered *NewView                 // the last recorded, with which a view was entered
	marks   Watermarks
	settled messages.Seq // what the view's NewView decided; fresh pre-prepares lie above

	memory      map[messages.Seq]*memory
	checkpoints map[messages.Seq]messages.Digest
	halted      bool
	observing   bool // a newcomer, that may have voted before [D4]
}

// Grant is the voter's yes.
type Grant struct {
	Vote    messages.Vote
	Records []Record // empty when the vote was granted before: it may be sent again
}

// Refusal is the voter's no, and why.
type Refusal uint8

// The reasons for which a vote is refused.
const (
	Granted             Refusal = iota
	Halted                      // a safety alarm stopped this replica's voting [V5, V6]
	WrongView                   // not the voter's view [V3]
	ChangingViews               // the voter left its view and has not entered the next [V3]
	NotLeader                   // a pre-prepare by another member than the view's leader
	BelowLowWatermark           // at or below the stable checkpoint [V6]
	AboveHighWatermark          // beyond the window
	SettledByNewView            // a fresh pre-prepare where the NewView already decided
	OtherDigestAccepted         // another digest was accepted for this view and sequence [V1]
	NotAccepted                 // no pre-prepare that calls for this was accepted
	ContradictsExecuted         // another digest was executed or certified here [V6]
	NotACheckpoint              // not a multiple of the checkpoint interval
	OtherStateVoted             // another state digest was voted for this checkpoint [V5]
	ViewActive                  // the view was entered already: there is one NewView
	Observing                   // this replica may have voted before, and does not know what [D4]
)

var refusalNames = [...]string{
	"granted", "halted", "wrong view", "changing views", "not the leader", "below the low watermark",
	"above the high watermark", "settled by new-view", "other digest accepted", "not accepted",
	"contradicts executed", "not a checkpoint", "other state voted", "view active", "observing",
}

func (r Refusal) String() string {
	if int(r) < len(refusalNames) {
		return refusalNames[r]
	}
	return "unknown refusal"
}

// NewVoter makes the voter of member self, with nothing voted and the window
// above genesis. leader is the schedule; params gives L and the interval.
func NewVoter(self messages.Index, leader func(messages.View) messages.Index, params messages.Params) *Voter {
	return &Voter{
		self: self, leader: leader, window: params.Window, interval: params.CheckpointInterval,
		active:      true, // view 0 needs no NewView
		marks:       NewWatermarks(0, params.Window),
		memory:      make(map[messages.Seq]*memory),
		checkpoints: make(map[messages.Seq]messages.Digest),
	}
}

// View is the view the voter is in, or changing to.
func (v *Voter) View() messages.View { return v.view }

// Active reports whether the voter votes in its view.
func (v *Voter) Active() bool { return v.active && !v.halted }

// Marks are the current watermarks.
func (v *Voter) Marks() Watermarks { return v.marks }

// Leads reports whether this replica leads the active view.
func (v *Voter) Leads() bool { return v.Active() && !v.observing && v.leader(v.view) == v.self }

// Halt stops all voting for good: the replica's state contradicts a
// certificate, and a vote of it would mislead others. [V5, V6]
func (v *Voter) Halt() { v.halted = true }

// NextSeq is the sequence for the leader's next batch: the first above
// everything this replica accepted, executed or found settled.
func (v *Voter) NextSeq() messages.Seq {
	top := max(v.marks.Low, v.settled)
	for seq, m := range v.memory {
		if _, accepted := m.acceptedIn(v.view); seq > top && (accepted || !m.fixed.digest.IsZero()) {
			top = seq
		}
	}
	return top + 1
}

// Accept decides about a pre-prepare with its valid batch at hand, another's or
// the own one. Accepting is remembered before anything is voted: the first
// digest accepted for a (view, sequence) is the only one. [N1, N2, V1]
func (v *Voter) Accept(from messages.Index, pp messages.Vote, batch *messages.Batch) ([]Record, Refusal) {
	if r := v.admit(pp); r != Granted {
		return nil, r
	}
	before, accepted := v.remember(pp.Seq).acceptedIn(pp.View)
	switch {
	case from != v.leader(pp.View):
		return nil, NotLeader
	case pp.Seq <= v.settled:
		return nil, SettledByNewView
	case accepted && before == pp.Digest:
		return nil, Granted // heard again
	case accepted:
		return nil, OtherDigestAccepted
	}
	v.remember(pp.Seq).accept(pp.View, pp.Digest)
	pp.Kind = messages.PrePrepare
	return []Record{{Kind: RecordAccepted, Vote: pp, Batch: batch}}, Granted
}

// Grant decides about a PrePrepare, Prepare or Commit for what was accepted;
// nothing accepted calls for a vote of another kind. A caller asks for a Commit
// only when the slot is prepared. [V1, V2]
func (v *Voter) Grant(vote messages.Vote) (Grant, Refusal) {
	if r := v.admit(vote); r != Granted {
		return Grant{}, r
	}
	m := v.memory[vote.Seq]
	phase := messages.PrePrepare <= vote.Kind && vote.Kind <= messages.Commit
	if m == nil || !phase {
		return Grant{}, NotAccepted
	}
	if accepted, ok := m.acceptedIn(vote.View); !ok || accepted != vote.Digest {
		return Grant{}, NotAccepted
	}
	leads := v.leader(vote.View) == v.self
	if leads != (vote.Kind == messages.PrePrepare) && vote.Kind != messages.Commit {
		return Grant{}, NotLeader
	}
	if slices.Contains(m.sent, vote) {
		return Grant{Vote: vote}, Granted
	}
	g := Grant{Vote: vote}
	if vote.Kind == messages.Commit {
		m.prepare(vote.View, vote.Digest)
		g.Records = append(g.Records, Record{Kind: RecordPrepared, Vote: vote})
	}
	m.sent = append(m.sent, vote)
	g.Records = append(g.Records, Record{Kind: RecordVote, Vote: vote})
	return g, Granted
}

// admit checks what holds for every vote inside a view: the voter is active in
// that very view, the sequence lies in the window, and nothing else was
// executed or certified there. [V3, V6]
func (v *Voter) admit(vote messages.Vote) Refusal {
	switch {
	case v.halted:
		return Halted
	case v.observing:
		return Observing
	case vote.View != v.view:
		return WrongView
	case !v.active:
		return ChangingViews
	case vote.Seq <= v.marks.Low:
		return BelowLowWatermark
	case vote.Seq > v.marks.High:
		return AboveHighWatermark
	}
	if m := v.memory[vote.Seq]; m != nil && !m.fixed.digest.IsZero() && m.fixed.digest != vote.Digest {
		return ContradictsExecuted
	}
	return Granted
}

// Checkpoint decides about the vote for the state after seq. It stands outside
// views, so V3 does not stop it; there is never a second digest. [V5]
func (v *Voter) Checkpoint(seq messages.Seq, state messages.Digest) (Grant, Refusal) {
	switch {
	case v.halted:
		return Grant{}, Halted
	case v.observing:
		return Grant{}, Observing
	case seq <= v.marks.Low:
		return Grant{}, BelowLowWatermark
	case seq%v.interval != 0:
		return Grant{}, NotACheckpoint
	}
	vote := messages.Vote{Kind: messages.Checkpoint, Seq: seq, Digest: state}
	switch voted, ok := v.checkpoints[seq]; {
	case !ok:
		v.checkpoints[seq] = state
		return Grant{Vote: vote, Records: []Record{{Kind: RecordVote, Vote: vote}}}, Granted
	case voted != state:
		return Grant{}, OtherStateVoted
	}
	return Grant{Vote: vote}, Granted
}

// Fix notes that digest was executed at seq, committed in view: no Prepare or
// Commit for another digest will ever be granted there. [V6]
func (v *Voter) Fix(seq messages.Seq, view messages.View, digest messages.Digest) {
	if seq > v.marks.Low {
		v.remember(seq).fixed = claim{view, digest}
	}
}

// Stable moves the window above a checkpoint whose certificate is durable, and
// drops what was remembered at or below it. [C3]
func (v *Voter) Stable(seq messages.Seq) {
	if seq <= v.marks.Low {
		return
	}
	v.marks = NewWatermarks(seq, v.window)
	maps.DeleteFunc(v.memory, func(s messages.Seq, _ *memory) bool { return s <= seq })
	maps.DeleteFunc(v.checkpoints, func(s messages.Seq, _ messages.Digest) bool { return s <= seq })
}

func (v *Voter) remember(seq messages.Seq) *memory {
	m := v.memory[seq]
	if m == nil {
		m = new(memory)
		v.memory[seq] = m
	}
	return m
}
