package cluster

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/cretoai/consensus/messages"
)

// What a view change sends at most, of a full window of 256: each message is one
// frame and passes the real transport. Sizes are for ML-DSA-87.
func TestRemoteCarriesTheLargestViewChange(t *testing.T) {
	const window, signature = 256, 4627
	cfg := members(t, 2)
	a, b := start(t, cfg[0]), start(t, cfg[1])
	a.meet(1)
	digest := func(i, j int) (d messages.Digest) {
		d[0] = 1
		binary.BigEndian.PutUint64(d[8:], uint64(i))
		binary.BigEndian.PutUint64(d[16:], uint64(j))
		return d
	}
	bundle := func(from int, votes ...messages.Vote) *messages.Bundle {
		return &messages.Bundle{From: messages.Index(from), Votes: votes, Signature: make([]byte, signature)}
	}
	for _, n := range []int{4, 16, 31} {
		const low, view = 1 << 40, 1 << 20
		vc := &messages.ViewChangeBody{View: view, Low: low, LowDigest: digest(0, 0)}
		nv := &messages.NewViewBody{View: view, MinS: low, MinSDigest: digest(0, 0)}
		var votes []messages.Vote
		for i := 1; i <= window; i++ {
			seq := messages.Seq(low + i)
			vc.Prepared = append(vc.Prepared, messages.Claim{Seq: seq, View: 9, Digest: digest(i, 0)})
			nv.Marks = append(nv.Marks, messages.Claim{Seq: seq, View: 9, Digest: digest(i, 0)})
			for j := range messages.ClaimDigestsMax {
				vc.Accepted = append(vc.Accepted, messages.Claim{Seq: seq, View: messages.View(9 + j), Digest: digest(i, j)})
			}
			nv.List = append(nv.List, digest(i, 0))
			if i <= messages.BundleVotesMax {
				votes = append(votes, messages.Vote{Kind: messages.Prepare, View: 9, Seq: seq, Digest: digest(i, 0)})
			}
		}
		var checkpoint, prepared []*messages.Bundle
		for m := range messages.Quorum(n) {
			checkpoint = append(checkpoint, bundle(m, messages.Vote{Kind: messages.Checkpoint, Seq: low, Digest: digest(0, 0)}))
			nv.ViewChanges = append(nv.ViewChanges, messages.ViewChangeRef{Member: messages.Index(m), Digest: digest(m, 1)})
			if m > 0 {
				prepared = append(prepared, bundle(m, votes...))
			}
		}
		for _, m := range []messages.Message{
			&messages.ViewChangeMessage{
				Bundle: bundle(0, messages.Vote{Kind: messages.ViewChange, View: view, Digest: vc.Digest()}), Body: vc, Certificate: checkpoint,
			},
			&messages.NewViewMessage{
				Bundle: bundle(0, messages.Vote{Kind: messages.NewView, View: view, Digest: nv.Digest()}), Body: nv, Certificate: checkpoint,
			},
			&messages.PreparedCertificate{View: 9, Seq: low + 1, Digest: digest(1, 0), Certificate: prepared},
		} {
			t.Run(fmt.Sprintf("n=%d/%v", n, m.FrameKind()), func(t *testing.T) {
				frame, err := messages.EncodeFrame(m)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%d bytes", len(frame))
				a.Send(1, LaneViewChange, frame)
				got := b.receive(1)
				if len(got) != 1 || !bytes.Equal(got[0].Frame, frame) {
					t.Fatal("it did not arrive as it was sent")
				}
				if _, err := messages.DecodeFrame(got[0].Frame); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
