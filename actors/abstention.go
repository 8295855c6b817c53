package actors

import (
	"fmt"
	"time"

	"github.com/cretoai/consensus/messages"
)

// A channel that is open says nothing about votes. No message says that its sender
// does not vote, but two things show it: whoever observes [D4] asks everybody, with
// every heartbeat, whether it has ever voted; and whoever stays more than a window
// behind has no place to vote in. The latter is all that shows of a member that has
// halted, so it shows only after the others have gone on for a window.

// recalling notes that a member asked whether it has ever voted.
func (p *peers) recalling(from messages.Index) {
	now := p.clock.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[from] = now
}

// abstains says why no vote of a member is to be expected, "" if nothing shows
// that. What lasts shorter than patience shows nothing.
func (p *peers) abstains(member messages.Index, executed, window messages.Seq, patience time.Duration) string {
	now := p.clock.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := p.asked[member]; !at.IsZero() && now.Sub(at) < patience {
		return "it observes, since its disk or its journal was empty"
	}
	st := p.latest[member]
	if st != nil && executed > window && st.Executed < executed-window && now.Sub(p.moved[member]) >= patience {
		return fmt.Sprintf("it stands still at sequence %d, more than a window behind", st.Executed)
	}
	return ""
}

// Abstains says why no vote of another member is to be expected, as far as this
// replica can know; "" if nothing shows that. Members that are not connected are
// not looked at.
func (t *Tree) Abstains(member messages.Index) string {
	return t.peers.abstains(member, t.Progress().Seq, t.cfg.Genesis.Params.Window, t.cfg.HeartbeatTimeout)
}

// showPeers tells operators how many others there are to count on, and how far
// behind each is. One that was never heard of has executed nothing, for all that is
// known.
func (t *Tree) showPeers() {
	t.cfg.Metrics.SetPeersConnected(t.Connected())
	t.cfg.Metrics.SetPeersVoting(t.Voting())
	executed := t.Progress().Seq
	for i := range t.n {
		m := messages.Index(i)
		if m == t.cfg.Self {
			continue
		}
		var theirs messages.Seq
		if st := t.Peer(m); st != nil {
			theirs = st.Executed
		}
		t.cfg.Metrics.SetPeerBehind(i, uint64(executed-min(theirs, executed)))
	}
}

// Voting is how many other members are connected of which votes are to be expected.
func (t *Tree) Voting() int {
	count := 0
	for i := range t.n {
		if m := messages.Index(i); m != t.cfg.Self && t.ConnectedTo(m) && t.Abstains(m) == "" {
			count++
		}
	}
	return count
}
