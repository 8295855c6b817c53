package actors

import (
	"bytes"
	"slices"
	"sync"

	"github.com/cretoai/consensus/messages"
)

// unopened keeps the bundles no vote of which was needed, of each member the last
// ones: should it sign something else for one of their places, both are verified
// after all, and prove the lie. [E2]
type unopened struct {
	mu      sync.Mutex
	bundles [][]*messages.Bundle // by member, oldest first
}

// unopenedMax bounds the bundles kept of each member; each has about 5 kB.
const unopenedMax = 64

func newUnopened(n int) *unopened { return &unopened{bundles: make([][]*messages.Bundle, n)} }

// keep takes a bundle that came from its signer, and copies what lies in its frame.
func (u *unopened) keep(b *messages.Bundle) {
	kept := *b
	kept.Signature = bytes.Clone(b.Signature)
	u.mu.Lock()
	defer u.mu.Unlock()
	list := &u.bundles[b.From]
	if len(*list) == unopenedMax {
		*list = slices.Delete(*list, 0, 1)
	}
	*list = append(*list, &kept)
}

// contradicting takes out the bundles in which a bundle's signer says something else
// for a place of it.
func (u *unopened) contradicting(b *messages.Bundle) []*messages.Bundle {
	u.mu.Lock()
	defer u.mu.Unlock()
	var found []*messages.Bundle
	u.bundles[b.From] = slices.DeleteFunc(u.bundles[b.From], func(kept *messages.Bundle) bool {
		contradicts := slices.ContainsFunc(kept.Votes, func(v messages.Vote) bool {
			return slices.ContainsFunc(b.Votes, func(w messages.Vote) bool {
				return v.Kind == w.Kind && v.View == w.View && v.Seq == w.Seq && v.Digest != w.Digest
			})
		})
		if contradicts {
			found = append(found, kept)
		}
		return contradicts
	})
	return found
}
