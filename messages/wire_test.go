package messages

import (
	"bytes"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// bundleOf is a valid bundle of the given size.
func bundleOf(from Index, votes, signature int) *Bundle {
	b := &Bundle{Epoch: math.MaxUint64, From: from, Signature: bytes.Repeat([]byte{0xff}, signature)}
	for i := range votes {
		b.Votes = append(b.Votes, Vote{Kind: Commit, View: View(i), Seq: Seq(i + 1), Digest: numbered(i)})
	}
	return b
}

func bundlesOf(n, votes, signature int) []*Bundle {
	var bundles []*Bundle
	for i := range n {
		bundles = append(bundles, bundleOf(Index(i), votes, signature))
	}
	return bundles
}

// small has one message of each kind, every field of which is set and small.
func small(t testing.TB) map[FrameKind]Message {
	batch := goldenBatch(t)
	certificate := bundlesOf(1, 1, 3)
	examples := map[FrameKind]Message{
		FrameHello:        &Hello{Genesis: numbered(1), Instance: [16]byte{2}, Software: "replica 1.0"},
		FrameRefusal:      &Refusal{Reason: "another chain", Genesis: numbered(1)},
		FrameBundles:      &Bundles{Bundles: bundlesOf(2, 2, 3)},
		FrameBatchBody:    &BatchBody{Body: batch.Bytes()},
		FrameForward:      &Forward{Vertices: batch.Bytes()[BatchHeaderBytes:], Again: true, Executed: 130},
		FrameFetchBatch:   &FetchBatch{Digests: []Digest{numbered(1), numbered(2)}},
		FrameFetchDecided: &FetchDecided{From: 3, To: 4},
		FrameDecided: &Decided{
			View: 1, Seq: 2, Digest: batch.Digest(), Certificate: certificate, Body: batch.Bytes(),
		},
		FrameStableCheckpoint: &StableCheckpoint{Seq: 128, Digest: numbered(1), Certificate: certificate},
		FrameStatus: &Status{
			View: 5, Active: true, Suspects: 5, Suspicion: SuspicionAmplified,
			Low: 128, LowDigest: numbered(1), Executed: 130, LedgerHead: numbered(2), ViewChanges: 6,
			Checkpoints: []CheckpointHeld{{Seq: 256, Members: 3}},
			Slots: []SlotHeld{
				{Seq: 131, Digest8: numbered(3).Prefix(), HasBatch: true, Prepares: 7, Commits: 1},
				{Seq: 133},
			},
		},
	}
	maps.Copy(examples, smallViewChanges())
	maps.Copy(examples, smallEvidence())
	maps.Copy(examples, smallRecall())
	maps.Copy(examples, smallSnapshot())
	return examples
}

// largest has one message of each kind, as large as it may be.
func largest(t testing.TB) map[FrameKind]Message {
	body := bytes.Repeat([]byte{BatchVersion}, BatchBytesMax)
	var vertices []byte
	for len(vertices) < BatchBytesMax {
		vertices = append(vertices, encodeVertex(t, Vertex{
			Payload: make([]byte, VertexBytesMax-VertexHeaderBytes), Creator: [32]byte{1}, Nonce: uint64(len(vertices)),
		})...)
	}
	digests := make([]Digest, FetchBatchMax)
	for i := range digests {
		digests[i] = numbered(i)
	}
	status := &Status{
		View: math.MaxUint64, Active: true, Suspects: math.MaxUint64, Suspicion: SuspicionOwn,
		Low: math.MaxUint32 + 1, LowDigest: numbered(1), Executed: math.MaxUint32 + 1, LedgerHead: numbered(2),
		ViewChanges: math.MaxUint64,
	}
	for i := range StatusCheckpointsMax {
		status.Checkpoints = append(status.Checkpoints, CheckpointHeld{math.MaxUint64 - StatusCheckpointsMax + Seq(i), math.MaxUint64})
	}
	for i := range WindowMax {
		status.Slots = append(status.Slots, SlotHeld{
			math.MaxUint64 - WindowMax + Seq(i), math.MaxUint64, true, math.MaxUint64, math.MaxUint64,
		})
	}
	examples := map[FrameKind]Message{
		FrameHello: &Hello{
			Genesis: numbered(1), Instance: [16]byte{2}, Software: strings.Repeat("s", SoftwareBytesMax),
		},
		FrameRefusal:      &Refusal{Reason: strings.Repeat("r", ReasonBytesMax), Genesis: numbered(1)},
		FrameStatus:       status,
		FrameBundles:      &Bundles{Bundles: bundlesOf(FrameBundlesMax, BundleVotesMax, SignatureBytesMax)},
		FrameBatchBody:    &BatchBody{Body: body},
		FrameForward:      &Forward{Vertices: vertices, Again: true, Executed: math.MaxUint64},
		FrameFetchBatch:   &FetchBatch{Digests: digests},
		FrameFetchDecided: &FetchDecided{From: math.MaxUint64 - DecidedMax + 1, To: math.MaxUint64},
		FrameDecided: &Decided{
			View: math.MaxUint64, Seq: math.MaxUint64, Digest: numbered(1), Certificate: largestCertificate(), Body: body,
		},
		FrameStableCheckpoint: &StableCheckpoint{
			Seq: math.MaxUint64, Digest: numbered(1), Certificate: largestCertificate(),
		},
	}
	maps.Copy(examples, largestViewChanges())
	maps.Copy(examples, largestEvidence())
	maps.Copy(examples, largestRecall())
	maps.Copy(examples, largestSnapshot())
	return examples
}

// largestCertificate has exactly CertificateBytesMax bytes, of CertificateBundlesMax
// bundles full of votes.
func largestCertificate() []*Bundle {
	bundles := bundlesOf(CertificateBundlesMax, BundleVotesMax, SignatureBytesMax)
	for i := 0; bundlesSize(bundles) > CertificateBytesMax; i++ {
		b := bundles[i]
		b.Signature = b.Signature[:max(1, len(b.Signature)-(bundlesSize(bundles)-CertificateBytesMax))]
	}
	return bundles
}

// TestCertificateOfEveryMemberFits: all members of the largest membership, each
// with a full bundle in the product's default scheme, ML-DSA-87.
func TestCertificateOfEveryMemberFits(t *testing.T) {
	const signatureBytes = 4627
	if err := validateCertificate(bundlesOf(MembersMax, BundleVotesMax, signatureBytes)); err != nil {
		t.Error(err)
	}
	bundles := largestCertificate()
	if got := bundlesSize(bundles); got != CertificateBytesMax {
		t.Fatalf("the largest certificate has %d bytes, not %d", got, CertificateBytesMax)
	}
	if err := validateCertificate(bundles); err != nil {
		t.Error(err)
	}
	last := bundles[len(bundles)-1]
	last.Signature = append(last.Signature[:len(last.Signature)-1:len(last.Signature)-1], 1)
	bundles[0].Signature = append(bundles[0].Signature, 1)
	if validateCertificate(bundles) == nil {
		t.Error("a certificate a byte larger was accepted")
	}
}

// spoil makes the example of one kind invalid.
type spoil struct {
	name  string
	spoil func(map[FrameKind]Message)
	kind  FrameKind
}

// TestValidate takes a valid message of each kind and spoils one field: absent,
// repeated, out of order, a step beyond its bound.
func TestValidate(t *testing.T) {
	tooMany := func() []*Bundle { return bundlesOf(CertificateBundlesMax+1, 1, 1) }
	tests := []spoil{
		{"no genesis", on(FrameHello, func(m *Hello) { m.Genesis = Digest{} }), FrameHello},
		{"no instance", on(FrameHello, func(m *Hello) { m.Instance = [16]byte{} }), FrameHello},
		{"name too long", on(FrameHello, func(m *Hello) { m.Software = strings.Repeat("s", SoftwareBytesMax+1) }), FrameHello},
		{"name with a line break", on(FrameHello, func(m *Hello) { m.Software = "a\nb" }), FrameHello},
		{"name with an escape", on(FrameHello, func(m *Hello) { m.Software = "\x1b[2J" }), FrameHello},
		{"name that turns the text around", on(FrameHello, func(m *Hello) { m.Software = "a\u202eb" }), FrameHello},
		{"name not utf-8", on(FrameHello, func(m *Hello) { m.Software = "a\xff" }), FrameHello},

		{"no genesis", on(FrameRefusal, func(m *Refusal) { m.Genesis = Digest{} }), FrameRefusal},
		{"no reason", on(FrameRefusal, func(m *Refusal) { m.Reason = "" }), FrameRefusal},
		{"reason too long", on(FrameRefusal, func(m *Refusal) { m.Reason = strings.Repeat("r", ReasonBytesMax+1) }), FrameRefusal},
		{"reason with a line break", on(FrameRefusal, func(m *Refusal) { m.Reason = "a\nb" }), FrameRefusal},

		{"no bundles", on(FrameBundles, func(m *Bundles) { m.Bundles = nil }), FrameBundles},
		{"a nil bundle", on(FrameBundles, func(m *Bundles) { m.Bundles[1] = nil }), FrameBundles},
		{"too many bundles", on(FrameBundles, func(m *Bundles) { m.Bundles = bundlesOf(FrameBundlesMax+1, 1, 1) }), FrameBundles},
		{"no votes", on(FrameBundles, func(m *Bundles) { m.Bundles[1].Votes = nil }), FrameBundles},
		{"too many votes", on(FrameBundles, func(m *Bundles) { m.Bundles[1] = bundleOf(1, BundleVotesMax+1, 1) }), FrameBundles},
		{"no signature", on(FrameBundles, func(m *Bundles) { m.Bundles[1].Signature = nil }), FrameBundles},
		{"signature too long", on(FrameBundles, func(m *Bundles) { m.Bundles[1] = bundleOf(1, 1, SignatureBytesMax+1) }), FrameBundles},
		{"vote without a kind", on(FrameBundles, func(m *Bundles) { m.Bundles[1].Votes[1].Kind = 0 }), FrameBundles},
		{"vote without a sequence", on(FrameBundles, func(m *Bundles) { m.Bundles[1].Votes[1].Seq = 0 }), FrameBundles},
		{"vote without a digest", on(FrameBundles, func(m *Bundles) { m.Bundles[1].Votes[1].Digest = Digest{} }), FrameBundles},

		{"no body", on(FrameBatchBody, func(m *BatchBody) { m.Body = nil }), FrameBatchBody},
		{"body below a header", on(FrameBatchBody, func(m *BatchBody) { m.Body = m.Body[:BatchHeaderBytes-1] }), FrameBatchBody},
		{"body too large", on(FrameBatchBody, func(m *BatchBody) { m.Body = make([]byte, BatchBytesMax+1) }), FrameBatchBody},

		{"no vertices", on(FrameForward, func(m *Forward) { m.Vertices = nil }), FrameForward},
		{"a cut vertex", on(FrameForward, func(m *Forward) { m.Vertices = m.Vertices[:len(m.Vertices)-1] }), FrameForward},
		{"a bad vertex", on(FrameForward, func(m *Forward) { m.Vertices = append([]byte{0}, m.Vertices...) }), FrameForward},
		{"too many vertices", on(FrameForward, func(m *Forward) { m.Vertices = bytes.Repeat(m.Vertices, BatchBytesMax/len(m.Vertices)+1) }), FrameForward},

		{"no digests", on(FrameFetchBatch, func(m *FetchBatch) { m.Digests = nil }), FrameFetchBatch},
		{"a zero digest", on(FrameFetchBatch, func(m *FetchBatch) { m.Digests[1] = Digest{} }), FrameFetchBatch},
		{"the null batch", on(FrameFetchBatch, func(m *FetchBatch) { m.Digests[1] = NullDigest }), FrameFetchBatch},
		{"a digest twice", on(FrameFetchBatch, func(m *FetchBatch) { m.Digests[1] = m.Digests[0] }), FrameFetchBatch},
		{"too many digests", on(FrameFetchBatch, func(m *FetchBatch) { m.Digests = leaves(FetchBatchMax + 1) }), FrameFetchBatch},

		{"from genesis", on(FrameFetchDecided, func(m *FetchDecided) { m.From = 0 }), FrameFetchDecided},
		{"backwards", on(FrameFetchDecided, func(m *FetchDecided) { m.To = 2 }), FrameFetchDecided},
		{"to nowhere", on(FrameFetchDecided, func(m *FetchDecided) { m.To = 0 }), FrameFetchDecided},
		{"too many", on(FrameFetchDecided, func(m *FetchDecided) { m.To = m.From + DecidedMax }), FrameFetchDecided},
		{"to the end of numbers", on(FrameFetchDecided, func(m *FetchDecided) { m.From, m.To = 1, math.MaxUint64 }), FrameFetchDecided},

		{"no sequence", on(FrameDecided, func(m *Decided) { m.Seq = 0 }), FrameDecided},
		{"no digest", on(FrameDecided, func(m *Decided) { m.Digest = Digest{} }), FrameDecided},
		{"no body", on(FrameDecided, func(m *Decided) { m.Body = nil }), FrameDecided},
		{"null with a body", on(FrameDecided, func(m *Decided) { m.Digest = NullDigest }), FrameDecided},
		{"body too large", on(FrameDecided, func(m *Decided) { m.Body = make([]byte, BatchBytesMax+1) }), FrameDecided},
		{"no certificate", on(FrameDecided, func(m *Decided) { m.Certificate = nil }), FrameDecided},
		{"a nil bundle", on(FrameDecided, func(m *Decided) { m.Certificate = []*Bundle{nil} }), FrameDecided},
		{"too many bundles", on(FrameDecided, func(m *Decided) { m.Certificate = tooMany() }), FrameDecided},

		{"no sequence", on(FrameStableCheckpoint, func(m *StableCheckpoint) { m.Seq = 0 }), FrameStableCheckpoint},
		{"no digest", on(FrameStableCheckpoint, func(m *StableCheckpoint) { m.Digest = Digest{} }), FrameStableCheckpoint},
		{"no certificate", on(FrameStableCheckpoint, func(m *StableCheckpoint) { m.Certificate = nil }), FrameStableCheckpoint},
		{"too many bundles", on(FrameStableCheckpoint, func(m *StableCheckpoint) { m.Certificate = tooMany() }), FrameStableCheckpoint},

		{"changing to view 0", on(FrameStatus, func(m *Status) { m.View, m.Active = 0, false }), FrameStatus},
		{"unknown suspicion", on(FrameStatus, func(m *Status) { m.Suspicion = 3 }), FrameStatus},
		{"suspected without a suspicion", on(FrameStatus, func(m *Status) { m.Suspicion = SuspicionNone }), FrameStatus},
		{"no digest of the checkpoint", on(FrameStatus, func(m *Status) { m.LowDigest = Digest{} }), FrameStatus},
		{"no ledger head", on(FrameStatus, func(m *Status) { m.LedgerHead = Digest{} }), FrameStatus},
		{"a checkpoint not above the stable one", on(FrameStatus, func(m *Status) { m.Checkpoints[0].Seq = m.Low }), FrameStatus},
		{"a checkpoint twice", on(FrameStatus, func(m *Status) { m.Checkpoints = append(m.Checkpoints, m.Checkpoints[0]) }), FrameStatus},
		{"too many checkpoints", on(FrameStatus, func(m *Status) { m.Checkpoints = checkpoints(StatusCheckpointsMax + 1) }), FrameStatus},
		{"an executed slot", on(FrameStatus, func(m *Status) { m.Slots[0].Seq = m.Executed }), FrameStatus},
		{"a slot twice", on(FrameStatus, func(m *Status) { m.Slots[1].Seq = m.Slots[0].Seq }), FrameStatus},
		{"too many slots", on(FrameStatus, func(m *Status) { m.Slots = slots(WindowMax + 1) }), FrameStatus},
	}
	spoiled := map[FrameKind]bool{}
	for _, test := range slices.Concat(tests, viewChangeSpoils(), evidenceSpoils(), recallSpoils(), snapshotSpoils()) {
		t.Run(test.kind.String()+"/"+test.name, func(t *testing.T) {
			messages := small(t)
			if err := messages[test.kind].Validate(); err != nil {
				t.Fatalf("already before: %v", err)
			}
			test.spoil(messages)
			if messages[test.kind].Validate() == nil {
				t.Fatal("Validate accepted it")
			}
			if _, err := EncodeFrame(messages[test.kind]); reasonOf(err) != Invalid {
				t.Errorf("EncodeFrame: %v", err)
			}
		})
		spoiled[test.kind] = true
	}
	for _, k := range FrameKinds() {
		if !spoiled[k] {
			t.Errorf("no case for %v", k)
		}
	}
}

// on adapts a change of one type of message.
func on[M Message](kind FrameKind, change func(M)) func(map[FrameKind]Message) {
	return func(messages map[FrameKind]Message) { change(messages[kind].(M)) }
}

func checkpoints(n int) []CheckpointHeld {
	held := make([]CheckpointHeld, n)
	for i := range held {
		held[i].Seq = Seq(1000 + i)
	}
	return held
}

func slots(n int) []SlotHeld {
	held := make([]SlotHeld, n)
	for i := range held {
		held[i].Seq = Seq(1000 + i)
	}
	return held
}

// TestStatusAtGenesis: a replica that has done nothing yet has no digests to
// tell, and view 0 may be suspected.
func TestStatusAtGenesis(t *testing.T) {
	for _, m := range []*Status{
		{Active: true},
		{Active: true, Suspicion: SuspicionOwn},
		{View: 1},
	} {
		if err := m.Validate(); err != nil {
			t.Errorf("%+v: %v", m, err)
		}
	}
}

// TestFrameIsOneArray: a frame's header counts its values, or tools other than
// ours could not read it.
func TestFrameIsOneArray(t *testing.T) {
	for kind, m := range small(t) {
		r := bytes.NewReader(encodeFrame(t, m))
		d := msgpack.NewDecoder(r)
		n, err := d.DecodeArrayLen()
		for range n {
			if err == nil {
				err = d.Skip()
			}
		}
		if err != nil || r.Len() > 0 {
			t.Errorf("%v: %d bytes follow its %d values: %v", kind, r.Len(), n, err)
		}
	}
}
