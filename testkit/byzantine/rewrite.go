package byzantine

import (
	"slices"

	"github.com/cretoai/consensus/messages"
)

// revote maps the votes of the member's own bundles in a frame of votes, and
// signs what came of them anew; a vote for which f gives false is left out. It
// gives nil if nothing is left, and the same message if nothing changed.
func revote(m *Member, message *messages.Bundles, f func(messages.Vote) (messages.Vote, bool)) *messages.Bundles {
	out := &messages.Bundles{}
	changed := false
	for _, b := range message.Bundles {
		if b.From != m.Self() {
			out.Bundles = append(out.Bundles, b)
			continue
		}
		votes := make([]messages.Vote, 0, len(b.Votes))
		for _, v := range b.Votes {
			if v, ok := f(v); ok {
				votes = append(votes, v)
			}
		}
		if slices.Equal(votes, b.Votes) {
			out.Bundles = append(out.Bundles, b)
			continue
		}
		changed = true
		if sealed := m.Seal(votes...); sealed != nil {
			out.Bundles = append(out.Bundles, sealed)
		}
	}
	switch {
	case !changed:
		return message
	case len(out.Bundles) == 0:
		return nil
	}
	return out
}

// ownVotes lists the member's own votes in a message, of every kind.
func ownVotes(m *Member, message messages.Message) []messages.Vote {
	bundles, ok := message.(*messages.Bundles)
	if !ok {
		return nil
	}
	var votes []messages.Vote
	for _, b := range bundles.Bundles {
		if b.From == m.Self() {
			votes = append(votes, b.Votes...)
		}
	}
	return votes
}

// digests remembers which digests were seen for sequences: a lie is better for
// being about a batch that exists.
type digests struct {
	seen map[messages.Seq][]messages.Digest
}

// digestsMax bounds what is remembered of a sequence, sequencesMax how many.
const (
	digestsMax   = 4
	sequencesMax = 64
)

func (d *digests) see(v messages.Vote) {
	if d.seen == nil {
		d.seen = make(map[messages.Seq][]messages.Digest)
	}
	list := d.seen[v.Seq]
	if v.Kind > messages.Commit || v.Seq == 0 || len(list) >= digestsMax || slices.Contains(list, v.Digest) {
		return
	}
	d.seen[v.Seq] = append(list, v.Digest)
	if v.Seq > sequencesMax {
		delete(d.seen, v.Seq-sequencesMax)
	}
}

func (d *digests) seeAll(message messages.Message) {
	bundles, ok := message.(*messages.Bundles)
	if !ok {
		return
	}
	for _, b := range bundles.Bundles {
		for _, v := range b.Votes {
			d.see(v)
		}
	}
}

// other gives another digest than the one given: one seen at that sequence or
// beside it, the null batch's, or nothing's.
func (d *digests) other(m *Member, seq messages.Seq, than messages.Digest) messages.Digest {
	candidates := []messages.Digest{messages.NullDigest, m.Digest()}
	for _, s := range []messages.Seq{seq - 1, seq, seq + 1} { // wherever that wraps to
		candidates = append(candidates, d.seen[s]...)
	}
	candidates = slices.DeleteFunc(candidates, func(c messages.Digest) bool { return c == than })
	return candidates[m.IntN(len(candidates))]
}

// honest is a behaviour's part that changes nothing; others embed it.
type honest struct{}

// Send implements Behaviour.
func (honest) Send(_ *Member, f Frame, pass func(Frame)) { pass(f) }

// Receive implements Behaviour.
func (honest) Receive(*Member, messages.Index, messages.Message) bool { return true }
