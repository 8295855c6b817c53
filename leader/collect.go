package leader

import (
	"slices"

	"github.com/cretoai/consensus/messages"
)

// collection keeps ViewChanges: of each member the one for the target and the
// one for its highest view, two at most. [K1, H6]
type collection struct {
	// target is the view this replica changes to, or, in an active view, the next.
	target  messages.View
	members []kept
}

type kept struct {
	target  *ViewChange
	highest *ViewChange   // nil if it was for a view below the target
	seen    messages.View // of the highest ViewChange that ever came
}

func newCollection(members int) *collection {
	return &collection{target: 1, members: make([]kept, members)}
}

// wants reports whether a member's ViewChange for a view would be kept. A second
// one for the same view is not: who signs two lies, and the first is as good.
func (c *collection) wants(from messages.Index, view messages.View) bool {
	if int(from) >= len(c.members) || view < c.target {
		return false
	}
	k := &c.members[from]
	return view > k.seen || view == c.target && k.target == nil
}

// add keeps a ViewChange if it is wanted.
func (c *collection) add(vc *ViewChange) {
	if !c.wants(vc.From, vc.Body.View) {
		return
	}
	k := &c.members[vc.From]
	if vc.Body.View > k.seen {
		k.highest, k.seen = vc, vc.Body.View
	}
	if vc.Body.View == c.target {
		k.target = vc
	}
}

// aim moves the target up and drops what is below it.
func (c *collection) aim(target messages.View) {
	if target <= c.target {
		return
	}
	c.target = target
	for i := range c.members {
		k := &c.members[i]
		k.target = nil
		switch {
		case k.highest == nil:
		case k.highest.Body.View < target:
			k.highest = nil
		case k.highest.Body.View == target:
			k.target = k.highest
		}
	}
}

// forTarget lists the ViewChanges for the target, ascending by member.
func (c *collection) forTarget() []ViewChange {
	var list []ViewChange
	for i := range c.members {
		if vc := c.members[i].target; vc != nil {
			list = append(list, *vc)
		}
	}
	return list
}

// held is forTarget as a bitmap.
func (c *collection) held() uint64 {
	var bits uint64
	for i := range c.members {
		if c.members[i].target != nil {
			bits |= 1 << i
		}
	}
	return bits
}

// reached counts the members of which a ViewChange for the target or a higher
// view is held.
func (c *collection) reached() int {
	n := 0
	for i := range c.members {
		if c.members[i].target != nil || c.members[i].highest != nil {
			n++
		}
	}
	return n
}

// join is the (f+1)-th highest of the views above the replica's own that members
// ask for: at least one correct member asks for it or a higher one, so no liar alone
// moves anybody, and nobody is left alone behind. [H7]
func (c *collection) join(above messages.View, weak int) (messages.View, bool) {
	var views []messages.View
	for i := range c.members {
		if k := &c.members[i]; k.highest != nil && k.highest.Body.View > above {
			views = append(views, k.highest.Body.View)
		}
	}
	if len(views) < weak {
		return 0, false
	}
	slices.Sort(views)
	return views[len(views)-weak], true
}

// find gives a member's ViewChange by its digest.
func (c *collection) find(member messages.Index, digest messages.Digest) *ViewChange {
	if int(member) >= len(c.members) {
		return nil
	}
	k := &c.members[member]
	for _, vc := range [2]*ViewChange{k.target, k.highest} {
		if vc != nil && vc.digest() == digest {
			return vc
		}
	}
	return nil
}
