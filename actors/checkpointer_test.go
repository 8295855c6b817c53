package actors

import (
	"errors"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// A checkpoint that was sent to be written twice, for a panic in between, is not
// written over what has taken its place meanwhile: the next one, or a state that was
// taken over.
func TestC3_AnOldCheckpointIsNotWrittenOverANewState(t *testing.T) {
	state := memoryState(t)
	tree := &Tree{cfg: Config{State: state}}
	tree.execution = &execution{layout: newLayout(0), stored: 16}
	old := &storing{
		stable: pbft.StableCheckpoint{Seq: 8, Digest: messages.Digest{1}, Bundles: []*messages.Bundle{{}}},
		images: []*image{{seq: 8, app: &appImage{}}},
	}
	if err := newCheckpointer(tree, 1).commit(old); err != nil {
		t.Fatal(err)
	}
	for _, key := range [][]byte{keyStable, keyHead, keyView} {
		if value, err := state.Get(key); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%q was written: %x (%v)", key, value, err)
		}
	}
}
