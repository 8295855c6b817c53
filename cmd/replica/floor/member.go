package floor

import (
	"runtime"
	"sync"
	"time"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// member is one party of the exchange.
type member struct {
	f       *Floor
	self    messages.Index
	key     crypto.PrivateKey
	journal *journal
	door    *door
	links   []*link // by member; nil for itself
	quorum  int

	mu       sync.Mutex
	slots    map[messages.Seq]*slot
	bodies   map[messages.Digest]*batch // that came before their pre-prepare
	executed messages.Seq
	marks    map[messages.Seq]*tally // checkpoints

	// The next group, and who makes it durable.
	group     group
	gathering *sync.Cond // of mu

	// Leader: vertices that wait, and what is in flight.
	pool      []vertex
	poolBytes int
	arrived   int // vertices that ever came
	proposed  messages.Seq
	inFlight  int
	due       bool // a sequence completed, and no batch was cut since
	cohort    cohort

	// Others: vertices that wait to be forwarded.
	leaving    [][]byte
	forwarding *sync.Cond // of mu
}

// group is what becomes durable in one flush, and the votes that leave with it.
type group struct {
	votes       []messages.Vote
	checkpoints []messages.Vote // each signed alone, so that its certificate is small
	records     [][]byte
}

// slot is one sequence.
type slot struct {
	digest    messages.Digest
	batch     *batch    // nil until accepted
	cut       time.Time // by the leader
	named     bool      // the pre-prepare is there; its batch may not be
	ordering  tally     // pre-prepare
	prepares  tally
	commits   tally
	prepared  bool
	committed bool
	proof     []*received // of the commits
}

// tally counts the votes of one step.
type tally struct {
	counted int // valid ones, the own one included
	others  int // those of others, counted or being verified
}

func newMember(f *Floor, self messages.Index, key crypto.PrivateKey, j *journal) *member {
	m := &member{
		f: f, self: self, key: key, journal: j, quorum: f.keyring.Quorum(),
		door:  &door{self: uint64(self), waiting: make(map[uint64]*waiter)},
		links: make([]*link, f.cfg.Replicas),
		slots: make(map[messages.Seq]*slot), bodies: make(map[messages.Digest]*batch), marks: make(map[messages.Seq]*tally),
	}
	m.gathering, m.forwarding = sync.NewCond(&m.mu), sync.NewCond(&m.mu)
	return m
}

func (m *member) wakeAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gathering.Broadcast()
	m.forwarding.Broadcast()
}

func (m *member) slot(seq messages.Seq) *slot {
	s := m.slots[seq]
	if s == nil {
		s = &slot{}
		m.slots[seq] = s
	}
	return s
}

// propose takes vertices into the leader's pool and cuts batches while there is
// a reason to.
func (m *member) propose(vertices []vertex) {
	m.mu.Lock()
	for i := range vertices {
		m.poolBytes += len(vertices[i].bytes)
	}
	m.pool = append(m.pool, vertices...)
	m.arrived += len(vertices)
	cut := m.cut()
	m.mu.Unlock()
	m.sendBodies(cut)
}

// cut makes batches of the pool: at once when nothing is in flight, else when one
// is full or a sequence completed.
func (m *member) cut() (cut []*batch) {
	params := m.f.genesis.Params
	bytesMax := int(params.BatchBytes) - messages.BatchHeaderBytes
	for len(m.pool) > 0 && m.inFlight < m.f.cfg.Depth {
		full := len(m.pool) >= int(params.BatchVertices) || m.poolBytes >= bytesMax
		if !full && m.holds() {
			return cut
		}
		if m.inFlight > 0 && !full && !m.due {
			break
		}
		m.due = false
		n, size := 0, 0
		for n < len(m.pool) && n < int(params.BatchVertices) && size+len(m.pool[n].bytes) <= bytesMax {
			size += len(m.pool[n].bytes)
			n++
		}
		b := buildBatch(m.pool[:n])
		m.pool, m.poolBytes = m.pool[n:], m.poolBytes-size
		m.proposed++
		m.inFlight++
		s := m.slot(m.proposed)
		s.named, s.digest, s.batch, s.cut = true, b.digest, b, time.Now()
		m.vote(messages.PrePrepare, m.proposed, b.digest, b.bytes)
		cut = append(cut, b)
	}
	m.due = false
	return cut
}

// sendBodies sends batches ahead of their pre-prepares, which are being flushed
// and signed.
func (m *member) sendBodies(batches []*batch) {
	for _, b := range batches {
		m.broadcast(&messages.BatchBody{Body: b.bytes}, bodies)
	}
}

// vote adds a vote to the next group, with what it depends on.
func (m *member) vote(kind messages.Kind, seq messages.Seq, digest messages.Digest, records ...[]byte) {
	v := messages.Vote{Kind: kind, Seq: seq, Digest: digest}
	if kind == messages.Checkpoint {
		m.group.checkpoints = append(m.group.checkpoints, v)
	} else {
		m.group.votes = append(m.group.votes, v)
	}
	m.group.records = append(append(m.group.records, records...), v.AppendTo(nil))
	m.gathering.Signal()
}

// forward has vertices sent to the leader, with all others that wait.
func (m *member) forward(vertices [][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leaving = append(m.leaving, vertices...)
	m.forwarding.Signal()
}

// forwardLoop sends what waits, many vertices at a time.
func (m *member) forwardLoop() {
	for {
		m.mu.Lock()
		for len(m.leaving) == 0 && !m.f.over() {
			m.forwarding.Wait()
		}
		m.mu.Unlock()
		runtime.Gosched() // to others who were woken with the one who forwards
		m.mu.Lock()
		vertices := m.leaving
		m.leaving = nil
		m.mu.Unlock()
		if m.f.over() {
			return
		}
		for len(vertices) > 0 {
			n, size := 0, 0
			for n < len(vertices) && size+len(vertices[n]) <= messages.BatchBytesMax {
				size += len(vertices[n])
				n++
			}
			data := make([]byte, 0, size)
			for _, v := range vertices[:n] {
				data = append(data, v...)
			}
			vertices = vertices[n:]
			m.send(m.links[leader], m.encode(&messages.Forward{Vertices: data}), bodies)
		}
	}
}

// voteLoop makes group after group durable, signs it meanwhile, and sends it.
func (m *member) voteLoop() {
	for {
		m.mu.Lock()
		for len(m.group.votes)+len(m.group.checkpoints) == 0 && !m.f.over() {
			m.gathering.Wait()
		}
		g := m.group
		m.group = group{}
		m.mu.Unlock()
		if m.f.over() {
			return
		}
		if err := m.release(g); err != nil {
			m.f.fail(err)
			return
		}
	}
}
