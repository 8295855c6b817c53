package actors

import (
	"sync"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// snapshot is the state at a checkpoint as others may have it: a view of the
// state store, which goes on changing, with the hashes of all that is in it.
type snapshot struct {
	manifest *messages.Manifest
	digest   messages.Digest // of the manifest
	parts    []pbft.Part
	view     *storage.View
	gen      byte

	taken time.Time
	used  time.Time // when a part of it was asked for
}

// snapshots are those this replica has, ascending. They belong to the replica,
// and to no actor: the executor takes them, and sync serves them. [R4]
//
// The newest two stay, for who asks for one must find it a little later, too. An
// older one stays while somebody fetches it, but not for ever.
type snapshots struct {
	t    *Tree
	mu   sync.Mutex
	list []*snapshot
}

const (
	snapshotsKept = 2
	// snapshotsMax bounds them, with those that are kept for who fetches them.
	snapshotsMax = 4
	// pinPatience is how many heartbeats a snapshot stays after a part of it was
	// asked for, and pinMax how long, in heartbeats, it may stay at all.
	pinPatience = 100
	pinMax      = 36000
)

// snapshotDue reports whether a checkpoint is one of those of which all take
// snapshots.
func (x *execution) snapshotDue(seq messages.Seq) bool { return seq%x.snapshotInterval == 0 }

// snap takes a snapshot at a checkpoint that has just become durable, if one is
// due. What the store holds now is the state there.
func (x *executor) snap(im *image, stable pbft.StableCheckpoint) {
	if !x.snapshotDue(stable.Seq) {
		return
	}
	m := &messages.Manifest{
		Seq: im.seq, Head: im.head, Vertices: im.total, Certificate: stable.Bundles,
		Clients: pbft.ListBuckets(im.clients), App: pbft.ListBuckets(im.app.parts),
	}
	if bucketsOf(x.state.app) == 0 {
		m.Application = im.app.digest
	}
	x.t.snapshots.add(m, x.layout.gen)
}

// recoverSnapshot takes one at the checkpoint a start finds on disk, whichever it
// is: what the ledger no longer holds, the others may need.
func (t *Tree) recoverSnapshot(stable pbft.StableCheckpoint, state *executedState, l *layout) {
	if stable.Seq == 0 {
		return
	}
	m := &messages.Manifest{
		Seq: state.seq, Head: state.head, Vertices: state.total, Certificate: stable.Bundles, Clients: pbft.ListBuckets(state.clients.Hashes()),
	}
	if bucketsOf(state.app) > 0 {
		m.App = pbft.ListBuckets(state.hashes)
	} else {
		var whole []byte
		if err := l.read(t.cfg.State, true, func(_ int, data []byte) error { whole = data; return nil }); err != nil {
			t.log.Error().Err(err).Msg("the state on disk cannot be served to others")
			return
		}
		_, m.Application = hashApp(state.app)
		m.App = pbft.ListBuckets([][]messages.Digest{pbft.HashParts(whole)})
	}
	t.snapshots.add(m, l.gen)
}

// add takes a view of the store as it is, and drops what is no longer needed.
func (s *snapshots) add(m *messages.Manifest, gen byte) {
	if err := m.Validate(); err != nil {
		s.t.log.Error().Uint64("seq", uint64(m.Seq)).Err(err).
			Msg("the state is too large to be transferred: a replica that loses its disk will not get it from this one, and the ledger is not trimmed")
		return
	}
	now := s.t.cfg.Clock.Now()
	parts, _ := pbft.PartsOf(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.list); n > 0 && s.list[n-1].manifest.Seq >= m.Seq {
		return // a checkpoint that was taken over twice, for a panic in between
	}
	s.list = append(s.list, &snapshot{manifest: m, digest: m.Digest(), parts: parts, view: s.t.cfg.State.NewView(), gen: gen, taken: now})
	s.expire(now)
}

// expire drops the oldest while there are too many, or nobody fetches them.
func (s *snapshots) expire(now time.Time) {
	beat := s.t.cfg.Heartbeat
	for len(s.list) > snapshotsKept {
		oldest := s.list[0]
		pinned := !oldest.used.IsZero() && now.Sub(oldest.used) < pinPatience*beat && now.Sub(oldest.taken) < pinMax*beat
		if pinned && len(s.list) <= snapshotsMax {
			break
		}
		s.list = s.list[1:]
		s.drop(oldest)
	}
}

func (s *snapshots) drop(one *snapshot) {
	if err := one.view.Close(); err != nil {
		s.t.log.Error().Uint64("seq", uint64(one.manifest.Seq)).Err(err).Msg("a snapshot could not be given up")
	}
}

// beat lets time pass.
func (s *snapshots) beat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(s.t.cfg.Clock.Now())
}

// close drops all.
func (s *snapshots) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.list {
		s.drop(one)
	}
	s.list = nil
}

// bounds are the checkpoints of the oldest and the newest, 0 without one.
func (s *snapshots) bounds() (oldest, newest messages.Seq) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.list); n > 0 {
		return s.list[0].manifest.Seq, s.list[n-1].manifest.Seq
	}
	return 0, 0
}

// newest tells of the newest, and how long ago it was taken.
func (s *snapshots) newest() (seq messages.Seq, age time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.list); n > 0 {
		return s.list[n-1].manifest.Seq, s.t.cfg.Clock.Now().Sub(s.list[n-1].taken)
	}
	return 0, 0
}

// at gives the manifest of the snapshot at a checkpoint, nil without one.
func (s *snapshots) at(seq messages.Seq) *messages.Manifest {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.list {
		if one.manifest.Seq == seq {
			one.used = s.t.cfg.Clock.Now()
			return one.manifest
		}
	}
	return nil
}

// chunk reads parts of the snapshot with a manifest: as many as were asked for
// and fit a frame. ok is false if there is no such snapshot here, or the parts
// are beyond its end.
func (s *snapshots) chunk(q *messages.FetchChunk) (chunk *messages.Chunk, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.list {
		if one.digest != q.Manifest || int(q.First) >= len(one.parts) {
			continue
		}
		one.used = s.t.cfg.Clock.Now()
		chunk = &messages.Chunk{Manifest: q.Manifest, First: q.First}
		bytes := 0
		for _, p := range one.parts[q.First:min(int(q.First)+int(q.Count), len(one.parts))] {
			data, err := one.view.Get(partKey(one.gen, p))
			if err != nil {
				return nil, false, err
			}
			if bytes += len(data); bytes > messages.PartBytesMax {
				break
			}
			chunk.Parts = append(chunk.Parts, data)
		}
		return chunk, true, nil
	}
	return nil, false, nil
}
