package sim

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/storage"
)

var cuts = flag.Int("sim.cuts", cutsDefault, "cut the power at one write in so many, 1 for each of them, with all that may be lost")

// cutFaults make views change, by pauses of whoever leads, and nothing else go
// wrong. The journal is the last to act, mostly: what does not wait for it leaves
// before it.
var cutFaults = Faults{
	DelayMin: time.Millisecond, DelayMax: 8 * time.Millisecond, Reorder: true, Lazy: "journal", Pauses: 500 * time.Millisecond,
	CheckpointInterval: 4, PipelineDepth: 3, MaxPending: 1000, Retain: 1,
}

// cutSegmentBytes is small, so that segments are released and used again.
const cutSegmentBytes = 64 << 10

// cutVictim leads view 1.
const cutVictim = 1

// cutRun simulates a seed, with the victim's power cut before a write of its
// first life, 0 for never. With onFiles, what the crash left is mended on real files.
func cutRun(t *testing.T, seed uint64, write int, lose loss, onFiles bool) *simulation {
	t.Helper()
	cfg, err := Config{
		Seed: seed, Vertices: 50, Faults: &cutFaults,
		Configure: func(_ int, cfg *replica.Config) { cfg.SegmentBytes = cutSegmentBytes },
	}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	s := newSimulation(t.Context(), cfg)
	s.starting = func(m *member) {
		if m.index != cutVictim || m.lives > 1 || write == 0 {
			return
		}
		p := m.process
		m.disk.arm(write, func() error {
			m.image, p.dead = m.disk.crashed(s.rng.faults, lose), true
			if onFiles {
				m.image = s.onFiles(t, m)
			}
			s.remembers(t, m)
			return nil
		})
	}
	s.run()
	return s
}

// onFiles carries what a crash left to the machine's own file system, where the
// journal is opened, and mended, and back.
func (s *simulation) onFiles(t *testing.T, m *member) *vfs.MemFS {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "journal")
	if ok, err := vfs.Clone(m.image, vfs.Default, journalDir, dir, vfs.CloneSync); err != nil || !ok {
		t.Fatalf("the journal was not copied to files: %v", err)
	}
	id := storage.Identity{Chain: s.genesis.Hash(), Member: s.genesis.MemberID(messages.Index(m.index))}
	j, err := storage.OpenJournal(dir, id, storage.Options{SegmentBytes: cutSegmentBytes})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	mended := vfs.NewCrashableMem()
	must(mended.MkdirAll(home, 0o700))
	for _, from := range []struct {
		fs       vfs.FS
		path, to string
	}{{vfs.Default, dir, journalDir}, {m.image, stateDir, stateDir}} {
		if _, err := vfs.Clone(from.fs, mended, from.path, from.to, vfs.CloneSync); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{home, "/"} {
		syncFolder(mended, dir)
	}
	return mended
}

// remembers holds what a member has signed, as far as anybody saw it, to what
// its disk holds after the crash. [D1]
func (s *simulation) remembers(t *testing.T, m *member) {
	t.Helper()
	held := make(map[messages.Vote]bool)
	s.journalOf(t, m, m.image, func(record storage.Record) error {
		switch messages.RecordKind(record.Kind) {
		case messages.RecordVote:
			r, err := messages.ParseVoteRecord(record.Data)
			held[r.Vote] = true
			return err
		case messages.RecordViewChange:
			r, err := messages.ParseViewChangeRecord(record.Data)
			if err == nil {
				held[messages.Vote{Kind: messages.ViewChange, View: r.Body.View, Digest: r.Body.Digest()}] = true
			}
			return err
		case messages.RecordNewView:
			r, err := messages.ParseNewViewRecord(record.Data)
			if err == nil {
				held[messages.Vote{Kind: messages.NewView, View: r.Body.View, Digest: r.Body.Digest()}] = true
			}
			return err
		}
		return nil
	})
	var status replica.Status // of one that is starting
	if m.replica != nil {
		status = m.replica.Status()
	}
	for at, digest := range s.oracle.votes.cast {
		if at.seq > 0 && at.seq <= status.StableCheckpoint || at.seq == 0 && at.view < status.View {
			continue // below a stable checkpoint, and in a view that was left, nobody votes again
		}
		vote := messages.Vote{Kind: at.kind, View: at.view, Seq: at.seq, Digest: digest}
		if int(at.member) == m.index && !held[vote] {
			s.oracle.violated("record, then send", "replica %d sent %v, and its disk does not know", m.index, vote)
		}
	}
}

// journalOf reads a member's journal on a disk, or a copy of it.
func (s *simulation) journalOf(t *testing.T, m *member, disk *vfs.MemFS, visit func(storage.Record) error) (segments int) {
	t.Helper()
	id := storage.Identity{Chain: s.genesis.Hash(), Member: s.genesis.MemberID(messages.Index(m.index))}
	copied := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(0, 0))})
	j, err := storage.OpenJournal(journalDir, id, storage.Options{FS: copied, SegmentBytes: cutSegmentBytes})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	err = j.Replay(func(_ uint64, _ storage.Place, record storage.Record) error { return visit(record) })
	if err != nil {
		t.Fatal(err)
	}
	return len(j.Segments())
}

// recorded is what the victim's journal holds at the end of a run.
type recorded struct {
	viewChanges, led, followed int
	stable, recycled           bool
}

func readVictim(t *testing.T, s *simulation) (r recorded) {
	t.Helper()
	m := s.members[cutVictim]
	r.stable = m.replica.Status().StableCheckpoint > 0
	r.recycled = recycles(files(m.disk.mem, journalDir))
	s.journalOf(t, m, m.disk.mem, func(record storage.Record) error {
		switch messages.RecordKind(record.Kind) {
		case messages.RecordViewChange:
			r.viewChanges++
		case messages.RecordNewView:
			nv, err := messages.ParseNewViewRecord(record.Data)
			if err != nil {
				return err
			}
			if int(nv.Body.View)%len(s.members) == cutVictim {
				r.led++
			} else {
				r.followed++
			}
		}
		return nil
	})
	return r
}

// recycles reports whether a journal of these files writes to a segment it had
// released: the first ones are gone, and none of them waits for another use.
func recycles(files map[string][]byte) bool {
	first := ""
	for name := range files {
		if strings.HasSuffix(name, ".spare") {
			return false
		}
		if strings.HasSuffix(name, ".seg") && (first == "" || name < first) {
			first = name
		}
	}
	return first > fmt.Sprintf("%020d.seg", 1)
}

// TestD1_APowerCutAtAnyWriteForgetsNoVote cuts the power of one replica before
// each of its writes in turn: with all that was written kept, with all that was
// not flushed lost, and with a part of that, which tears records; and for some of the
// writes the journal is mended on real files. The run
// contains a stable checkpoint, a recycled segment, a ViewChange, a NewView the
// replica made and one it followed. Whatever any replica signs, before and after, is compared: never
// two digests in one place.
func TestD1_APowerCutAtAnyWriteForgetsNoVote(t *testing.T) {
	const from = 170 // the last time one was found soon after
	seed := uint64(from)
	for ; ; seed++ {
		s := cutRun(t, seed, 0, losesNothing, false)
		r := readVictim(t, s)
		writes := s.members[cutVictim].disk.writes
		if res := s.finish(); res.Err != nil {
			t.Fatalf("seed %d: %v", seed, res.Err)
		}
		if r.stable && r.viewChanges > 0 && r.led > 0 && r.followed > 0 && r.recycled {
			t.Logf("seed %d: %d writes, %+v", seed, writes, r)
			cutEverywhere(t, seed, writes)
			return
		}
		if seed == from+400 {
			t.Fatal("no seed has all that is to be tested")
		}
	}
}

func cutEverywhere(t *testing.T, seed uint64, writes int) {
	t.Helper()
	crashes := 0
	for write := 1; write <= writes; write += *cuts {
		for _, lose := range []loss{losesNothing, losesSome, losesAll} {
			if *cuts > 1 && int(lose) != write/(*cuts)%3 {
				continue
			}
			onFiles := write%5 == 0
			r := cutRun(t, seed, write, lose, onFiles).finish()
			if r.Err != nil {
				t.Errorf("power cut before write %d, %v, on files %v: %v", write, lose, onFiles, r.Err)
			}
			crashes += r.Crashes
		}
	}
	if crashes < writes/(*cuts)*9/10 {
		t.Errorf("%d power cuts in %d runs: nothing was tested", crashes, writes / *cuts)
	}
}
