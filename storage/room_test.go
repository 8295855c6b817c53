package storage

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A disk without room is told of: Pebble itself waits for ever when it is opened there,
// and ends the process when it writes.
func TestTheStateWantsRoom(t *testing.T) {
	fs := vfs.NewMem()
	usage := func(available uint64) {
		fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: available, TotalBytes: 1 << 40})
	}
	usage(stateRoom - 1)
	if _, err := OpenState("state", fs); !errors.Is(err, ErrDiskFull) {
		t.Fatalf("on a full disk it opens: %v", err)
	}
	usage(stateRoom)
	s, err := OpenState("state", fs)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	write := func(bytes int) error {
		b := s.NewBatch()
		b.Set([]byte("key"), make([]byte, bytes))
		return b.Commit(true)
	}
	if err := write(1 << 10); !errors.Is(err, ErrDiskFull) {
		t.Errorf("with no more room than it keeps it writes: %v", err)
	}
	usage(stateRoom + 4<<10)
	if err := write(1 << 10); err != nil {
		t.Errorf("with room for two copies: %v", err)
	}
}
