package actors

import (
	"errors"
	"fmt"

	"github.com/cretoai/consensus/storage"
)

// space watches what is left on the disk. A journal that cannot be written ends
// its replica, so a replica says that it is not ready while there is still room:
// its current segment is reserved, and a few more fit. It goes on voting
// meanwhile, and is ready again when there is space. [D7, D8]
type space struct {
	t     *Tree
	short bool
}

// segmentsReserved is how many segments must fit, beside those that are there: a
// checkpoint needs space, too, and so does whoever is to make some.
const segmentsReserved = 2

// look asks the file system, and tells on a change.
func (s *space) look(prepared error) {
	reason := ""
	free, err := s.t.cfg.Journal.Free()
	switch {
	case errors.Is(prepared, storage.ErrDiskFull):
		reason = "the disk is full: the journal's next segment finds no room"
	case err == nil:
		s.t.cfg.Metrics.SetDiskFree(free)
		if need := segmentsReserved * uint64(s.t.cfg.Journal.SegmentBytes()); free < need {
			reason = fmt.Sprintf("the disk is nearly full: %d bytes are left, and the replica needs %d", free, need)
		}
	}
	if short := reason != ""; short != s.short {
		s.short = short
		if short {
			s.t.log.Error().Str("reason", reason).Msg("free some space: this replica stops when its journal finds none")
		} else {
			s.t.log.Info().Uint64("free", free).Msg("there is space on the disk again")
		}
	}
	if reason == "" {
		s.t.full.Store(nil)
	} else {
		s.t.full.Store(&reason)
	}
}

// DiskFull says why the replica should get more space, if it should.
func (t *Tree) DiskFull() (reason string, full bool) {
	if r := t.full.Load(); r != nil {
		return *r, true
	}
	return "", false
}
