package twins

import (
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/pure"
)

// heal makes the network whole. From here on views are left when the replicas'
// own managers say so, and one more batch has to become final at all correct
// members, which then have the same ledger.
func (u *run) heal() {
	u.group = nil
	begin := u.now
	for !u.done() && u.result.Violation == "" {
		if u.now.Sub(begin) > recoveryMax {
			u.violated("liveness: %v after the network is whole, %s", recoveryMax, u.standing())
			return
		}
		u.now = u.now.Add(pure.Heartbeat)
		for i, p := range u.replicas {
			u.say(i, p.Beat(u.now, u.waiting(i, begin)))
			u.propose(i)
		}
		u.deliver()
	}
}

// waiting is how long a replica has waited for the last batch in its view.
func (u *run) waiting(i int, begin time.Time) time.Duration {
	p, last := u.replicas[i], u.r.chain.Digests()[0]
	if s := &u.entered[i]; s.view != p.View() || s.since.IsZero() {
		*s = standing{p.View(), u.now}
	}
	if !p.Active() || executed(p, last) {
		return 0
	}
	since := begin
	if u.entered[i].since.After(since) {
		since = u.entered[i].since
	}
	return u.now.Sub(since)
}

// propose has a leader propose the last batch, once a view.
func (u *run) propose(i int) {
	p, last := u.replicas[i], u.r.chain.Digests()[0]
	if !p.Core().Leads() || executed(p, last) || u.proposed[i] == p.View()+1 {
		return
	}
	if said := p.Propose(last); len(said) > 0 {
		u.proposed[i] = p.View() + 1
		u.say(i, said)
	}
}

func executed(p *pure.Replica, digest messages.Digest) bool {
	for _, c := range p.Executed() {
		if c.Digest == digest {
			return true
		}
	}
	return false
}

// done reports whether the correct members have the last batch and one ledger.
func (u *run) done() bool {
	for i, p := range u.replicas {
		if u.correct[i] && (len(p.Executed()) != len(u.decided) || !executed(p, u.r.chain.Digests()[0])) {
			return false
		}
	}
	return true
}

func (u *run) standing() string {
	text := "the members are"
	for i, p := range u.replicas {
		text += " " + u.c.names()[i] + " at " + p.String() + ";"
	}
	return text
}
