package actors

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/storage"
)

// memoryState is an empty state store in memory, closed when the test ends.
func memoryState(t testing.TB) *storage.State {
	t.Helper()
	state, err := storage.OpenState("state", vfs.NewMem())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := state.Close(); err != nil {
			t.Error(err)
		}
	})
	return state
}
