package leader

import "github.com/cretoai/consensus/messages"

// In optimistic mode a batch is decided once all members accepted it, and whoever saw
// that may have said nothing else: Q-claims are all that is left of it. [F1, F2]
//
// Let d have been accepted by all correct members in view v. Every claim for another
// digest in v or above lacks a correct member behind it, so it fails A2, A2′ and F; and
// so it goes on, for what is listed next is d. A claim below v comes after those for d,
// of which one satisfies A1 whenever one below does: what contradicts the higher claim
// contradicts the lower one, and B, too. Let d have been committed by a quorum in v.
// Then A1 holds for no other claim of v or below, and one above that satisfies F has a
// correct member behind it, who accepted it because an earlier choice listed it. So d
// stays.
//
// With the ViewChanges of all correct members each sequence is decided. A Q-claim above
// all P-claims of correct members is contradicted by none of them, and wins if F holds
// for it; else the highest P-claim of a correct member does, as without Q-claims, or B
// holds.

// unanimous is F: all correct members may have accepted what q claims, in its view or
// since, for all members of s but f say so.
func (r Rules) unanimous(s []*messages.ViewChangeBody, q messages.Claim) bool {
	deny := 0
	for _, b := range s {
		if !acceptedSince(b, q) {
			deny++
		}
	}
	return deny <= messages.MaxFaulty(r.Members)
}
