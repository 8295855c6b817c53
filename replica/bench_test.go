package replica_test

import (
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/replica"
)

// BenchmarkFinalise has four replicas finalise vertices of 128 bytes, proposed
// at all of them: real signatures and journals on disk, links in memory.
func BenchmarkFinalise(b *testing.B) {
	nw := newNetwork(b, 4, replica.WithLogger(zerolog.Nop()))
	for i := range nw.disks {
		nw.disks[i] = vfs.Default
	}
	nw.home = func(i int) string { return nw.dir + home(i) }
	nw.segmentBytes = 64 << 20
	nw.start(0, 1, 2, 3)
	payload := make([]byte, 128)
	b.ReportAllocs()
	b.ResetTimer()
	const submitters, batch = 8, 1000
	var wg sync.WaitGroup
	for s := range submitters {
		wg.Go(func() {
			for left := b.N / submitters; left > 0; left -= batch {
				list := make([]replica.Vertex, min(left, batch))
				for i := range list {
					list[i].Payload = payload
				}
				if _, err := nw.replicas[s%4].ProposeAll(b.Context(), list); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "vertices/s")
	b.StopTimer()
	nw.stopAll()
}
