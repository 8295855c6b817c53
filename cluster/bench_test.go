package cluster

import (
	"fmt"
	"testing"
)

// BenchmarkRemote sends frames over loopback until all came: both ends,
// encryption included, in one process.
func BenchmarkRemote(b *testing.B) {
	for _, size := range []int{200, 5 << 10, 200 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			cfg := members(b, 2)
			sender, receiver := start(b, cfg[0]), start(b, cfg[1])
			sender.meet(1)
			frame := make([]byte, size)
			underWay := max(4, min(1024, (2<<20)/size))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			for sent, came := 0, 0; came < b.N; {
				for ; sent < b.N && sent-came < underWay; sent++ {
					sender.Send(1, LaneVotes, frame)
				}
				came += len(receiver.receive(1))
			}
		})
	}
}
