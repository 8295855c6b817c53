package storage

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/actors/runtime"
)

const (
	segmentBytesDefault = 64 << 20
	segmentBytesMin     = 4 * pageBytes
	segmentBytesMax     = 1 << 30

	// sparesMin and sparesMax bound how many released segments are kept for reuse.
	sparesMin = 2
	sparesMax = 16
)

// Identity binds a folder to one chain and one member of it. A journal written
// under another identity is refused: votes recorded by somebody else, or for
// another chain, say nothing about one's own.
type Identity struct{ Chain, Member [32]byte }

// SyncPolicy says when a group is made durable.
type SyncPolicy uint8

const (
	// SyncAlways flushes every group before AppendGroup returns.
	SyncAlways SyncPolicy = iota
	// SyncNever leaves flushing to the operating system, but for roll-over and
	// Close. A killed process loses nothing by it; a power cut may lose groups
	// whose votes were sent, and may leave a journal that is refused as corrupt.
	// It is for measurements and for who asked for it by name.
	SyncNever
)

// String names the policy as the configuration does.
func (p SyncPolicy) String() string {
	switch p {
	case SyncAlways:
		return "always"
	case SyncNever:
		return "never"
	}
	return fmt.Sprintf("SyncPolicy(%d)", uint8(p))
}

// Options configure a journal. The zero value is what production uses, with
// Observer and Now added.
type Options struct {
	// FS holds the files; vfs.Default if nil.
	FS vfs.FS
	// SegmentBytes is the size of new segments, a multiple of 4 KiB between
	// 16 KiB and 1 GiB; 64 MiB if 0. It bounds a group. Existing segments keep
	// their size.
	SegmentBytes int64
	// Sync is when groups are flushed.
	Sync SyncPolicy
	// Observer is told what happens; every function of it may be nil.
	Observer Observer
	// Now is the clock for the durations the Observer is told. They are 0 if it
	// is nil.
	Now func() time.Time
	// ReadOnly opens a journal that is there, and writes nothing: a torn last group is
	// passed over and stays. AppendGroup, and whatever else would write, gives
	// ErrReadOnly.
	ReadOnly bool
	// Rand draws a salt for each segment; runtime.SecureRand if nil. Nothing a
	// journal returns depends on it.
	Rand runtime.Rand
}

// Observer is told what a journal does. Its functions are called by the
// goroutine that called the journal, and must not call the journal.
type Observer struct {
	// Flushed is called after a group is written and, by policy, flushed; bytes
	// counts whole pages.
	Flushed func(d time.Duration, bytes int)
	// SegmentPrepared is called when a segment is ready to be written; recycled
	// says that it is a released one, which saves filling it with zeros.
	SegmentPrepared func(d time.Duration, recycled bool)
	// SegmentClosed is called when a segment is full; bytes is what its groups
	// take.
	SegmentClosed func(segment uint64, bytes int64)
	// SegmentReleased is called for each segment that is no longer needed;
	// recycled says that its file was kept for reuse.
	SegmentReleased func(segment uint64, recycled bool)
	// TailDropped is called by OpenJournal for a torn last group.
	TailDropped func(segment uint64, offset int64)
}

// withDefaults fills in what was left out and refuses what cannot work.
func (o Options) withDefaults() (Options, error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Rand == nil {
		o.Rand = runtime.SecureRand()
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = segmentBytesDefault
	}
	if o.SegmentBytes < segmentBytesMin || o.SegmentBytes > segmentBytesMax || o.SegmentBytes%pageBytes != 0 {
		return o, fmt.Errorf("a segment of %d bytes: give a multiple of %d from %d to %d",
			o.SegmentBytes, pageBytes, segmentBytesMin, segmentBytesMax)
	}
	if o.Sync > SyncNever {
		return o, fmt.Errorf("unknown sync policy %v", o.Sync)
	}
	return o, nil
}

// stopwatch returns a function that gives the time since the call, 0 without a
// clock.
func (o *Options) stopwatch() func() time.Duration {
	if o.Now == nil {
		return func() time.Duration { return 0 }
	}
	start := o.Now()
	return func() time.Duration { return o.Now().Sub(start) }
}
