package main

import (
	"errors"
	"io"
	"testing"

	"github.com/cretoai/consensus/cmd/replica/workload"
	"github.com/cretoai/consensus/messages"
)

// TestSupply: every vertex is signed by one of as many creators as were asked for, who
// use their nonces in ascending order, and is handed out once.
func TestSupply(t *testing.T) {
	for _, together := range []int{1, 4} {
		o := benchOptions{creator: creatorOptions{sign: true, creators: 3, together: together, presigned: 50}, load: workload.Options{Payload: 8}}
		s, err := o.presign(t.Context(), chainOf{messages.Digest{1}, "ml-dsa-44", 7}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		next := make(map[[32]byte]uint64)
		groups := make(map[*messages.Group]int)
		taken := 0
		for {
			list, err := s.take(together)
			if errors.Is(err, workload.ErrExhausted) {
				break
			}
			if err != nil || len(list) != together {
				t.Fatalf("%d vertices: %v", len(list), err)
			}
			for _, v := range list {
				if v.Nonce != next[v.Creator] || v.Expires <= 7 || len(v.Payload) != 8 || v.Seal.Group == nil {
					t.Fatalf("vertex %d of %d together: %+v, want nonce %d", taken, together, v, next[v.Creator])
				}
				next[v.Creator]++
				groups[v.Seal.Group]++
				taken++
			}
		}
		if want := (50 + together - 1) / together * together; taken != want || len(next) != 3 || len(groups) != want/together {
			t.Errorf("%d vertices of %d creators in %d groups; want %d of 3 in %d", taken, len(next), len(groups), want, want/together)
		}
	}
}

// TestPresignedFitsTheMemory whatever is asked for.
func TestPresignedFitsTheMemory(t *testing.T) {
	for _, together := range []int{1, 256, 1024} {
		o := benchOptions{creator: creatorOptions{together: together}, load: workload.Options{Payload: 100_000, Outstanding: 1500, Duration: 1 << 45}}
		if n := o.presignedVertices(); n < together || n > 1<<30/100_000 {
			t.Errorf("%d vertices, %d to a signature", n, together)
		}
		o.load.Payload, o.load.Duration, o.load.Vertices = 128, 0, 1000
		if n := o.presignedVertices(); n < 4000 || n > 5000 {
			t.Errorf("%d vertices for a measurement of 1000 with 1500 outstanding", n)
		}
	}
}
