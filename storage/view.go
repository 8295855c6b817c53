package storage

import (
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// View is a State as it was when the view was made, whatever is committed since.
// It costs the disk what is overwritten meanwhile. Its methods may be called
// concurrently, but for Close.
type View struct {
	state *State
	snap  *pebble.Snapshot
}

// NewView makes a view of the state as it is. It must be closed before the state
// is.
func (s *State) NewView() *View { return &View{state: s, snap: s.db.NewSnapshot()} }

// Get returns a copy of the key's value, or ErrNotFound.
func (v *View) Get(key []byte) ([]byte, error) {
	value, closer, err := v.snap.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, wrap(err, "read %q from a view of the state in %s", key, v.state.dir)
	}
	return slices.Clone(value), closer.Close()
}

// Close ends the view.
func (v *View) Close() error {
	return wrap(v.snap.Close(), "close a view of the state in %s", v.state.dir)
}
