package messages

import (
	"strings"
	"testing"
)

// TestFrameLimits: the decoder itself stops at a bound, before it has made what is
// beyond it; Validate would be too late.
func TestFrameLimits(t *testing.T) {
	tests := map[string]Message{
		"bundles":       &Bundles{Bundles: bundlesOf(FrameBundlesMax+1, 1, 1)},
		"votes":         &Bundles{Bundles: []*Bundle{bundleOf(0, BundleVotesMax+1, 1)}},
		"a signature":   &Bundles{Bundles: []*Bundle{bundleOf(0, 1, SignatureBytesMax+1)}},
		"a body":        &BatchBody{Body: make([]byte, BatchBytesMax+1)},
		"vertices":      &Forward{Vertices: make([]byte, BatchBytesMax+1)},
		"digests":       &FetchBatch{Digests: leaves(FetchBatchMax + 1)},
		"checkpoints":   &Status{Checkpoints: checkpoints(StatusCheckpointsMax + 1)},
		"slots":         &Status{Slots: slots(WindowMax + 1)},
		"a name":        &Hello{Software: strings.Repeat("s", SoftwareBytesMax+1)},
		"a reason":      &Refusal{Reason: strings.Repeat("r", ReasonBytesMax+1)},
		"a certificate": &StableCheckpoint{Certificate: bundlesOf(CertificateBundlesMax+1, 1, 1)},
		"a decision":    &Decided{Certificate: bundlesOf(CertificateBundlesMax+1, 1, 1)},
		"its body":      &Decided{Body: make([]byte, BatchBytesMax+1)},
		"claims":        &ViewChangeMessage{Bundle: bundleOf(0, 1, 1), Body: &ViewChangeBody{Accepted: make([]Claim, ViewChangeBytesMax/claimBytes)}},
		"a list":        &NewViewMessage{Bundle: bundleOf(0, 1, 1), Body: &NewViewBody{List: make([]Digest, NewViewBytesMax/32)}},
		"a member":      &FetchViewChange{Member: MembersMax},
		"evidence":      evidenceOf(0, 1, 1, BundleVotesMax+1, 1),
		"its bundles":   &Evidence{Bundles: bundlesOf(3, 1, 1)},
		"a liar":        &Evidence{Member: MembersMax},
		"a part":        &Chunk{Parts: [][]byte{make([]byte, PartBytesMax+1)}},
		"parts":         &Chunk{Parts: make([][]byte, ChunkPartsMax+1)},
		"parts wanted":  &FetchChunk{Count: ChunkPartsMax + 1},
		"buckets":       &Manifest{App: make([]BucketParts, SnapshotBucketsMax+1)},
		"hashes":        &Manifest{App: []BucketParts{{Parts: make([]Digest, SnapshotPartsMax+1)}}},
		"a prepared":    &PreparedCertificate{Certificate: bundlesOf(CertificateBundlesMax+1, 1, 1)},
	}
	for name, m := range tests {
		f, ok := formOf(m.FrameKind())
		if !ok {
			t.Fatalf("%v has no form", m.FrameKind())
		}
		if _, err := DecodeFrame(encode(m, f)); reasonOf(err) != Malformed || !strings.Contains(err.Error(), "at most") {
			t.Errorf("%s beyond the bound: %v", name, err)
		}
	}
}
