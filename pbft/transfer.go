package pbft

import (
	"slices"

	"github.com/cretoai/consensus/messages"
)

// Transfer decides how a replica that is too far behind gets a snapshot: when one
// is called for, which, which parts from whom, what is valid, whom to leave.
// Each method takes one input and gives the effects it has, in order. Time is
// counted in ticks, the heartbeats. [R4]
//
// A snapshot is called for when a member that must be correct, or everybody who
// is ahead, says that the next sequence is in its ledger no more. Until the state
// is whole nothing of the replica's own is touched.
type Transfer struct {
	self    messages.Index
	n       int
	members []server
	tick    uint64
	next    messages.Seq // the next sequence to execute

	asked    messages.Index // for a manifest
	deadline uint64         // of the manifest; 0 when none is asked for
	want     messages.Seq   // its checkpoint

	manifest *messages.Manifest
	digest   messages.Digest // of the manifest
	source   messages.Index  // who sent it
	parts    []Part
	hashes   []messages.Digest
	held     []bool
	missing  int
	stretch  stretch
	stalled  bool   // another manifest is looked for
	done     bool   // all parts are there: it is being installed
	finished uint64 // when that was last said

	failures uint64 // of all members
	out      []TransferEffect
}

// server is what is known of another member.
type server struct {
	first    messages.Seq // of its ledger, as it last said; 0 before
	snapshot messages.Seq // its newest
	refused  bool         // it has not got the manifest's parts
	wrong    bool         // it sent what is provably no part, and is left
	slow     bool         // it did not answer in time; asked for parts again when all are slow
	late     int          // how often so, since a snapshot was last put in force
	needed   uint64       // the patience with which it brought something, likewise
	failed   uint64       // which of all failures was its last one, 0 before
	spans    []span       // asked of it
}

// span is a run of parts asked for.
type span struct {
	first, count int
	deadline     uint64
}

// Bounds of a transfer.
const (
	// spanParts is the most one request asks for; the answer may bring fewer.
	spanParts = 64
	// spansPerMember bounds the requests to a member that are not answered.
	spansPerMember = 2
	// partPatience is how many ticks an answer may take. It doubles with each of a
	// member's answers that came later, patienceDoublings times at most: on a network
	// slower than it every answer would come too late.
	partPatience      = 20
	patienceDoublings = 4
	// stretchPatiences is how many times an answer's time a stretch has, and
	// stretchParts how many new parts it has to bring. With its two requests
	// underway one honest server brings a part in answer to each, however large the
	// parts are: six in a stretch.
	stretchPatiences = 3
	stretchParts     = 4
	// finishPatience is how many ticks pass before it is said again that all parts
	// are there: the word may have been lost in a panic.
	finishPatience = 600
)

// stretch is a while in which a transfer has to come forward.
type stretch struct {
	ticks     uint64
	came, due int // new parts
}

// TransferEffect is what a Transfer asks of its surroundings.
//
//sumtype:decl
type TransferEffect interface{ transferEffect() }

// AskManifest asks a member for the manifest of the snapshot at Seq.
type AskManifest struct {
	To  messages.Index
	Seq messages.Seq
}

// AskParts asks a member for parts.
type AskParts struct {
	To           messages.Index
	Manifest     messages.Digest
	First, Count int
}

// BeginTransfer makes a manifest what is fetched: it is to be remembered, and of
// what was fetched before only Keep may stay.
type BeginTransfer struct {
	Manifest *messages.Manifest
	Keep     map[Part]bool
}

// StorePart keeps a part, whose hash is right. It goes before any word that the
// snapshot is whole.
type StorePart struct {
	Part Part
	Data []byte
}

// FinishTransfer says that all parts are there.
type FinishTransfer struct{ Manifest *messages.Manifest }

// AbandonTransfer throws away what was fetched.
type AbandonTransfer struct{}

// SentWrongPart charges a member: what it sent is provably not what it was asked
// for.
type SentWrongPart struct{ From messages.Index }

// ServedLate notes that a member did not answer in time.
type ServedLate struct{ From messages.Index }

func (AskManifest) transferEffect()     {}
func (AskParts) transferEffect()        {}
func (BeginTransfer) transferEffect()   {}
func (StorePart) transferEffect()       {}
func (FinishTransfer) transferEffect()  {}
func (AbandonTransfer) transferEffect() {}
func (SentWrongPart) transferEffect()   {}
func (ServedLate) transferEffect()      {}

// NewTransfer makes one for a member of n.
func NewTransfer(self messages.Index, n int) *Transfer {
	return &Transfer{self: self, n: n, members: make([]server, n), next: 1}
}

func (t *Transfer) emit(e TransferEffect) { t.out = append(t.out, e) }

func (t *Transfer) take() []TransferEffect {
	out := t.out
	t.out = nil
	return out
}

// Resume takes up a transfer that was interrupted, with the parts on disk. Its
// manifest was proved.
func (t *Transfer) Resume(m *messages.Manifest, have map[Part]bool) []TransferEffect {
	if m.Seq < t.next || t.manifest != nil {
		t.emit(AbandonTransfer{})
		return t.take()
	}
	t.source = t.self
	t.adopt(m, have)
	t.finish()
	return t.take()
}

// Executed says what was executed last. What was fetched below it is of no use.
func (t *Transfer) Executed(seq messages.Seq) []TransferEffect {
	t.next = max(t.next, seq+1)
	if t.manifest != nil && t.manifest.Seq < t.next {
		t.drop()
		t.emit(AbandonTransfer{})
	}
	return t.take()
}

// Fetching reports how many parts there are and are missing, while a snapshot is
// being fetched.
func (t *Transfer) Fetching() (seq messages.Seq, total, missing int, ok bool) {
	if t.manifest == nil {
		return 0, 0, 0, false
	}
	return t.manifest.Seq, len(t.parts), t.missing, true
}

// Wants reports whether a manifest from a member was asked for: only then is its
// certificate worth verifying.
func (t *Transfer) Wants(from messages.Index, seq messages.Seq) bool {
	return t.deadline > 0 && t.asked == from && t.want == seq
}

// OnRetained takes a member's word on what it has.
func (t *Transfer) OnRetained(from messages.Index, m *messages.Retained) []TransferEffect {
	if from == t.self || int(from) >= t.n {
		return nil
	}
	s := &t.members[from]
	s.first, s.snapshot = m.First, m.Snapshot
	if t.manifest != nil && m.Refused == t.digest {
		s.refused, s.spans = true, nil
	}
	if t.deadline > 0 && t.asked == from && m.Snapshot != t.want {
		t.deadline = 0 // it has another one by now, or boasts: the others first
		t.fail(from)
	}
	return t.take()
}

// OnManifest takes a proved manifest.
func (t *Transfer) OnManifest(from messages.Index, m *messages.Manifest) []TransferEffect {
	if !t.Wants(from, m.Seq) || m.Seq < t.next || t.done {
		return nil
	}
	t.deadline = 0
	t.members[from].needed = t.members[from].patience()
	if t.manifest != nil && t.digest == m.Digest() {
		t.restart() // the same, and everybody gets another chance
		return t.take()
	}
	keep := t.common(m)
	t.source = from
	t.adopt(m, keep)
	t.emit(BeginTransfer{m, keep})
	t.finish()
	return t.take()
}

// common gives the parts that were fetched of another snapshot and are in this
// one, too: buckets that were not written in between.
func (t *Transfer) common(m *messages.Manifest) map[Part]bool {
	keep := make(map[Part]bool)
	if t.manifest == nil || t.manifest.Application.IsZero() != m.Application.IsZero() {
		return keep
	}
	had := make(map[Part]messages.Digest)
	for i, p := range t.parts {
		if t.held[i] {
			had[p] = t.hashes[i]
		}
	}
	parts, hashes := PartsOf(m)
	for i, p := range parts {
		if h, ok := had[p]; ok && h == hashes[i] {
			keep[p] = true
		}
	}
	return keep
}

func (t *Transfer) adopt(m *messages.Manifest, have map[Part]bool) {
	t.manifest, t.digest = m, m.Digest()
	t.parts, t.hashes = PartsOf(m)
	t.held, t.missing = make([]bool, len(t.parts)), 0
	for i, p := range t.parts {
		if t.held[i] = have[p]; !t.held[i] {
			t.missing++
		}
	}
	t.restart()
}

func (t *Transfer) restart() {
	t.stalled = false
	t.begin()
	for i := range t.members {
		t.members[i].refused, t.members[i].slow, t.members[i].spans = false, false, nil
	}
}

func (t *Transfer) drop() {
	t.manifest, t.digest, t.parts, t.hashes, t.held, t.missing = nil, messages.Digest{}, nil, nil, nil, 0
	t.done, t.deadline, t.failures = false, 0, 0
	t.restart()
	for i := range t.members {
		s := &t.members[i]
		s.late, s.needed, s.failed = 0, 0, 0
	}
}

func (t *Transfer) finish() {
	if t.missing == 0 && !t.done {
		t.done = true
		t.handOver()
	}
}

// Installed ends a transfer whose state is in force. Of an older one it is said
// again after a panic, on which the word that this one is whole may have been lost.
func (t *Transfer) Installed(seq messages.Seq) []TransferEffect {
	if t.manifest != nil && t.manifest.Seq > seq {
		return t.HandOverAgain()
	}
	t.drop()
	for i := range t.members {
		t.members[i].wrong = false
	}
	return t.Executed(seq)
}

// Refused ends a transfer whose state turned out to be another one: that can only
// be of an application whose hashes nobody signs, and its manifest's sender
// answers for it. What is said of another manifest than the present one concerns
// nobody.
func (t *Transfer) Refused(manifest messages.Digest) []TransferEffect {
	if !t.done || t.digest != manifest {
		return nil
	}
	if source := t.source; source != t.self {
		t.members[source].wrong = true
		t.emit(SentWrongPart{source})
	}
	t.drop()
	t.emit(AbandonTransfer{})
	return t.take()
}

// OnChunk takes parts from a member. Whoever sent them, they are checked before
// anything else: late ones are welcome, and a wrong one is proof against its
// sender, for nobody answers for a manifest that is not its own.
func (t *Transfer) OnChunk(from messages.Index, c *messages.Chunk) []TransferEffect {
	if from == t.self || int(from) >= t.n || t.manifest == nil || t.done || c.Manifest != t.digest || t.members[from].wrong {
		return nil
	}
	s := &t.members[from]
	answered := slices.IndexFunc(s.spans, func(sp span) bool { return sp.first == int(c.First) })
	if answered >= 0 {
		s.spans = slices.Delete(s.spans, answered, answered+1)
		s.slow = false
	}
	for i, data := range c.Parts {
		k := int(c.First) + i
		if k >= len(t.parts) || !t.held[k] && HashPart(data) != t.hashes[k] {
			s.wrong, s.spans = true, nil
			t.emit(SentWrongPart{from})
			return t.take()
		}
		if t.held[k] {
			continue
		}
		t.held[k] = true
		t.missing--
		t.stretch.came++
		s.needed = s.patience()
		t.emit(StorePart{t.parts[k], data})
	}
	t.finish()
	return t.take()
}

// Usable says of a member whether it may be asked now, and is ahead.
type Usable struct {
	Ahead  uint64 // a bit for each member that is connected and has executed more
	Banned uint64 // of these, those asked only if nobody else has it
	// Resting: nobody is to be asked for parts yet.
	Resting bool
}

// HandOverAgain says once more that all parts are there, if they are: who was told has
// lost its memory, or the word.
func (t *Transfer) HandOverAgain() []TransferEffect {
	if t.done {
		t.handOver()
	}
	return t.take()
}

func (t *Transfer) handOver() {
	t.finished = t.tick
	t.emit(FinishTransfer{t.manifest})
}

// OnTick lets time pass, and asks for what is missing.
func (t *Transfer) OnTick(u Usable) []TransferEffect {
	t.tick++
	if t.done {
		if t.tick >= t.finished+finishPatience {
			t.handOver()
		}
		return t.take()
	}
	t.expire()
	t.watch(u)
	if t.manifest == nil || t.stalled {
		t.seek(u)
	}
	t.ask(u)
	return t.take()
}
