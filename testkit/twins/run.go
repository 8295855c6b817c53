package twins

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/pure"
)

// Bounds of a run: how long the cluster may take, in its own time, until what is
// proposed after the last round is final, and how many messages a round may have,
// which only one that goes round in circles reaches.
const (
	recoveryMax = 60 * time.Second
	messagesMax = 20_000
)

// The chain of a run: the batches proposed in rounds, one a replica, and one after.
const (
	interval = 2
	window   = 6
)

// Runner runs scenarios of a Space, one after the other.
type Runner struct {
	chain *pure.Chain
}

// NewRunner makes one.
func NewRunner(s *Space) *Runner {
	batches := 1 + s.Rounds*(s.Members+messages.MaxFaulty(s.Members))
	return &Runner{pure.NewChain(s.Members, batches, interval, window)}
}

// Result is what came of a scenario.
type Result struct {
	// Hash covers every message: of one scenario it is always the same.
	Hash      [32]byte
	Messages  int
	Sequences int           // executed by all correct members
	View      messages.View // the highest of any correct member
	// Violation is the first property broken, "" if none was.
	Violation string
}

// run is one on the way.
type run struct {
	r        *Runner
	c        Scenario
	identity []messages.Index
	correct  []bool // by replica
	replicas []*pure.Replica
	group    []int
	now      time.Time
	queue    []sent
	hash     hash.Hash
	result   Result
	voted    map[place]messages.Digest
	decided  []messages.Digest // by sequence, by any correct replica
	seen     []int             // by replica: the decisions looked at
	entered  []standing
	proposed []messages.View // by replica: one more than the last view in which it proposed the last batch
}

type sent struct {
	from, to int
	body     pure.Body
}

type place struct {
	member messages.Index
	kind   messages.Kind
	view   messages.View
	seq    messages.Seq
}

// standing is since when a replica is in its view, for its vertices to be timed.
type standing struct {
	view  messages.View
	since time.Time
}

// Run runs one scenario: its rounds, then a network that is whole.
func (r *Runner) Run(c Scenario) Result {
	u := &run{
		r: r, c: c, identity: c.Identities(), hash: sha256.New(), voted: make(map[place]messages.Digest),
		now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	for i, m := range u.identity {
		u.replicas = append(u.replicas, pure.NewManaged(r.chain, m, u.now))
		u.correct = append(u.correct, !slices.Contains(c.Doubled, int(m)))
		_ = i
	}
	u.seen, u.entered, u.proposed = make([]int, len(u.identity)), make([]standing, len(u.identity)), make([]messages.View, len(u.identity))
	for i, round := range c.Rounds {
		u.round(i, round)
		if u.result.Violation != "" {
			break
		}
	}
	if u.result.Violation == "" {
		u.heal()
	}
	u.hash.Sum(u.result.Hash[:0])
	u.result.Sequences = len(u.decided)
	for i, p := range u.replicas {
		if u.correct[i] {
			u.result.View = max(u.result.View, p.View())
			u.result.Sequences = min(u.result.Sequences, len(p.Executed()))
		}
	}
	return u.result
}

func (u *run) violated(format string, args ...any) {
	if u.result.Violation == "" {
		u.result.Violation = fmt.Sprintf(format, args...)
	}
}

// round splits the network, has everybody leave, and whoever leads propose.
func (u *run) round(number int, round Round) {
	u.group = round.Group
	if round.Leader >= 0 {
		view := u.next(round.Leader)
		for i, p := range u.replicas {
			u.say(i, p.Leave(view))
		}
		u.deliver()
	}
	digests := u.r.chain.Digests()
	for i, p := range u.replicas {
		if p.Core().Leads() {
			u.say(i, p.Propose(digests[1+number*len(u.replicas)+i]))
		}
	}
	u.deliver()
	u.now = u.now.Add(pure.Heartbeat)
}

// next is the first view above all that a member leads.
func (u *run) next(leader int) messages.View {
	var top messages.View
	for _, p := range u.replicas {
		top = max(top, p.View())
	}
	for top++; u.r.chain.Leader(top) != messages.Index(leader); top++ {
	}
	return top
}

// say sends what left a replica to whoever is in its group. What a member is told
// both its twins hear; what it says itself neither does.
func (u *run) say(from int, said []pure.Message) {
	for _, m := range said {
		u.look(from, m.Body)
		for to, member := range u.identity {
			if member != u.identity[from] && (m.To == member || m.To == pure.Everyone) && (u.group == nil || u.group[from] == u.group[to]) {
				u.queue = append(u.queue, sent{from, to, m.Body})
			}
		}
	}
	u.check(from)
}

// deliver brings everything, in the order in which it was said.
func (u *run) deliver() {
	for i := 0; i < len(u.queue) && u.result.Violation == ""; i++ {
		m := u.queue[i]
		if v, ok := m.body.(pure.Votes); ok && v.Votes[0].From() == u.identity[m.to] {
			continue // its twin's: it would notice, and stop
		}
		if u.result.Messages++; i > messagesMax {
			u.violated("liveness: more than %d messages, and no end", messagesMax)
		}
		u.note(m)
		u.say(m.to, u.replicas[m.to].Hear(u.now, u.identity[m.from], m.body))
	}
	u.queue = u.queue[:0]
}

// note hashes a message: who, to whom, and what.
func (u *run) note(m sent) {
	b := fmt.Appendf(nil, "%d %d %T", m.from, m.to, m.body)
	if v, ok := m.body.(pure.Votes); ok {
		for _, v := range v.Votes {
			vote := v.Value()
			b = binary.BigEndian.AppendUint64(append(b, byte(vote.Kind)), uint64(vote.View))
			b = binary.BigEndian.AppendUint64(b, uint64(vote.Seq))
			b = append(b, vote.Digest[:]...)
		}
	}
	u.hash.Write(b)
}

// look holds what a correct replica signs against what it signed before, and has
// it blame nobody correct.
func (u *run) look(from int, b pure.Body) {
	if blame, ok := b.(pure.Blame); ok && u.correct[from] && !slices.Contains(u.c.Doubled, int(blame.Member)) {
		u.violated("no correct member is blamed: replica %d blames member %d: %s", from, blame.Member, blame.Why)
	}
	votes, ok := b.(pure.Votes)
	if !ok || !u.correct[from] {
		return
	}
	for _, v := range votes.Votes {
		if v.From() != u.identity[from] {
			continue
		}
		vote := v.Value()
		at := place{v.From(), vote.Kind, vote.View, vote.Seq}
		if before, ok := u.voted[at]; ok && before != vote.Digest {
			u.violated("one vote: member %d signs %v and %v as its %v of view %d, sequence %d", v.From(), before, vote.Digest, vote.Kind, vote.View, vote.Seq)
		}
		u.voted[at] = vote.Digest
	}
}

// check holds what a correct replica decided against what others did.
func (u *run) check(i int) {
	p := u.replicas[i]
	if !u.correct[i] {
		return
	}
	if why := p.Alarm(); why != "" {
		u.violated("no alarm: member %d stops voting: %s", u.identity[i], why)
	}
	for ledger := p.Executed(); u.seen[i] < len(ledger); u.seen[i]++ {
		d := ledger[u.seen[i]].Digest
		if u.seen[i] == len(u.decided) {
			u.decided = append(u.decided, d)
		}
		if u.decided[u.seen[i]] != d {
			u.violated("agreement: member %d executes %v at sequence %d, another executed %v", u.identity[i], d, u.seen[i]+1, u.decided[u.seen[i]])
		}
	}
}
