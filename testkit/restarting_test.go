package testkit_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// readCounter is a disk that counts the bytes read of the journal.
type readCounter struct {
	vfs.FS
	bytes atomic.Int64
}

type countedFile struct {
	vfs.File
	bytes *atomic.Int64
}

func (d *readCounter) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := d.FS.Open(name, opts...)
	if err != nil || !strings.Contains(name, "/journal/") {
		return f, err
	}
	return &countedFile{f, &d.bytes}, nil
}

func (d *readCounter) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := d.FS.OpenReadWrite(name, category, opts...)
	if err != nil || !strings.Contains(name, "/journal/") {
		return f, err
	}
	return &countedFile{f, &d.bytes}, nil
}

func (f *countedFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.bytes.Add(int64(n))
	return n, err
}

func (f *countedFile) ReadAt(p []byte, offset int64) (int, error) {
	n, err := f.File.ReadAt(p, offset)
	f.bytes.Add(int64(n))
	return n, err
}

// growHistory has so many checkpoints become stable, stops replica 3 a sequence above
// the last, and gives what the segments of its journal are.
func growHistory(t testing.TB, c *testkit.Cluster, checkpoints int, payload []byte) (segments int) {
	t.Helper()
	interval := c.Genesis.Params.CheckpointInterval
	end := interval*messages.Seq(checkpoints) + 1
	for i := 0; c.Replica(0).CurrentSequence() < end; i++ {
		payload[0], payload[1], payload[2] = byte(i), byte(i>>8), byte(checkpoints)
		c.ProposeAll(0, []replica.Vertex{{Payload: payload}})
	}
	c.Await(3, end)
	c.AwaitStable(3, end-1)
	c.Kill(3)
	list, err := c.Disk(3).List(c.Home(3) + "/journal")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// What a start reads of the journal is what lies above the last checkpoint, and
// the page at the head of each segment: nothing of the history, though all of it
// is there.
func TestD5_AStartReadsNoHistory(t *testing.T) {
	if raced {
		t.Skip("it measures sizes")
	}
	disk := &readCounter{FS: vfs.NewMem()}
	c := testkit.NewCluster(t, 4, shortIntervals, smallSegments, testkit.WithDisks(func(i int) vfs.FS {
		if i == 3 {
			return disk
		}
		return vfs.NewMem()
	}))
	read := func(checkpoints int) (bytes int64, segments int) {
		segments = growHistory(t, c, checkpoints, make([]byte, 64<<10))
		disk.bytes.Store(0)
		c.Start(3)
		return disk.bytes.Load(), segments
	}
	few, short := read(10)
	many, long := read(100)
	t.Logf("%d KiB of %d segments read after 10 checkpoints, %d KiB of %d after 100", few>>10, short, many>>10, long)
	const page, segment = 4 << 10, 1 << 20
	if few == 0 || long < 5*short {
		t.Fatal("nothing is compared here")
	}
	if most := few + int64(long-short)*page + 2*segment; many > most {
		t.Errorf("a start after 100 checkpoints read %d bytes, %d are explained", many, most)
	}
	c.AwaitEqual(c.Propose(3, "it goes on"))
}

// BenchmarkRestart is how long a replica takes from its start until its state is
// that of before, on a disk, after 10 checkpoints and after 100 with all batches
// kept: the medians of nine.
func BenchmarkRestart(b *testing.B) {
	for b.Loop() {
		c := testkit.NewCluster(b, 4, testkit.WithFolder(b.TempDir()), testkit.WithLogLevel(zerolog.Disabled), testkit.WithSegmentBytes(8<<20),
			testkit.WithParams(func(p *messages.Params) { p.CheckpointInterval, p.Window, p.SnapshotInterval = 16, 32, 32 }))
		start := func(checkpoints int) float64 {
			growHistory(b, c, checkpoints, make([]byte, 16<<10))
			times := make([]float64, 9)
			for i := range times {
				began := time.Now()
				c.Start(3)
				times[i] = time.Since(began).Seconds() * 1000
				if i < len(times)-1 {
					c.Kill(3)
				}
			}
			slices.Sort(times)
			return times[len(times)/2]
		}
		few := start(10)
		many := start(100)
		b.ReportMetric(few, "ms-after-10")
		b.ReportMetric(many, "ms-after-100")
		b.ReportMetric(many/few, "ratio")
	}
}
