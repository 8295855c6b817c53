package actors

import (
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// What one member may cost this replica. Every frame costs credit, what has to
// be verified most; credit comes back with every heartbeat, and at once for what
// turned out worth its verification. So a member whose votes are valid and new
// is held up by nothing, whatever its speed, and one that floods, with garbage,
// with the far future, or with the same again and again, has its frames wait: by
// and by the transport stops reading from it, and it delays its own messages
// only. Nothing waiting is lost, save beyond heldBytesMax. [S10, K1]
const (
	creditMax    = 4096
	creditRefill = 1280 // a heartbeat: under 100 verifications, a hundredth of a second

	costFrame  = 2  // reading any frame, and for each costBytes of it as much as a unit
	costBundle = 12 // verifying a bundle
	costVain   = 8  // looking at a bundle nobody needs
	costBytes  = 16 << 10

	// heldBytesMax bounds the frames of one member that wait. The transport's own
	// bound is lower: this is for transports that have none.
	heldBytesMax = 16 << 20

	// wasteMax is how much credit a member may waste on valid votes that are known
	// between two heartbeats, and floodedMax for how many of them in a row before
	// that is a flood. A correct member sends again what it is told is lacking, at
	// most 64 bundles a heartbeat, which costs three quarters of it; one that floods
	// wastes all of its refill but the reading.
	wasteMax   = 1000
	floodedMax = 8
)

// budget is one member's.
type budget struct {
	credit  int
	waiting []*cluster.Inbound
	held    int // bytes that wait
	wasted  int // since the last heartbeat
	flooded int // heartbeats in a row with more waste than any correct member makes
	known   voted
}

func newBudgets(n int) []budget {
	budgets := make([]budget, n)
	for i := range budgets {
		budgets[i].credit = creditMax
	}
	return budgets
}

// costOf is what reading a frame costs, whatever is in it.
func costOf(frame []byte) int { return costFrame + len(frame)/costBytes }

// busy reports whether a frame that comes now has to wait.
func (b *budget) busy() bool { return b.credit <= 0 || len(b.waiting) > 0 }

// hold keeps a frame until there is credit, and reports whether there was room.
func (b *budget) hold(in *cluster.Inbound) bool {
	if b.held+len(in.Frame) > heldBytesMax {
		return false
	}
	b.waiting = append(b.waiting, in)
	b.held += len(in.Frame)
	return true
}

// next gives the oldest frame that waits, if there is credit for it.
func (b *budget) next() *cluster.Inbound {
	if b.credit <= 0 || len(b.waiting) == 0 {
		return nil
	}
	in := b.waiting[0]
	b.waiting[0] = nil
	if b.waiting = b.waiting[1:]; len(b.waiting) == 0 {
		b.waiting = nil
	}
	b.held -= len(in.Frame)
	return in
}

func (b *budget) spend(cost int) { b.credit -= cost }

func (b *budget) refund(cost int) { b.credit = min(b.credit+cost, creditMax) }

// beat gives a heartbeat's credit, and reports whether the member flooded.
func (b *budget) beat(refill int) (flooded bool) {
	b.refund(refill)
	if b.wasted < wasteMax {
		b.flooded = 0
	} else {
		b.flooded++
	}
	b.wasted = 0
	if b.flooded < floodedMax {
		return false
	}
	b.flooded = 0
	return true
}

// settle gives back what a frame's valid bundles cost, and those that were spared,
// but for bundles of which all they say was known.
func (b *budget) settle(votes []crypto.Verified[messages.Vote], spared []*messages.Bundle) {
	news := false
	for bundle := range bundlesOf(votes) {
		news = b.settleBundle(bundle) || news
	}
	for _, bundle := range spared {
		news = b.settleBundle(bundle) || news
	}
	if news {
		b.refund(costFrame)
	}
}

func (b *budget) settleBundle(bundle *messages.Bundle) (news bool) {
	for _, v := range bundle.Votes {
		news = b.known.add(v) || news
	}
	if news {
		b.refund(costBundle)
	} else {
		b.wasted += costBundle
	}
	return news
}

// voted are the places for which a member's vote came and was not invalid. Another
// digest for one is no news here: it convicts.
type voted map[votedPlace]struct{}

type votedPlace struct {
	kind messages.Kind
	view messages.View
	seq  messages.Seq
}

// votedMax bounds the places remembered of one member, which are those of the
// two windows and few views that relevant lets through.
const votedMax = 1 << 14

func (k *voted) add(v messages.Vote) (fresh bool) {
	p := votedPlace{v.Kind, v.View, v.Seq}
	if _, ok := (*k)[p]; ok || v.Seq == 0 || len(*k) >= votedMax {
		return false
	}
	if *k == nil {
		*k = make(voted)
	}
	(*k)[p] = struct{}{}
	return true
}

func (k *voted) forget(low messages.Seq) {
	for p := range *k {
		if p.seq <= low {
			delete(*k, p)
		}
	}
}
