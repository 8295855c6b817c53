package leader

import (
	"fmt"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// plan is what a set of ViewChanges decides about all sequences above min-s.
type plan struct {
	list  []messages.Digest // of min-s + 1, …; does not end in the null batch
	marks []messages.Claim  // the listed claims that rest on a certificate
	// open are the sequences that are undecided, wanted the claims that a
	// prepared certificate would let win there.
	open   []messages.Seq
	wanted []messages.Claim
}

// plan decides about every sequence above min-s that somebody claims was
// prepared, or in optimistic mode accepted; about the others nothing needs deciding. The list ends with the last
// claim that won: null batches behind it stand for nothing, and one false claim at
// the window's end would fill the window with them. A null batch that won as a
// claim is no such thing: it may be committed. [H4]
func (r Rules) plan(s []*messages.ViewChangeBody, minS messages.Seq, certified func(messages.Claim) bool) plan {
	last := minS
	for _, b := range s {
		if n := len(b.Prepared); n > 0 {
			last = max(last, b.Prepared[n-1].Seq)
		}
		if n := len(b.Accepted); n > 0 && r.Optimistic {
			last = max(last, b.Accepted[n-1].Seq)
		}
	}
	var p plan
	listed := 0
	for seq := minS; seq < last; {
		seq++
		c := r.choose(s, certified, seq)
		if !c.decided {
			p.open, p.wanted = append(p.open, seq), append(p.wanted, c.wanted...)
			continue
		}
		p.list = append(p.list, c.claim.Digest)
		if c.claimed {
			listed = len(p.list)
		}
		if c.marked {
			p.marks = append(p.marks, c.claim)
		}
	}
	p.list = p.list[:listed]
	return p
}

// CheckNewView says why a NewView does not follow from its ViewChanges, s[i] being
// the one that b.ViewChanges[i] names. Whoever signed it then lied, whatever the
// checker holds or did: nothing but b and s enters. What b marks must be
// certified, and the checkpoint at min-s must be, for the NewView to be accepted;
// but that is no matter of following. [H5]
func (r Rules) CheckNewView(b *messages.NewViewBody, s []*messages.ViewChangeBody) error {
	if err := r.CheckSupport(b); err != nil {
		return err
	}
	for i, vc := range s {
		member := b.ViewChanges[i].Member
		if vc.View != b.View {
			return fmt.Errorf("the view-change of member %d is for view %d", member, vc.View)
		}
		if vc.Low > b.MinS {
			return fmt.Errorf("the view-change of member %d hides its claims up to %d, above %d", member, vc.Low, b.MinS)
		}
		if err := CheckViewChange(vc, r.Window); err != nil {
			return fmt.Errorf("the view-change of member %d is invalid: %w", member, err)
		}
	}
	p := r.plan(s, b.MinS, func(c messages.Claim) bool { return slices.Contains(b.Marks, c) })
	return p.compare(b)
}

// CheckSupport checks that a quorum of members supports the NewView. Distinct
// members are the body's own affair. A NewView without it condemns itself.
func (r Rules) CheckSupport(b *messages.NewViewBody) error {
	if len(b.ViewChanges) < r.Quorum {
		return fmt.Errorf("%d view-changes are no quorum of %d", len(b.ViewChanges), r.Quorum)
	}
	if last := b.ViewChanges[len(b.ViewChanges)-1].Member; int(last) >= r.Members { // ascending
		return fmt.Errorf("a view-change of member %d of %d", last, r.Members)
	}
	return nil
}

// compare holds a NewView against what its ViewChanges decide: exactly.
func (p plan) compare(b *messages.NewViewBody) error {
	if len(p.open) > 0 {
		return fmt.Errorf("sequence %d is not decided by its view-changes", p.open[0])
	}
	if len(b.List) != len(p.list) {
		return fmt.Errorf("it lists %d sequences instead of %d", len(b.List), len(p.list))
	}
	for i, d := range p.list {
		if b.List[i] != d {
			return fmt.Errorf("it lists %v at sequence %d instead of %v", b.List[i], b.MinS+1+messages.Seq(i), d)
		}
	}
	if !slices.Equal(b.Marks, p.marks) {
		return fmt.Errorf("it marks %d claims, not the %d that rest on a certificate", len(b.Marks), len(p.marks))
	}
	return nil
}
