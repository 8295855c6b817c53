package sim

import (
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/storage"
)

// checkRecord looks, as a member crashes, for every vote that ever left it above
// its stable checkpoint: each has to be on the disk though everything unflushed
// is lost. What leaves before is taken back by some later crash, if its luck is
// bad; this does not wait for bad luck. [D1]
func (s *simulation) checkRecord(m *member) {
	if m.faulty || m.replica == nil || s.oracle.err != nil {
		return
	}
	stable := m.replica.Status().StableCheckpoint
	left := s.oracle.votes.above(m.index, stable)
	if len(left) == 0 {
		return
	}
	fs := m.disk.mem.CrashClone(vfs.CrashCloneCfg{})
	id := storage.Identity{Chain: s.genesis.Hash(), Member: s.genesis.MemberID(messages.Index(m.index))}
	journal, err := storage.OpenJournal(journalDir, id, storage.Options{FS: fs, SegmentBytes: segmentBytes})
	if err != nil {
		s.oracle.violated("the record is on disk", "%v: %v", m, err)
		return
	}
	recorded := make(map[messages.Vote]bool)
	err = journal.Replay(func(_ uint64, _ storage.Place, r storage.Record) error {
		if messages.RecordKind(r.Kind) == messages.RecordVote {
			if v, err := messages.ParseVoteRecord(r.Data); err == nil {
				recorded[v.Vote] = true
			}
		}
		return nil
	})
	must(journal.Close())
	if err != nil {
		s.oracle.violated("the record is on disk", "%v: %v", m, err)
		return
	}
	for _, v := range left {
		if !recorded[v] {
			s.oracle.violated("the record is on disk", "%v has sent %v, and a power cut now would make it forget", m, v)
			return
		}
	}
}
