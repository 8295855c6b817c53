package detector

import (
	"cmp"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// Reputation is counted in thousandths: in floating point 1 − 8 × 0.1 is not
// below 0.3 in every order of computing it. [E8]
const (
	scoreMax      = 1000
	scorePenalty  = 100 // a violation
	scoreRecovery = 100 // a clean stable checkpoint
	scoreBan      = 300 // banned below
)

// standing is what one replica thinks of one member.
type standing struct {
	// merit is what attributable violations left of the reputation, 0 to
	// scoreMax. Bans depend on it and on conviction alone.
	merit int
	// doubt is what suspicions take off, 0 to scoreMax − scoreBan.
	doubt     int
	tainted   bool // an attributable violation since the last stable checkpoint
	convicted bool
	banned    bool

	tally Tally
	// records hold at most one proof a kind, in the order of kinds. [E9]
	records []Record
	newView newViewRecord
	// forgiven is the stable checkpoint up to which an operator forgave lies.
	forgiven messages.Seq
}

// Record is a proof that is kept, and whether an operator forgave it.
type Record struct {
	Evidence
	Forgiven bool
}

// score is the reputation in thousandths. Doubt alone never takes it below
// scoreBan, and takes nothing off what is below already.
func (s *standing) score() int {
	switch {
	case s.convicted:
		return 0
	case s.merit <= scoreBan:
		return s.merit
	}
	return max(s.merit-s.doubt, scoreBan)
}

func (s *standing) charge(t Type) {
	s.tally[t]++
	switch t.Class() {
	case Provable:
		s.convicted = true
	case Attributable:
		s.merit = max(s.merit-scorePenalty, 0)
		s.tainted = true
	case SuspicionOnly:
		s.doubt = min(s.doubt+scorePenalty, scoreMax-scoreBan)
	}
}

// news reports whether evidence adds something: it is the first of its kind, or
// the first after an operator's pardon, which covers the proof that was held
// and everything up to the stable checkpoint. The sequence the proof held names
// sets no bound: its signer chose it.
func (s *standing) news(e Evidence) bool {
	if e.Seq != 0 && e.Seq <= s.forgiven {
		return false
	}
	i, found := s.find(e.Kind)
	return !found || s.records[i].Forgiven && (s.records[i].View != e.View || s.records[i].Seq != e.Seq)
}

// keep keeps evidence that is news.
func (s *standing) keep(r Record) {
	i, found := s.find(r.Kind)
	if !found {
		s.records = slices.Insert(s.records, i, Record{})
	}
	s.records[i] = r
}

func (s *standing) find(k messages.Kind) (int, bool) {
	return slices.BinarySearchFunc(s.records, k, func(r Record, k messages.Kind) int { return cmp.Compare(r.Kind, k) })
}

// pardon restores the reputation and forgives what was proved.
func (s *standing) pardon(low messages.Seq) {
	s.merit, s.doubt, s.tainted, s.convicted = scoreMax, 0, false, false
	s.forgiven = low
	for i := range s.records {
		s.records[i].Forgiven = true
	}
	s.newView.forgiven = true
}

// rejudge decides who is banned: the convicted, and of those whose merit is
// below scoreBan the least, up to f members in all. It is a function of the
// standings, whatever the order in which they came about. [E6]
func (d *Detector) rejudge() Bans {
	var suspects []messages.Index
	room := messages.MaxFaulty(len(d.members))
	for i := range d.members {
		switch s := &d.members[i]; {
		case s.convicted:
			room--
		case s.merit < scoreBan:
			suspects = append(suspects, messages.Index(i))
		}
	}
	slices.SortStableFunc(suspects, func(a, b messages.Index) int {
		return cmp.Compare(d.members[a].merit, d.members[b].merit)
	})
	suspects = suspects[:min(len(suspects), max(room, 0))]

	var bans Bans
	for i := range d.members {
		s, id := &d.members[i], messages.Index(i)
		switch banned := s.convicted || slices.Contains(suspects, id); {
		case banned && !s.banned:
			bans.Added = append(bans.Added, id)
			s.banned = true
		case !banned && s.banned:
			bans.Ended = append(bans.Ended, id)
			s.banned = false
		}
	}
	return bans
}
