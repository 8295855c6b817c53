package actors

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// fetched is a certified batch a member sent on request, verified.
type fetched struct {
	from     messages.Index
	decision *decided
}

// rested says that the rest between two ranges is over, or between two rounds of
// parts.
type rested struct{ parts bool }

// catchUp brings a replica that missed something up to the others with
// certified batches, and serves those who ask. Who is behind pulls, a range at
// a time, from one member after the other; nothing is pushed. [R3]
type catchUp struct {
	t        *Tree
	executed messages.Seq
	before   messages.Seq   // executed at the last heartbeat
	peers    []messages.Seq // what each member says it executed
	asked    messages.Seq   // the end of the range asked for, 0 when none
	from     messages.Index // whom
	slow     []bool         // members that did not bring what they were asked for, or not soon
	patience patience
	pace     pace
	batches  breath
	rest     runtime.Timer
	transfer *transfer
	serving  *serving
}

// fetchRange is how many sequences one request asks for: full batches that fit the
// transport's lane for bulk.
const fetchRange = 16

func newCatchUp(t *Tree) *catchUp {
	return &catchUp{
		t: t, executed: t.Progress().Seq, peers: make([]messages.Seq, t.n), slow: make([]bool, t.n),
		patience: newPatience(t.n, t.cfg.Heartbeat), transfer: newTransfer(t), serving: newServing(t),
	}
}

func (s *catchUp) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		s.transfer.resume(c, s.executed)
	case *statusArrived:
		s.peers[m.from] = m.status.Executed
	case *executed:
		s.onExecuted(c, m.seq)
	case *actor.Restarting, *actor.Stopping:
		for _, timer := range []runtime.Timer{s.rest, s.transfer.rest} {
			if timer != nil {
				timer.Stop()
			}
		}
	case *rested:
		if m.parts {
			s.transfer.rest = nil
			s.askParts(c)
		} else if s.asked == 0 {
			s.ask(c)
		}
	case *decidedOffered:
		s.onOffered(c, m)
	case *fetched:
		s.onFetched(c, m)
	case *decidedWanted:
		s.serving.decided(c, m)
	case *manifestWanted:
		s.serving.manifest(c, m)
	case *chunkWanted:
		s.serving.chunk(c, m.from, m.request)
	case *installed:
		s.executed = max(s.executed, m.stable.Seq)
		s.asked = 0
		s.transfer.perform(c, s.transfer.core.Installed(m.stable.Seq))
		s.ask(c)
	default:
		s.onTransfer(c)
	}
}

// onExecuted goes on when all of a range is there, without waiting for a heartbeat.
func (s *catchUp) onExecuted(c actor.Context, seq messages.Seq) {
	now, progress := s.t.cfg.Clock.Now(), seq > s.executed
	s.executed = max(s.executed, seq)
	s.transfer.perform(c, s.transfer.core.Executed(s.executed))
	if s.asked == 0 || !progress {
		return
	}
	if s.executed < s.asked {
		s.patience.progress(now)
		return
	}
	s.asked = 0
	if !s.patience.done(now) {
		s.slow[s.from] = true
	}
	s.next(c)
}

// onTransfer handles what comes of a state transfer, and lets time pass.
func (s *catchUp) onTransfer(c actor.Context) {
	x := s.transfer
	switch m := c.Message().(type) {
	case *retainedArrived:
		if m.from == s.from {
			s.asked, s.slow[m.from] = 0, true // it has not got it; all others are asked before it is again
		}
		x.perform(c, x.core.OnRetained(m.from, m.retained))
	case *manifestOffered:
		if !x.core.Wants(m.in.From, m.manifest.Seq) {
			s.t.cfg.Metrics.Dropped("unsolicited", 1)
			m.in.Release()
			return
		}
		c.Send(s.t.links.signers, &verify{m.in, m.manifest})
	case *manifestProved:
		x.perform(c, x.core.OnManifest(m.from, m.manifest))
		s.askParts(c)
	case *chunkArrived:
		s.onChunk(c, m)
	case *executorRestarted:
		x.perform(c, x.core.HandOverAgain())
	case *installRefused:
		x.perform(c, x.core.Refused(m.manifest))
	case *tick:
		s.beat(c)
	}
}

// asks reports whether a member was asked for a sequence that is still missing.
func (s *catchUp) asks(from messages.Index, seq messages.Seq) bool {
	return from == s.from && seq <= s.asked && seq > s.executed
}

// onOffered has verified what was asked for: a quorum of signatures is too much
// to spend on anything else.
func (s *catchUp) onOffered(c actor.Context, m *decidedOffered) {
	if !s.asks(m.in.From, m.decided.Seq) {
		s.t.cfg.Metrics.Dropped("unsolicited", 1)
		m.in.Release()
		return
	}
	c.Send(s.t.links.signers, &verify{m.in, m.decided})
}

// onFetched passes on what was asked for. Anything else is dropped, proved as it
// may be: a member must not fill this replica's memory with the far future.
func (s *catchUp) onFetched(c actor.Context, m *fetched) {
	if !s.asks(m.from, m.decision.commit.Seq) {
		s.t.cfg.Metrics.Dropped("unsolicited", 1)
		return
	}
	c.Send(s.t.links.executor, m.decision)
}

// beat asks when others are ahead and nothing was executed since the last
// heartbeat: while sequences complete by themselves there is nothing to fetch.
func (s *catchUp) beat(c actor.Context) {
	s.serving.beat(c)
	s.onTick(c)
	moved := s.executed > s.before
	s.before = s.executed
	s.pace.beat(s.executed, s.others())
	if s.asked != 0 && !s.givesUp() {
		return
	}
	if s.batches.left(s.t.cfg.Clock.Now()) > 0 {
		return
	}
	if !moved || s.far() {
		s.ask(c)
	}
}

// givesUp reports whether a request is over without its range: it took too long, or it
// was for what nobody may have, and by now there is something to be had.
func (s *catchUp) givesUp() bool {
	switch {
	case s.patience.over(s.t.cfg.Clock.Now()):
		s.slow[s.from] = true
		s.patience.fail()
	case s.patience.sure || !s.missing():
		return false
	}
	s.asked = 0
	return true
}

// missing reports whether more members are ahead than can lie together.
func (s *catchUp) missing() bool { return s.others() > s.executed }

// next goes on after a range, at once or, while there is far to go, after a rest.
func (s *catchUp) next(c actor.Context) {
	if !s.pace.batches() || !s.far() {
		s.ask(c)
		return
	}
	s.rest = s.t.after(c, s.batches.rest(s.t.cfg.Clock.Now(), s.t.cfg.Heartbeat), &rested{})
}

// far reports whether the others are beyond this replica's window: their votes
// reach it no more.
func (s *catchUp) far() bool {
	return s.others() > s.executed+s.t.cfg.Genesis.Params.Window/2
}

// ask requests the next range from the next member that has it. As long as something
// is missing by what more members say than can lie together, it asks for no more than
// that, and what a single one claims beyond gets it nothing.
func (s *catchUp) ask(c actor.Context) {
	sure, now := s.missing(), s.t.cfg.Clock.Now()
	to, ok := s.choose()
	if !ok {
		s.patience.failed, s.patience.vain = 0, 0
		return
	}
	s.from, s.asked = to, min(s.peers[to], s.executed+fetchRange)
	if sure {
		s.asked = min(s.asked, s.others())
	}
	s.batches.work(now)
	s.patience.begin(now, to, s.asked-s.executed, sure)
	c.Send(s.t.links.egress, &send{to, cluster.LaneVotes, &messages.FetchDecided{From: s.executed + 1, To: s.asked}})
}

// choose rotates over the members that have more than this replica: first those
// that did not fail before, then all. Banned ones are asked when nobody else has
// it. What may be a boast forgives nobody: it is there whenever the boaster likes.
func (s *catchUp) choose() (messages.Index, bool) {
	banned := s.t.detector.banned()
	inGoodStanding := func(m messages.Index) bool { return banned&(1<<m) == 0 }
	if to, ok := s.following(s.from, func(m messages.Index) bool { return !s.slow[m] && inGoodStanding(m) }); ok {
		return to, true
	}
	if s.missing() {
		clear(s.slow)
	}
	if to, ok := s.following(s.from, inGoodStanding); ok {
		return to, true
	}
	return s.following(s.from, func(messages.Index) bool { return true })
}

// following is the next member after one that has more and may be asked.
func (s *catchUp) following(m messages.Index, may func(messages.Index) bool) (messages.Index, bool) {
	for range s.peers {
		m = messages.Index((int(m) + 1) % s.t.n)
		if m != s.t.cfg.Self && s.peers[m] > s.executed && may(m) && s.t.cfg.Transport.Connected(m) {
			return m, true
		}
	}
	return 0, false
}

// onChunk keeps what is new of some parts, and rests after it. What is not new ends no
// work, or whoever repeats itself could have the rest go on for ever.
func (s *catchUp) onChunk(c actor.Context, m *chunkArrived) {
	x := s.transfer
	effects := x.core.OnChunk(m.in.From, m.chunk)
	x.perform(c, effects)
	if keepsParts(effects) && s.unhurried() {
		x.parts.rest(s.t.cfg.Clock.Now(), s.t.cfg.Heartbeat)
	}
	s.askParts(c)
	m.in.Release()
}

func keepsParts(effects []pbft.TransferEffect) bool {
	return slices.ContainsFunc(effects, func(e pbft.TransferEffect) bool {
		_, keeps := e.(pbft.StorePart)
		return keeps
	})
}

// others is how far they are, by what more members say than can lie together.
func (s *catchUp) others() messages.Seq {
	said := slices.Sorted(slices.Values(s.peers))
	return said[len(said)-messages.Weak(s.t.n)]
}

// unhurried reports whether a transfer has the time to rest.
func (s *catchUp) unhurried() bool {
	seq, _, _, fetching := s.transfer.core.Fetching()
	return fetching && s.pace.parts(s.others(), seq+snapshotsKept*s.t.cfg.Genesis.Params.SnapshotInterval)
}

// askParts asks for more of a snapshot, at once or after the rest.
func (s *catchUp) askParts(c actor.Context) {
	x, now := s.transfer, s.t.cfg.Clock.Now()
	if left := x.parts.left(now); left == 0 {
		x.parts.work(now)
		x.perform(c, x.core.Ask(s.usable()))
	} else if x.rest == nil {
		x.rest = s.t.after(c, left, &rested{parts: true})
	}
}

// onTick lets time pass for the transfer.
func (s *catchUp) onTick(c actor.Context) {
	u := s.usable()
	u.Resting = s.transfer.parts.left(s.t.cfg.Clock.Now()) > 0
	s.transfer.perform(c, s.transfer.core.OnTick(u))
}

// usable tells a state transfer whom it may ask.
func (s *catchUp) usable() pbft.Usable {
	u := pbft.Usable{Banned: s.t.detector.banned()}
	for i, seq := range s.peers {
		if m := messages.Index(i); m != s.t.cfg.Self && seq > s.executed && s.t.cfg.Transport.Connected(m) {
			u.Ahead |= 1 << i
		}
	}
	return u
}
