package replica_test

import (
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// BenchmarkFinalise has four replicas finalise vertices of 128 bytes, proposed
// at all of them: real signatures and journals on disk, links in memory.
func BenchmarkFinalise(b *testing.B) {
	c := testkit.NewCluster(b, 4, testkit.WithFolder(b.TempDir()), testkit.WithLogLevel(zerolog.Disabled))
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
				if _, err := c.Replica(s%4).ProposeAll(b.Context(), list); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "vertices/s")
}
