package testkit

import (
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// Option changes how a cluster is made.
type Option func(*options)

type options struct {
	scheme       string
	level        zerolog.Level
	segmentBytes int64
	dir          string
	ask          bool
	patience     time.Duration
	params       func(*messages.Params)
	disk         func(i int) vfs.FS
	replica      func(i int) []replica.Option
	config       func(i int, cfg *replica.Config)
}

func newOptions(opts []Option) options {
	o := options{
		scheme: crypto.DefaultScheme, level: zerolog.InfoLevel, segmentBytes: 4 << 20, patience: patienceDefault,
		params:  func(*messages.Params) {},
		disk:    func(int) vfs.FS { return vfs.NewMem() },
		replica: func(int) []replica.Option { return nil },
		config:  func(int, *replica.Config) {},
	}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// WithReplica gives replica i further options of package replica, such as an
// application and actors of your own. f is called at every start, restarts included:
// a new life needs a state machine of its own, for the one before keeps its memory,
// and the state comes from the disk.
//
//	testkit.WithReplica(func(int) []replica.Option {
//		return []replica.Option{replica.WithStateMachine(kvstore.New())}
//	})
func WithReplica(f func(i int) []replica.Option) Option { return func(o *options) { o.replica = f } }

// WithPatience is how long each wait may take before it fails the test: of Propose and
// ProposeAll, of all Await*, of each vertex of Load, and of Context. The default is
// 30 s, and two minutes under the race detector.
func WithPatience(d time.Duration) Option { return func(o *options) { o.patience = d } }

// WithConfig changes the configuration of replica i, at every start.
func WithConfig(f func(i int, cfg *replica.Config)) Option {
	return func(o *options) { o.config = f }
}

// WithDisks gives replica i a disk of its own kind; the default is memory.
func WithDisks(f func(i int) vfs.FS) Option { return func(o *options) { o.disk = f } }

// WithFolder keeps the replicas' data on the machine's disk, below dir.
func WithFolder(dir string) Option {
	return func(o *options) {
		o.dir, o.segmentBytes = dir, 64<<20
		o.disk = func(int) vfs.FS { return vfs.Default }
	}
}

// WithSegmentBytes is the size of a journal segment; the default is 4 MiB.
func WithSegmentBytes(n int64) Option { return func(o *options) { o.segmentBytes = n } }

// WithoutFirstStart has replicas with an empty disk ask the others whether they
// have voted, at their first start too.
func WithoutFirstStart() Option { return func(o *options) { o.ask = true } }

// WithParams changes the parameters the members agree on in the genesis.
func WithParams(f func(*messages.Params)) Option { return func(o *options) { o.params = f } }

// WithLogLevel is what the test's log shows; the default is info.
func WithLogLevel(level zerolog.Level) Option { return func(o *options) { o.level = level } }

// WithScheme signs with another scheme than ML-DSA-87.
func WithScheme(name string) Option { return func(o *options) { o.scheme = name } }
