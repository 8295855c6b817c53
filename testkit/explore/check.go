package explore

import (
	"fmt"

	"github.com/cretoai/consensus/messages"
)

// check looks at a state: what the replica that came to it decided, and what all
// signed. That nobody signs twice, votes in a view it left or leaves a claim out
// was looked at when it was signed.
func (s *state) check(optimistic bool) error {
	n := s.nodes[s.at.replica.Self]
	for _, other := range s.nodes {
		if other == nil || other == n {
			continue
		}
		for i, d := range n.decisions {
			if o := other.decisions[i]; !d.IsZero() && !o.IsZero() && o != d {
				return fmt.Errorf("replicas %d and %d committed %v and %v at sequence %d", n.replica.Self, other.replica.Self, d, o, i+1)
			}
		}
	}
	for seq := range sequencesMax {
		if err := s.stays(seq, optimistic); err != nil {
			return err
		}
	}
	return nil
}

// stays: where so many correct members signed a Commit that a quorum may have,
// none votes for anything else in a higher view, and no other digest has as many. In
// optimistic mode nor do they where all correct members signed that they accepted it.
// In one view correct members have prepared one digest, whether it is committed or
// not.
func (s *state) stays(seq int, optimistic bool) error {
	locked, lock := uint8(0), 0
	for view := range viewsMax {
		for _, n := range s.nodes {
			if n == nil {
				continue
			}
			for kind := messages.PrePrepare; kind <= messages.Commit; kind++ {
				if d := n.cast[kind][view][seq]; locked > 0 && d > 0 && d != locked {
					return fmt.Errorf("replica %d signs a %v for another digest in view %d at sequence %d than the one that may have been committed there in view %d", n.replica.Self, kind, view, seq+1, lock)
				}
			}
		}
		if d := s.unanimous(view, seq); optimistic && d > 0 {
			if locked > 0 && locked != d {
				return fmt.Errorf("one digest may have been committed at sequence %d in view %d, and all accepted another in view %d", seq+1, lock, view)
			}
			locked, lock = d, view
		}
		for _, n := range s.nodes {
			if n == nil || n.cast[messages.Commit][view][seq] == 0 || n.cast[messages.Commit][view][seq] == locked {
				continue
			}
			if s.preparedOtherwise(view, seq, n.cast[messages.Commit][view][seq]) {
				return fmt.Errorf("two digests are prepared in view %d at sequence %d", view, seq+1)
			}
			if d := n.cast[messages.Commit][view][seq]; s.committing(view, seq, d) >= quorum-faulty {
				if locked > 0 {
					return fmt.Errorf("two digests may have been committed in view %d at sequence %d", view, seq+1)
				}
				locked, lock = d, view
			}
		}
	}
	return nil
}

// preparedOtherwise reports whether a correct member signed a Commit for another
// digest.
func (s *state) preparedOtherwise(view, seq int, d uint8) bool {
	for _, n := range s.nodes {
		if n != nil && n.cast[messages.Commit][view][seq] != 0 && n.cast[messages.Commit][view][seq] != d {
			return true
		}
	}
	return false
}

// committing counts the correct members that signed a Commit.
func (s *state) committing(view, seq int, d uint8) (count int) {
	for _, n := range s.nodes {
		if n != nil && n.cast[messages.Commit][view][seq] == d {
			count++
		}
	}
	return count
}

// accepted is the digest that a member signed as accepted, by a PrePrepare or a
// Prepare; 0 if there is none.
func (n *node) accepted(view, seq int) uint8 {
	return max(n.cast[messages.PrePrepare][view][seq], n.cast[messages.Prepare][view][seq])
}

// unanimous is the digest that all correct members signed as accepted, 0 if there is
// none: with the liar's word it is decided in optimistic mode.
func (s *state) unanimous(view, seq int) (d uint8) {
	for _, n := range s.nodes {
		if n == nil {
			continue
		}
		own := n.accepted(view, seq)
		if own == 0 || d > 0 && own != d {
			return 0
		}
		d = own
	}
	return d
}
