package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/cretoai/consensus/replica"
)

// instantDoor finalises at once, and costs next to nothing.
type instantDoor struct{ *fakeDoor }

var closedChannel = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func (instantDoor) Submit(_ context.Context, vertices []replica.Vertex) (*replica.Submission, error) {
	receipts := make([]replica.Receipt, len(vertices))
	for i := range receipts {
		receipts[i] = replica.Receipt{Seq: 1, Position: uint32(i)}
	}
	return &replica.Submission{Done: closedChannel, Wait: func(context.Context) ([]replica.Receipt, error) { return receipts, nil }}, nil
}

// BenchmarkBatch has vertices of 128 bytes pass through the handler and over a
// loopback connection, and their receipts come back; an operation is a vertex. What
// the client costs is in it.
func BenchmarkBatch(b *testing.B) {
	for _, format := range formats {
		for _, together := range []int{1, 32, 512} {
			b.Run(fmt.Sprintf("%s/%d", format.ContentType()[len("application/"):], together), func(b *testing.B) {
				server := httptest.NewServer(NewHandler(instantDoor{newFakeDoor()}, Options{BodyBytesMax: 1 << 20}))
				defer server.Close()
				base, err := url.Parse(server.URL)
				if err != nil {
					b.Fatal(err)
				}
				stream, err := OpenBatch(b.Context(), server.Client(), base, format, 0)
				if err != nil {
					b.Fatal(err)
				}
				defer stream.Close()
				vertices := make([]replica.Vertex, together)
				for i := range vertices {
					vertices[i].Payload = make([]byte, 128)
				}
				b.ReportAllocs()
				b.ResetTimer()
				sent := make(chan error, 1)
				go func() {
					for left := b.N; left > 0; left -= together {
						if err := errors.Join(stream.Append(vertices[:min(left, together)]), stream.Flush()); err != nil {
							sent <- err
							return
						}
					}
					sent <- stream.End()
				}()
				var r BatchReceipt
				for range b.N {
					if err := stream.Receive(&r); err != nil {
						b.Fatal(err)
					}
				}
				if err := <-sent; err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
