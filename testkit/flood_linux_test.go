package testkit_test

import (
	"crypto/rand"
	"math"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// BenchmarkFlood has three correct replicas finalise vertices, first left alone
// by the fourth member, then flooded by it as fast as it can. cpu-ratio is what
// a vertex costs them then, over what it costs before. Their disks are in memory
// and grow with the ledgers: the two figures of growth are the same if the flood
// leaves nothing behind. The flood is made beforehand, and what sending costs its
// sender is not counted; what a frame of it costs a receiver from the network on
// is.
func BenchmarkFlood(b *testing.B) {
	floods := map[string]func(*flooder) [][]byte{
		"bad signatures":   (*flooder).badSignatures,
		"far-future votes": (*flooder).farFuture,
		"the same again":   (*flooder).theSame,
		"malformed frames": (*flooder).malformed,
	}
	for name, frames := range floods {
		b.Run(name, func(b *testing.B) {
			c := testkit.New(b, 4, testkit.WithLogLevel(zerolog.Disabled))
			for i := range 3 {
				c.Start(i)
			}
			f := newFlooder(b, c)
			flood := frames(f)
			const vertices = 600_000
			load(b, c, vertices/10) // until everything is warm
			for b.Loop() {
				before := heap()
				alone := load(b, c, vertices)
				between := heap()
				stop := f.start(flood)
				flooded := load(b, c, vertices)
				sent, cost := stop()
				b.ReportMetric(float64(flooded-cost)/float64(alone), "cpu-ratio")
				b.ReportMetric(float64(sent), "flood-frames")
				b.ReportMetric(between-before, "heap-growth-MB-alone")
				b.ReportMetric(heap()-between, "heap-growth-MB-flooded")
			}
		})
	}
}

// heap is what is in use, in MB.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

// load has vertices finalised and gives the processor time the process took.
func load(b *testing.B, c *testkit.Cluster, vertices int) time.Duration {
	before := processorTime(b, syscall.RUSAGE_SELF)
	const submitters, batch = 6, 1000
	var wg sync.WaitGroup
	for s := range submitters {
		wg.Go(func() {
			for left := vertices / submitters; left > 0; left -= batch {
				list := make([]replica.Vertex, min(left, batch))
				for i := range list {
					list[i].Payload = make([]byte, 128)
				}
				if _, err := c.Replica(s%3).ProposeAll(b.Context(), list); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return processorTime(b, syscall.RUSAGE_SELF) - before
}

func processorTime(b *testing.B, who int) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// flooder is the fourth member.
type flooder struct {
	b         *testing.B
	c         *testkit.Cluster
	transport cluster.Transport
	keyring   *crypto.Keyring
}

func newFlooder(b *testing.B, c *testkit.Cluster) *flooder {
	b.Helper()
	keyring, err := crypto.NewKeyring(c.Genesis)
	if err != nil {
		b.Fatal(err)
	}
	f := &flooder{b: b, c: c, transport: c.Network.Transport(3), keyring: keyring}
	if err := f.transport.Start(func(m any) {
		if in, ok := m.(*cluster.Inbound); ok {
			in.Release()
		}
	}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := f.transport.Stop(); err != nil {
			b.Error(err)
		}
	})
	return f
}

// start floods until stopped: every receiver as far as it reads on, which a
// network's own flow control does. The sender's own time is given back.
func (f *flooder) start(frames [][]byte) (stop func() (sent int, cost time.Duration)) {
	const unread = 8 << 20
	done, ended := make(chan struct{}), make(chan struct{})
	sent, cost := 0, time.Duration(0)
	go func() {
		defer close(ended)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		pause := time.NewTicker(time.Millisecond)
		defer pause.Stop()
		before := processorTime(f.b, syscall.RUSAGE_THREAD)
		for i := 0; ; i++ {
			idle := true
			for to := range messages.Index(3) {
				if f.c.Network.Unread(3, to) < unread {
					f.transport.Send(to, cluster.LaneVotes, frames[i%len(frames)])
					sent++
					idle = false
				}
			}
			select {
			case <-done:
				cost = processorTime(f.b, syscall.RUSAGE_THREAD) - before
				return
			default:
			}
			if idle {
				<-pause.C
			}
		}
	}()
	return func() (int, time.Duration) { close(done); <-ended; return sent, cost }
}

func (f *flooder) encode(m messages.Message) []byte {
	f.b.Helper()
	frame, err := messages.EncodeFrame(m)
	if err != nil {
		f.b.Fatal(err)
	}
	return frame
}

func (f *flooder) seal(votes ...messages.Vote) *messages.Bundle {
	f.b.Helper()
	bundle, _, err := crypto.Seal(f.keyring, 3, f.c.Key(3), votes)
	if err != nil {
		f.b.Fatal(err)
	}
	return bundle
}

const floodFrames = 500

// badSignatures are bundles of votes as they may come, with noise for signatures.
func (f *flooder) badSignatures() (frames [][]byte) {
	size := len(f.seal(prepare(1, 1)).Signature)
	for i := range floodFrames {
		// Sequences of a window that is still to come, so that they are looked at.
		bundle := &messages.Bundle{From: 3, Votes: []messages.Vote{prepare(messages.Seq(1+i), 1)}, Signature: make([]byte, size)}
		if _, err := rand.Read(bundle.Signature); err != nil {
			f.b.Fatal(err)
		}
		frames = append(frames, f.encode(&messages.Bundles{Bundles: []*messages.Bundle{bundle}}))
	}
	return frames
}

// farFuture are votes that are validly signed.
func (f *flooder) farFuture() (frames [][]byte) {
	for i := range floodFrames {
		bundle := f.seal(prepare(math.MaxUint32+messages.Seq(i), 1))
		frames = append(frames, f.encode(&messages.Bundles{Bundles: []*messages.Bundle{bundle}}))
	}
	return frames
}

// theSame are valid votes for the window, signed anew each time.
func (f *flooder) theSame() (frames [][]byte) {
	for range floodFrames {
		votes := []messages.Vote{prepare(200, 1), prepare(250, 1)}
		frames = append(frames, f.encode(&messages.Bundles{Bundles: []*messages.Bundle{f.seal(votes...)}}))
	}
	return frames
}

func (f *flooder) malformed() [][]byte {
	return [][]byte{append([]byte{0x93, messages.WireVersion, byte(messages.FrameBundles)}, make([]byte, 5000)...)}
}
