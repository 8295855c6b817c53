package detector

import (
	"fmt"
	"slices"
	"time"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// Config of a Detector.
type Config struct {
	// Members is n, 1 to messages.MembersMax.
	Members int
	// Epoch is the membership's; votes and evidence of another are ignored.
	Epoch messages.Epoch
	// Enabled is byzantine_detection_enabled. Without it nothing is charged and
	// nobody is banned.
	Enabled bool
	// VotesMax bounds the votes remembered of one member. Each may hold a bundle
	// of 5 kB, if the member gives every vote one of its own. Default 1024, four
	// windows of 256; below two votes a sequence of the window lies go unseen.
	VotesMax int
	// DecayInterval is the time in which one suspicion is forgiven. Default 10 s.
	DecayInterval time.Duration
}

const (
	votesMaxDefault      = 1024
	decayIntervalDefault = 10 * time.Second
	// viewVotesMax bounds the ViewChanges and NewViews remembered of one member,
	// which belong to no sequence.
	viewVotesMax = 8
)

// Detector charges violations and decides bans. It is not safe for concurrent
// use. What it charges is returned as violations, none or one.
type Detector struct {
	config  Config
	members []standing
	votes   []memory // of each member, votes that name a sequence
	changes []memory // of each member, ViewChanges and NewViews
	low     messages.Seq

	ticking bool
	decayed time.Time // up to when suspicions have decayed
}

// New makes a detector that thinks well of everybody.
func New(config Config) *Detector {
	if config.Members < 1 || config.Members > messages.MembersMax {
		panic(fmt.Sprintf("a detector for %d members", config.Members))
	}
	if config.VotesMax <= 0 {
		config.VotesMax = votesMaxDefault
	}
	if config.DecayInterval <= 0 {
		config.DecayInterval = decayIntervalDefault
	}
	d := &Detector{config: config}
	for range config.Members {
		d.members = append(d.members, standing{merit: scoreMax})
		d.votes = append(d.votes, newMemory(config.VotesMax))
		d.changes = append(d.changes, newMemory(viewVotesMax))
	}
	return d
}

// Observe looks at a verified vote, early, late or repeated, and convicts its
// signer if it contradicts one seen before.
func (d *Detector) Observe(v crypto.Verified[messages.Vote]) []Violation {
	if !d.config.Enabled || !v.Valid() || !d.known(v.From()) || v.Bundle().Epoch != d.config.Epoch {
		return nil
	}
	m := &d.votes[v.From()]
	switch seq := v.Value().Seq; {
	case seq == 0:
		m = &d.changes[v.From()]
	case seq <= d.low:
		return nil
	}
	if e, proof := Equivocation(m.first(v), v); proof {
		return d.convict(e)
	}
	return nil
}

// Differs reports whether a bundle, to be verified yet, has a vote that differs from
// one its signer cast before for the same place.
func (d *Detector) Differs(b *messages.Bundle) bool {
	if !d.config.Enabled || !d.known(b.From) {
		return false
	}
	return slices.ContainsFunc(b.Votes, func(v messages.Vote) bool {
		m := d.votes[b.From]
		if v.Seq == 0 {
			m = d.changes[b.From]
		}
		kept, ok := m.votes[placeOf(v)]
		return ok && kept.Value().Digest != v.Digest
	})
}

// Wants reports whether evidence would tell anything new, were it proof. What
// is not wanted need not be judged, and costs nobody anything: a correct member
// passes evidence on once, and a liar as often as it likes. [E9]
func (d *Detector) Wants(e Evidence) bool {
	if !d.config.Enabled || !d.known(e.Member) || !d.members[e.Member].news(e) {
		return false
	}
	for _, b := range e.Bundles {
		if b == nil || b.Epoch != d.config.Epoch {
			return false
		}
	}
	return true
}

// Believe convicts by evidence that was judged, of a peer's or from before a
// restart.
func (d *Detector) Believe(p Proven) []Violation {
	if !p.Valid() || !d.Wants(p.evidence) {
		return nil
	}
	return d.convict(p.evidence)
}

// Learn judges evidence told by a peer and believes it if it holds. What is not
// wanted is not judged. An error says that the evidence proves nothing; whoever
// sent it over its channel answers for that, for a correct member passes on only
// what it has judged. [E9, E12]
func (d *Detector) Learn(k *crypto.Keyring, e Evidence) ([]Violation, error) {
	if k.Epoch() != d.config.Epoch || !d.Wants(e) {
		return nil, nil
	}
	p, err := Judge(k, e)
	if err != nil {
		return nil, err
	}
	return d.Believe(p), nil
}

func (d *Detector) convict(e Evidence) []Violation {
	s := &d.members[e.Member]
	if !s.news(e) {
		return nil
	}
	s.keep(Record{Evidence: e})
	return d.charge(e.Member, TypeEquivocation, &e)
}

// Recall takes back what was held before a restart: a record, judged anew, for
// disks fail. It charges nobody again, and tells nobody.
func (d *Detector) Recall(p Proven, forgiven bool) {
	e := p.evidence
	if !d.Wants(e) || !p.Valid() {
		return
	}
	s := &d.members[e.Member]
	s.keep(Record{e, forgiven})
	s.convicted = s.convicted || !forgiven
	d.rejudge()
}

// RecallPardon takes back up to which checkpoint an operator forgave a
// member's lies, see Pardoned.
func (d *Detector) RecallPardon(id messages.Index, low messages.Seq) {
	if d.known(id) {
		d.members[id].forgiven = low
	}
}

// InvalidSignature charges the peer whose channel brought a bundle with a wrong
// signature: it was obliged to check. The member named in it answers for
// nothing. So do all charges below: they name the channel's peer. [E1, E4]
func (d *Detector) InvalidSignature(peer messages.Index) []Violation {
	return d.charge(peer, TypeInvalidSignature, nil)
}

// Malformed charges a peer for bytes that are no message. A message of a
// version unknown here is not malformed. [W11]
func (d *Detector) Malformed(peer messages.Index) []Violation {
	return d.charge(peer, TypeMalformed, nil)
}

// Oversized charges a peer for exceeding a bound on sizes.
func (d *Detector) Oversized(peer messages.Index) []Violation {
	return d.charge(peer, TypeOversized, nil)
}

// Flooding charges a peer for exceeding its share.
func (d *Detector) Flooding(peer messages.Index) []Violation {
	return d.charge(peer, TypeFlooding, nil)
}

// ProtocolViolation charges a peer for a well-formed message that no correct
// member sends in any state.
func (d *Detector) ProtocolViolation(peer messages.Index) []Violation {
	return d.charge(peer, TypeProtocol, nil)
}

// TimeoutViolation notes that a peer was too late. It only raises a suspicion.
func (d *Detector) TimeoutViolation(peer messages.Index) []Violation {
	return d.charge(peer, TypeTimeout, nil)
}

// NonParticipation notes that a peer took no part. It only raises a suspicion.
func (d *Detector) NonParticipation(peer messages.Index) []Violation {
	return d.charge(peer, TypeNonParticipation, nil)
}

func (d *Detector) charge(id messages.Index, t Type, e *Evidence) []Violation {
	if !d.config.Enabled || !d.known(id) {
		return nil
	}
	s := &d.members[id]
	s.charge(t)
	bans := d.rejudge()
	return []Violation{{Member: id, Type: t, Score: s.score(), Banned: s.banned, Evidence: e, Bans: bans}}
}

func (d *Detector) known(id messages.Index) bool { return int(id) < len(d.members) }

// Forget drops the votes at or below low, the stable checkpoint. Later ones of
// that past are ignored; ViewChanges and NewViews, which have no sequence, go
// when newer ones come.
func (d *Detector) Forget(low messages.Seq) {
	if low <= d.low {
		return
	}
	d.low = low
	for i := range d.votes {
		d.votes[i].forget(low)
	}
}

// CheckpointStable gives members without an attributable violation since the
// last stable checkpoint a tenth of their reputation back. Convictions stay.
func (d *Detector) CheckpointStable() Bans {
	for i := range d.members {
		s := &d.members[i]
		if !s.tainted {
			s.merit = min(s.merit+scoreRecovery, scoreMax)
		}
		s.tainted = false
	}
	return d.rejudge()
}

// Decay lets suspicions of all members fade, one a DecayInterval. The first
// call only starts the measurement; a time before the last is ignored.
func (d *Detector) Decay(now time.Time) {
	if !d.ticking {
		d.ticking, d.decayed = true, now
		return
	}
	passed := now.Sub(d.decayed).Truncate(d.config.DecayInterval)
	if passed <= 0 {
		return
	}
	d.decayed = d.decayed.Add(passed)
	intervals := int64(passed / d.config.DecayInterval)
	fades := int(min(intervals, scoreMax/scorePenalty)) * scorePenalty
	for i := range d.members {
		d.members[i].doubt = max(d.members[i].doubt-fades, 0)
	}
}

// Lift is an operator's pardon: it ends a ban or conviction and restores the
// reputation. The lies held as evidence, and those up to the stable checkpoint
// whenever proof of more turns up, are forgiven; another one convicts again.
// The evidence itself is kept.
func (d *Detector) Lift(id messages.Index) Bans {
	if !d.known(id) {
		return Bans{}
	}
	d.members[id].pardon(d.low)
	return d.rejudge()
}
