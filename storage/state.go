package storage

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	stateCacheBytes    = 8 << 20
	stateMemTableBytes = 4 << 20
	stateMemTablesMax  = 64
	stateFilesMax      = 256

	// stateFormat pins Pebble's format, so that a new release of Pebble does
	// not make the state unreadable for the previous release of ours.
	stateFormat = pebble.FormatValueSeparation
)

// separation has values stored beside the keys, in files of their own: what is
// written at a checkpoint is replaced as a whole by a later one, or never touched
// again, and keys of all kinds are written each time. Compactions move keys alone then;
// beside the keys they wrote the same values over and over, 106 bytes for each vertex
// of which the store was given 40.
var separation = pebble.ValueSeparationPolicy{
	Enabled:     true,
	MinimumSize: 256,
	// One look-up reads values from so many files, about, and the store takes up to
	// twice the room of what is in it.
	MaxBlobReferenceDepth: 32,
	RewriteMinimumAge:     time.Minute,
	TargetGarbageRatio:    0.5,
}

// State is a small ordered key-value store on Pebble, for replica heads, client
// tables and indexes: little data, written once per checkpoint in one batch.
// Bodies and votes belong to the journal. Its methods may be called
// concurrently.
type State struct {
	db      *pebble.DB
	fs      vfs.FS
	dir     string
	failure atomic.Pointer[error]
	broken  chan struct{} // closed with the first failure
	opened  atomic.Bool
	closing chan struct{} // closed when Close begins

	readOnly bool
}

// OpenState opens the state in dir, or creates it. A nil fsys is vfs.Default.
func OpenState(dir string, fsys vfs.FS) (*State, error) {
	if fsys == nil {
		fsys = vfs.Default
	}
	s := &State{fs: fsys, dir: dir}
	if err := s.room(0); err != nil {
		return nil, wrap(err, "open the state in %s", dir)
	}
	return s.open(false)
}

// OpenStateReadOnly opens the state in dir, which must be there, and writes nothing,
// not even the file that OpenState locks. Commit fails.
func OpenStateReadOnly(dir string, fsys vfs.FS) (*State, error) {
	if fsys == nil {
		fsys = vfs.Default
	}
	return (&State{fs: unlocked{fsys}, dir: dir}).open(true)
}

// unlocked is a file system without locks, for who writes nothing.
type unlocked struct{ vfs.FS }

// Lock implements vfs.FS.
func (unlocked) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

func (s *State) open(readOnly bool) (*State, error) {
	s.broken, s.closing, s.readOnly = make(chan struct{}), make(chan struct{}), readOnly
	options := &pebble.Options{
		FS:                 stateFS{s.fs, s},
		ReadOnly:           readOnly,
		FormatMajorVersion: stateFormat,
		CacheSize:          stateCacheBytes,
		MemTableSize:       stateMemTableBytes,
		// Who commits waits for room in memory while a flush is tried again and again, for
		// ever if the disk has failed. So many tables are more than what is not flushed.
		MemTableStopWritesThreshold: stateMemTablesMax,
		MaxOpenFiles:                stateFilesMax,
		// What is durable has been flushed to tables, see Commit: a checkpoint would be
		// written twice, once to a log, and is as large as what a table begins with.
		DisableWAL:    true,
		Logger:        stateLogger{s},
		EventListener: &pebble.EventListener{BackgroundError: s.fail},
	}
	options.Experimental.ValueSeparationPolicy = func() pebble.ValueSeparationPolicy { return separation }
	// Hashes, signatures and encodings of them: compressing those costs a quarter of
	// what a checkpoint's index costs, and saves nothing.
	options.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone })
	db, err := pebble.Open(s.dir, options)
	if err == nil {
		if err = s.failed(); err != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if err != nil {
		return nil, wrap(err, "open the state in %s", s.dir)
	}
	s.db = db
	s.opened.Store(true)
	return s, nil
}

// Get returns a copy of the key's value, or ErrNotFound.
func (s *State) Get(key []byte) ([]byte, error) {
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, wrap(err, "read %q from the state in %s", key, s.dir)
	}
	return slices.Clone(value), closer.Close()
}

// Range calls visit for each key in [lower, upper) in order; an empty bound is
// none. Key and value are valid during the visit only. An error of visit ends
// the iteration and is returned as it is.
func (s *State) Range(lower, upper []byte, visit func(key, value []byte) error) (err error) {
	it, err := s.db.NewIter(bounds(lower, upper))
	if err != nil {
		return wrap(err, "iterate over the state in %s", s.dir)
	}
	defer func() { // also reports what ended the iteration early
		if closeErr := it.Close(); err == nil {
			err = wrap(closeErr, "iterate over the state in %s", s.dir)
		}
	}()
	for it.First(); it.Valid(); it.Next() {
		if err := visit(it.Key(), it.Value()); err != nil {
			return err
		}
	}
	return nil
}

// bounds makes empty bounds nil: Pebble takes an empty lower one for a key.
func bounds(lower, upper []byte) *pebble.IterOptions {
	var o pebble.IterOptions
	if len(lower) > 0 {
		o.LowerBound = lower
	}
	if len(upper) > 0 {
		o.UpperBound = upper
	}
	return &o
}

// edge returns copies of the key and the value in [lower, upper) that seek goes
// to, or ErrNotFound.
func (s *State) edge(lower, upper []byte, seek func(*pebble.Iterator) bool) (key, value []byte, err error) {
	it, err := s.db.NewIter(bounds(lower, upper))
	if err != nil {
		return nil, nil, wrap(err, "iterate over the state in %s", s.dir)
	}
	found := seek(it)
	if found {
		key, value = slices.Clone(it.Key()), slices.Clone(it.Value())
	}
	if err := it.Close(); err != nil {
		return nil, nil, wrap(err, "iterate over the state in %s", s.dir)
	}
	if !found {
		return nil, nil, ErrNotFound
	}
	return key, value, nil
}

// Prefix is Range over the keys that begin with prefix.
func (s *State) Prefix(prefix []byte, visit func(key, value []byte) error) error {
	return s.Range(prefix, prefixEnd(prefix), visit)
}

// prefixEnd is the first key behind all that begin with prefix, or nil if there
// is none.
func prefixEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			end := slices.Clone(prefix[:i+1])
			end[i]++
			return end
		}
	}
	return nil
}

// NewBatch begins a set of changes that becomes visible and durable as one. It
// must be ended with Commit or Discard.
func (s *State) NewBatch() *Batch { return s.NewBatchOf(0) }

// NewBatchOf is NewBatch for changes of about so many bytes, keys included; 0 if that
// is not known. One that has to grow on the way is copied again and again.
func (s *State) NewBatchOf(bytes int) *Batch {
	return &Batch{state: s, batch: s.db.NewBatch(pebble.WithInitialSizeBytes(bytes))}
}

// Len is how many bytes the changes take so far.
func (b *Batch) Len() int { return b.batch.Len() }

// Close makes what was committed durable, waits for Pebble's background work and closes
// the state. No iteration or batch may be open.
func (s *State) Close() error {
	err := s.failed()
	if err == nil && !s.readOnly {
		err = s.flush()
	}
	close(s.closing)
	return wrap(errors.Join(err, s.db.Close()), "close the state in %s", s.dir)
}

// flush makes durable what was committed so far. Pebble tries a flush that failed again
// and again; here the first failure is the last.
func (s *State) flush() error {
	flushed, err := s.db.AsyncFlush()
	if err != nil {
		return err
	}
	select {
	case <-flushed:
	case <-s.broken:
	}
	return s.failed()
}

// Batch is a set of changes to a State. It is not for concurrent use. Keys and
// values are copied. An error is kept for Commit.
type Batch struct {
	state *State
	batch *pebble.Batch
	err   error
}

// Set gives key a value.
func (b *Batch) Set(key, value []byte) { b.keep(b.batch.Set(key, value, nil)) }

// Delete removes key, if it is there.
func (b *Batch) Delete(key []byte) { b.keep(b.batch.Delete(key, nil)) }

// DeleteRange removes the keys in [lower, upper).
func (b *Batch) DeleteRange(lower, upper []byte) { b.keep(b.batch.DeleteRange(lower, upper, nil)) }

func (b *Batch) keep(err error) {
	if b.err == nil {
		b.err = err
	}
}

// Commit applies the changes and ends the batch. With sync they are durable when
// it returns, and so is every earlier batch; without, they become so with the
// next one that is, in order. A batch is durable as a whole. After a failed write every
// Commit fails: the state has to be opened anew.
func (b *Batch) Commit(sync bool) error {
	defer b.batch.Close()
	err := errors.Join(b.err, b.state.failed())
	if err == nil {
		err = b.state.room(b.batch.Len())
	}
	if err == nil {
		err = b.state.db.Apply(b.batch, pebble.NoSync)
	}
	if err == nil && sync {
		err = b.state.flush()
	}
	if err == nil {
		err = b.state.failed()
	}
	return wrap(err, "commit to the state in %s", b.state.dir)
}

// Discard ends the batch without applying it.
func (b *Batch) Discard() { b.batch.Close() }

// stateRoom is what has to be left on the disk beside what is written: for compactions in
// the background.
const stateRoom = 4*stateMemTableBytes + 1<<20

// room reports whether there is space to write so many bytes, twice: to a table, and in a
// compaction from there to another. Without, Pebble waits for ever when it is opened, and
// ends the process when it writes. A file system that does not tell has room.
func (s *State) room(bytes int) error {
	usage, err := s.fs.GetDiskUsage(s.dir)
	if err != nil { // it is not there yet
		usage, err = s.fs.GetDiskUsage(s.fs.PathDir(s.dir))
	}
	if need := stateRoom + 2*uint64(bytes); err == nil && usage.AvailBytes < need {
		return fmt.Errorf("%d bytes are left, and %d are needed: %w", usage.AvailBytes, need, syscall.ENOSPC)
	}
	return nil
}

// fail keeps the first error that Pebble could not return to a caller.
func (s *State) fail(err error) {
	if s.failure.CompareAndSwap(nil, &err) {
		close(s.broken)
	}
}

func (s *State) failed() error {
	if err := s.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// stateLogger is silent. What Pebble would end the process for becomes the
// state's failure instead, so that the replica stops in its own way.
type stateLogger struct{ state *State }

func (stateLogger) Infof(string, ...any)  {}
func (stateLogger) Errorf(string, ...any) {}
func (l stateLogger) Fatalf(format string, args ...any) {
	failure := fatalError{text: fmt.Sprintf(format, args...)}
	for _, arg := range args {
		if cause, ok := arg.(error); ok {
			failure.cause = cause
		}
	}
	l.state.fail(failure)
}

// fatalError is what Pebble had to say, with the error it named.
type fatalError struct {
	text  string
	cause error
}

func (e fatalError) Error() string { return e.text }
func (e fatalError) Unwrap() error { return e.cause }
