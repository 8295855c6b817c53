package testkit_test

import (
	"context"
	"errors"
	"math"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// absence is of a replica that is stopped while the others go on under load, and
// comes back while they still do.
type absence struct {
	member      int
	checkpoints int // that become stable at the others meanwhile, at least
	// snapshot: the others' ledgers are trimmed until they lack what it lacks.
	snapshot bool
	patience time.Duration // with each of its stages
}

// homecoming is what came of an absence.
type homecoming struct {
	missed  messages.Seq  // sequences, when it started
	started time.Duration // until it had read its disk
	took    time.Duration // until it was as far as the others, to a checkpoint
	moved   messages.Seq  // how far it came meanwhile
	// Vertices a second at the others: with all there, without it, and while it
	// caught up.
	before, without, during float64
	transfers               float64 // of states
	views                   messages.View
}

// play goes through an absence.
func (a absence) play(t testing.TB, c *testkit.Cluster) (h homecoming) {
	t.Helper()
	stop := keepBusy(t, c, a.member)
	defer stop()
	interval := c.Genesis.Params.CheckpointInterval
	others := c.Replica((a.member + 1) % 4)
	measure := func(stage string, done func() bool) float64 {
		t.Helper()
		began, vertices := time.Now(), others.Status().Vertices
		for ; !done(); c.AwaitHeartbeat((a.member + 1) % 4) {
			if time.Since(began) > a.patience {
				t.Fatalf("%s: no end within %v; the others are at %d, %+v", stage, a.patience, others.CurrentSequence(), c.Replica(a.member).Status())
			}
		}
		return float64(others.Status().Vertices-vertices) / time.Since(began).Seconds()
	}
	reach := func(seq messages.Seq) func() bool { return func() bool { return others.CurrentSequence() >= seq } }

	measure("warming up", reach(2*interval))
	h.before = measure("with all", reach(others.CurrentSequence()+interval*messages.Seq(max(a.checkpoints/10, 3))))
	r := c.Replica(a.member)
	c.Kill(a.member)
	left := r.CurrentSequence()
	h.without = measure("without it", func() bool {
		return reach(left+interval*messages.Seq(a.checkpoints))() && (!a.snapshot || trimmedBeyond(c, a.member, left))
	})
	began := time.Now()
	c.Start(a.member)
	h.started = time.Since(began)
	r = c.Replica(a.member)
	left, h.missed = r.CurrentSequence(), others.CurrentSequence()-left
	h.during = measure("catching up", func() bool { return r.CurrentSequence()+interval >= others.CurrentSequence() })
	h.took, h.moved = time.Since(began), r.CurrentSequence()-left
	h.transfers, h.views = transfers(c, a.member), others.CurrentView()
	return h
}

// keepBusy has vertices proposed at all replicas but one until stop is called.
func keepBusy(t testing.TB, c *testkit.Cluster, except int) (stop func()) {
	const submitters, group = 6, 32
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for s := range submitters {
		r := c.Replica((except + 1 + s%3) % 4)
		wg.Go(func() {
			for ctx.Err() == nil {
				list := make([]replica.Vertex, group)
				for i := range list {
					list[i].Payload = make([]byte, 128)
				}
				if _, err := r.ProposeAll(ctx, list); err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("under load: %v", err)
					return
				}
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

// trimmedBeyond reports whether the ledgers of all but one replica begin above a
// sequence.
func trimmedBeyond(c *testkit.Cluster, except int, seq messages.Seq) bool {
	for i := range 4 {
		if i != except && c.Replica(i).FirstSequence() <= seq+1 {
			return false
		}
	}
	return true
}

// Whoever was away for sixty checkpoints is back in time though the others are busy
// and go on, by batches while they have them and by a snapshot when they have not;
// and the others get on meanwhile.
func TestR3_WhoWasAwayForLongIsBackUnderLoad(t *testing.T) {
	for way, trim := range map[string]bool{"decided": false, "snapshot": true} {
		t.Run(way, func(t *testing.T) {
			options := []testkit.Option{shortIntervals, smallSegments, testkit.WithLogLevel(zerolog.WarnLevel)}
			if trim {
				options = append(options, shortLedgers)
			}
			c := testkit.NewCluster(t, 4, options...)
			checkpoints := 60
			if raced {
				checkpoints = 15
			}
			h := absence{member: 3, checkpoints: checkpoints, snapshot: trim, patience: 2 * time.Minute}.play(t, c)
			t.Logf("%d sequences missed, back after %v and %d; vertices a second: %.0f with all, %.0f without it, %.0f meanwhile",
				h.missed, h.took, h.moved, h.before, h.without, h.during)
			if (h.transfers > 0) != trim || h.missed < messages.Seq(checkpoints)*4 {
				t.Errorf("%v states were transferred for %d sequences", h.transfers, h.missed)
			}
			if h.during == 0 {
				t.Error("nothing became final meanwhile")
			}
			c.AwaitEqual(c.Propose(3, "it takes part"))
		})
	}
}

// BenchmarkCatchingUp has a replica stopped for checkpoints of 128 sequences, ten or
// as many as CATCHUP_CHECKPOINTS says, and come back to three others that are kept
// busy all the time, on disks and with four replicas on this one machine. ratio is
// what the others finalise meanwhile over what all four did before, ratio-without the
// same while it is away. It is back by snapshot within a second or two, in which a
// flush more or less is seen: the means of several runs tell more.
//
//	CATCHUP_CHECKPOINTS=100 go test ./testkit -run - -bench CatchingUp -benchtime 5x -timeout 60m
func BenchmarkCatchingUp(b *testing.B) {
	checkpoints := 10
	if text := os.Getenv("CATCHUP_CHECKPOINTS"); text != "" {
		var err error
		if checkpoints, err = strconv.Atoi(text); err != nil {
			b.Fatalf("CATCHUP_CHECKPOINTS: %v", err)
		}
	}
	for way, trim := range map[string]bool{"decided": false, "snapshot": true} {
		b.Run(way, func(b *testing.B) {
			sums, least, runs := make(map[string]float64), math.Inf(1), 0.
			for b.Loop() {
				h := comeBack(b, checkpoints, trim)
				for unit, value := range map[string]float64{
					"ratio": h.during / h.before, "ratio-without": h.without / h.before, "vertices/s-before": h.before,
					"s-to-start": h.started.Seconds(), "s-to-catch-up": h.took.Seconds(), "sequences-missed": float64(h.missed),
					"sequences/s": float64(h.moved) / h.took.Seconds(), "view-changes": float64(h.views),
				} {
					sums[unit] += value
				}
				least = min(least, h.during/h.before)
				runs++
			}
			for unit, sum := range sums {
				b.ReportMetric(sum/runs, unit)
			}
			b.ReportMetric(least, "least-ratio")
		})
	}
}

// comeBack plays an absence on disks.
func comeBack(b *testing.B, checkpoints int, trim bool) homecoming {
	b.Helper()
	c := testkit.NewCluster(b, 4, testkit.WithFolder(b.TempDir()), testkit.WithLogLevel(zerolog.Disabled),
		testkit.WithConfig(func(_ int, cfg *replica.Config) {
			if trim {
				cfg.LedgerRetain = 1
			}
			cfg.FinalityTimeout, cfg.HeartbeatTimeout = 10*time.Second, 10*time.Second
		}))
	h := absence{member: 3, checkpoints: checkpoints, snapshot: trim, patience: 20 * time.Minute}.play(b, c)
	if (h.transfers > 0) != trim {
		b.Errorf("%v states were transferred", h.transfers)
	}
	for i := range 4 {
		c.Kill(i)
	}
	return h
}
