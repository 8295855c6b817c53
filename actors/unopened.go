package actors

import (
	"slices"
	"sync"

	"github.com/cretoai/consensus/messages"
)

// unopened keeps the bundles no vote of which was needed, of each member the last
// ones: should it sign something else for one of their places, both are verified
// after all, and prove the lie. [E2]
type unopened struct {
	mu      sync.Mutex
	bundles [][]unopenedBundle // by member, oldest first
}

// unopenedBundle is a bundle with the sequences it is about: most of them are others
// than those a bundle is compared for.
type unopenedBundle struct {
	low, high messages.Seq
	*messages.Bundle
}

// unopenedMax bounds the bundles kept of each member; each has about 5 kB.
const unopenedMax = 64

func newUnopened(n int) *unopened { return &unopened{bundles: make([][]unopenedBundle, n)} }

// keep takes a bundle that came from its signer.
func (u *unopened) keep(b *messages.Bundle) {
	low, high := span(b.Votes)
	u.mu.Lock()
	defer u.mu.Unlock()
	list := &u.bundles[b.From]
	if len(*list) == unopenedMax {
		*list = slices.Delete(*list, 0, 1)
	}
	*list = append(*list, unopenedBundle{low, high, b})
}

// contradicting takes out the bundles in which a bundle's signer says something else
// for a place of it.
func (u *unopened) contradicting(b *messages.Bundle) []*messages.Bundle {
	low, high := span(b.Votes)
	u.mu.Lock()
	defer u.mu.Unlock()
	var found []*messages.Bundle
	u.bundles[b.From] = slices.DeleteFunc(u.bundles[b.From], func(kept unopenedBundle) bool {
		if kept.high < low || kept.low > high || !contradict(kept.Votes, b.Votes) {
			return false
		}
		found = append(found, kept.Bundle)
		return true
	})
	return found
}

// span gives the lowest and the highest sequence of votes.
func span(votes []messages.Vote) (low, high messages.Seq) {
	low = votes[0].Seq
	for _, v := range votes {
		low, high = min(low, v.Seq), max(high, v.Seq)
	}
	return low, high
}

// contradict reports whether votes of one member say two things of one place.
func contradict(some, others []messages.Vote) bool {
	return slices.ContainsFunc(some, func(v messages.Vote) bool {
		return slices.ContainsFunc(others, func(w messages.Vote) bool {
			return v.Kind == w.Kind && v.View == w.View && v.Seq == w.Seq && v.Digest != w.Digest
		})
	})
}
