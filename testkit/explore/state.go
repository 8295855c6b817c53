package explore

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/pure"
)

// start is when everything happens: time does not pass here.
var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// node is a correct member: its replica, and what it ever signed, which the
// network never forgets. It does not change; a step makes another one. There is
// one of each kind, by its number.
type node struct {
	replica     *pure.Replica
	votes       []pure.Vote // in the order of compareVotes
	viewChanges []*leader.ViewChange
	newViews    []*newView
	crashes     int
	number      uint32 // from 1
	decisions   [sequencesMax]messages.Digest
	cast        [messages.Commit + 1][viewsMax][sequencesMax]uint8 // its votes, by kind, view and sequence: one more than the digest's index
	about       []uint32                                           // by view: the number of what it has to say about that view's beginning
}

// state is one of the whole: of the liar there is nothing to know.
type state struct {
	nodes   [members]*node // nil of the liar
	crashes int
	depth   int
	// parent, at and by are how the search came here: at took by.
	parent *state
	at     *node
	by     input
}

func (s *state) key() (k key) {
	for i, n := range s.nodes {
		if n != nil {
			binary.LittleEndian.PutUint32(k[4*i:], n.number)
		}
	}
	return k
}

// steps lists what led to a state.
func (w *world) steps(s *state) []string {
	var list []string
	for ; s.parent != nil; s = s.parent {
		list = append(list, w.story(s.at, s.by))
	}
	slices.Reverse(list)
	return list
}

func compareVotes(a, b messages.Vote) int {
	return cmp.Or(cmp.Compare(a.View, b.View), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Kind, b.Kind), slices.Compare(a.Digest[:], b.Digest[:]))
}

// did makes the node that follows when its replica, already a clone, said this.
func (w *world) did(before *node, r *pure.Replica, said []pure.Message, crashes int) (*node, error) {
	n := &node{replica: r, votes: before.votes, viewChanges: before.viewChanges, newViews: before.newViews, crashes: crashes}
	for _, m := range said {
		switch b := m.Body.(type) {
		case pure.Votes:
			for _, v := range b.Votes {
				if err := n.vote(v); err != nil {
					return nil, err
				}
			}
		case pure.ViewChange:
			if err := n.left(b.ViewChange); err != nil {
				return nil, err
			}
		case pure.NewView:
			e := r.Core().Entered()
			nv := w.entered.get(kindOf(e), func(number uint32) *newView {
				if !w.cfg.Managed {
					panic("explore: a new-view nobody made")
				}
				return w.announce(e, number)
			})
			if err := n.began(nv); err != nil {
				return nil, err
			}
		case pure.Batch, pure.Stable, pure.Decided, pure.Prepared, pure.Status, pure.FetchBatches, pure.FetchViewChange, pure.FetchPrepared, pure.Blame:
		}
	}
	if why := r.Alarm(); why != "" {
		return nil, fmt.Errorf("replica %d stops voting: %s", r.Self, why)
	}
	if c := r.Core().Certified(); c.Seq > 0 && len(c.Bundles) < quorum {
		return nil, fmt.Errorf("replica %d takes checkpoint %d for stable, for which %d members signed", r.Self, c.Seq, len(c.Bundles))
	}
	for i := range n.decisions {
		if c, ok := r.Decision(messages.Seq(i + 1)); ok {
			n.decisions[i] = c.Digest
		}
	}
	for _, v := range n.votes {
		if vote := v.Value(); vote.Kind <= messages.Commit {
			n.cast[vote.Kind][vote.View][vote.Seq-1] = uint8(w.index(vote.Digest)) + 1
		}
	}
	return w.intern(n), nil
}

// vote notes a vote that left. [V1]
func (n *node) vote(v pure.Vote) error {
	if v.From() != n.replica.Self {
		return nil // passed on
	}
	vote := v.Value()
	for _, before := range n.votes {
		b := before.Value()
		if b == vote {
			return nil
		}
		if b.Kind == vote.Kind && b.View == vote.View && b.Seq == vote.Seq {
			return fmt.Errorf("replica %d signs %v and %v as its %v of view %d, sequence %d", n.replica.Self, b.Digest, vote.Digest, vote.Kind, vote.View, vote.Seq)
		}
	}
	for _, vc := range n.viewChanges {
		if vc.Body.View > vote.View && vote.Kind <= messages.Commit {
			return fmt.Errorf("replica %d signs %v after its view-change for view %d", n.replica.Self, vote, vc.Body.View)
		}
	}
	at, _ := slices.BinarySearchFunc(n.votes, vote, func(x pure.Vote, y messages.Vote) int { return compareVotes(x.Value(), y) })
	n.votes = slices.Insert(slices.Clone(n.votes), at, v)
	return nil
}

// left notes a ViewChange that left: it must claim what a Commit rests on, or
// what a quorum committed is not carried by every quorum. [V4, V7]
func (n *node) left(vc leader.ViewChange) error {
	for _, before := range n.viewChanges {
		if before.Body.View == vc.Body.View {
			if before.Body.Digest() == vc.Body.Digest() {
				return nil
			}
			return fmt.Errorf("replica %d signs two view-changes for view %d", n.replica.Self, vc.Body.View)
		}
	}
	for _, v := range n.votes {
		vote := v.Value()
		if vote.Kind != messages.Commit || vote.View >= vc.Body.View || vote.Seq <= vc.Body.Low {
			continue
		}
		carried := slices.ContainsFunc(vc.Body.Prepared, func(c messages.Claim) bool {
			return c.Seq == vote.Seq && (c.View > vote.View || c.View == vote.View && c.Digest == vote.Digest)
		})
		if !carried {
			return fmt.Errorf("the view-change of replica %d for view %d does not claim what it signed: %v", n.replica.Self, vc.Body.View, vote)
		}
	}
	n.viewChanges = append(slices.Clip(n.viewChanges), &vc)
	slices.SortFunc(n.viewChanges, func(a, b *leader.ViewChange) int { return cmp.Compare(a.Body.View, b.Body.View) })
	return nil
}

// began notes a NewView that left.
func (n *node) began(nv *newView) error {
	switch before := n.newView(nv.view()); {
	case before == nil:
		n.newViews = append(slices.Clip(n.newViews), nv)
	case before != nv:
		return fmt.Errorf("replica %d signs two new-views for view %d", n.replica.Self, nv.view())
	}
	return nil
}

// intern gives the one node of this kind.
func (w *world) intern(n *node) *node {
	b := n.replica.AppendCanonical(w.buffer(), w.cfg.Crashes > n.crashes)
	b = append(b, byte(n.replica.Self), byte(n.crashes))
	for _, v := range n.votes {
		b = appendVote(b, v.Value())
	}
	for _, vc := range n.viewChanges {
		d := vc.Body.Digest()
		b = append(append(b, byte(vc.Body.View), byte(vc.Stable.Seq)), d[:]...)
	}
	for _, nv := range n.newViews {
		b = binary.LittleEndian.AppendUint32(b, nv.number)
	}
	k := sha256.Sum256(b)
	w.reuse(b)
	return w.nodes.get(k, func(number uint32) *node {
		n.number = number
		for view := range messages.View(w.cfg.Views) {
			n.about = append(n.about, w.topics.get(sha256.Sum256(n.onView(view)), func(number uint32) uint32 { return number }))
		}
		return n
	})
}

// onView is all that a node has to say about how a view may begin.
func (n *node) onView(view messages.View) (b []byte) {
	if vc := n.viewChange(view); vc != nil {
		d := vc.Body.Digest()
		b = append(append(b, 1, byte(vc.Stable.Seq)), d[:]...)
	}
	for _, v := range n.votes {
		if vote := v.Value(); vote.Kind == messages.Checkpoint || vote.Kind == messages.Prepare && vote.View < view {
			b = appendVote(b, vote)
		}
	}
	return b
}

func appendVote(b []byte, v messages.Vote) []byte {
	b = append(b, byte(v.Kind), byte(v.View), byte(v.Seq))
	return append(b, v.Digest[:]...)
}

func (n *node) viewChange(view messages.View) *leader.ViewChange {
	for _, vc := range n.viewChanges {
		if vc.Body.View == view {
			return vc
		}
	}
	return nil
}

func (n *node) newView(view messages.View) *newView {
	for _, nv := range n.newViews {
		if nv.view() == view {
			return nv
		}
	}
	return nil
}

// said gives a node's vote of a kind in a view at a sequence.
func (n *node) said(kind messages.Kind, view messages.View, seq messages.Seq) (pure.Vote, bool) {
	for _, v := range n.votes {
		if vote := v.Value(); vote.Kind == kind && vote.View == view && vote.Seq == seq {
			return v, true
		}
	}
	return pure.Vote{}, false
}
