package messages

import (
	"math"
	"strings"
	"testing"
)

// conflict is two votes of one place, the smaller digest first.
func conflict(view View, seq Seq) [2]Vote {
	low := Vote{Kind: Prepare, View: view, Seq: seq, Digest: Digest{1}}
	high := low
	high.Digest = Digest{2}
	return [2]Vote{low, high}
}

// evidenceOf has a bundle for each vote, of so many votes.
func evidenceOf(from Index, view View, seq Seq, votes, signature int) *Evidence {
	pair := conflict(view, seq)
	e := &Evidence{Member: from, Kind: Prepare, View: view, Seq: seq, Digests: [2]Digest{pair[0].Digest, pair[1].Digest}}
	for _, v := range pair {
		b := bundleOf(from, votes, signature)
		b.Votes[votes-1] = v
		e.Bundles = append(e.Bundles, b)
	}
	return e
}

func smallEvidence() map[FrameKind]Message {
	return map[FrameKind]Message{FrameEvidence: evidenceOf(3, 4, 129, 2, 3), FrameInvalidNewView: invalidNewView()}
}

func largestEvidence() map[FrameKind]Message {
	return map[FrameKind]Message{
		FrameInvalidNewView: largestInvalidNewView(),
		FrameEvidence:       evidenceOf(MembersMax-1, math.MaxUint64, math.MaxUint64, BundleVotesMax, SignatureBytesMax),
	}
}

// evidenceSpoils is the part of TestValidate that is about evidence.
func evidenceSpoils() []spoil {
	return []spoil{
		{"no new-view", on(FrameInvalidNewView, func(m *InvalidNewView) { m.NewView = nil }), FrameInvalidNewView},
		{"no member", on(FrameEvidence, func(m *Evidence) { m.Member = MembersMax }), FrameEvidence},
		{"another member", on(FrameEvidence, func(m *Evidence) { m.Member = 2 }), FrameEvidence},
		{"no kind", on(FrameEvidence, func(m *Evidence) { m.Kind = 0 }), FrameEvidence},
		{"another kind", on(FrameEvidence, func(m *Evidence) { m.Kind = Commit }), FrameEvidence},
		{"another view", on(FrameEvidence, func(m *Evidence) { m.View++ }), FrameEvidence},
		{"another sequence", on(FrameEvidence, func(m *Evidence) { m.Seq++ }), FrameEvidence},
		{"another digest", on(FrameEvidence, func(m *Evidence) { m.Digests[1][5] ^= 1 }), FrameEvidence},
		{"one digest twice", on(FrameEvidence, func(m *Evidence) {
			m.Digests[1], m.Bundles[1] = m.Digests[0], m.Bundles[0]
		}), FrameEvidence},
		{"the larger digest first", on(FrameEvidence, func(m *Evidence) {
			m.Digests[0], m.Digests[1] = m.Digests[1], m.Digests[0]
			m.Bundles[0], m.Bundles[1] = m.Bundles[1], m.Bundles[0]
		}), FrameEvidence},
		{"no bundle", on(FrameEvidence, func(m *Evidence) { m.Bundles = nil }), FrameEvidence},
		{"one bundle of one vote", on(FrameEvidence, func(m *Evidence) { m.Bundles = m.Bundles[:1] }), FrameEvidence},
		{"three bundles", on(FrameEvidence, func(m *Evidence) { m.Bundles = append(m.Bundles, m.Bundles[1]) }), FrameEvidence},
		{"a nil bundle", on(FrameEvidence, func(m *Evidence) { m.Bundles[1] = nil }), FrameEvidence},
		{"bundles exchanged", on(FrameEvidence, func(m *Evidence) {
			m.Bundles[0], m.Bundles[1] = m.Bundles[1], m.Bundles[0]
		}), FrameEvidence},
		{"another's bundle", on(FrameEvidence, func(m *Evidence) { m.Bundles[1].From = 2 }), FrameEvidence},
		{"bundles of two epochs", on(FrameEvidence, func(m *Evidence) { m.Bundles[1].Epoch-- }), FrameEvidence},
		{"no signature", on(FrameEvidence, func(m *Evidence) { m.Bundles[1].Signature = nil }), FrameEvidence},
		{"a second bundle that is not needed", on(FrameEvidence, func(m *Evidence) {
			m.Bundles[0].Votes[0] = m.Vote(1)
		}), FrameEvidence},
		{"a first bundle that is not needed", on(FrameEvidence, func(m *Evidence) {
			m.Bundles[1].Votes[0] = m.Vote(0)
		}), FrameEvidence},
	}
}

// Both votes may be in one bundle, which then proves all by itself; and every
// kind of vote can be lied with.
func TestEvidence_OneBundle(t *testing.T) {
	e := evidenceOf(3, 4, 129, 2, 3)
	e.Bundles = e.Bundles[:1]
	e.Bundles[0].Votes = []Vote{e.Vote(1), e.Vote(0)}
	if _, err := DecodeFrame(encodeFrame(t, e)); err != nil {
		t.Error(err)
	}
	for _, kind := range Kinds {
		e.Kind, e.View, e.Seq = kind, 4, 129
		switch kind {
		case Checkpoint:
			e.View = 0
		case ViewChange, NewView:
			e.Seq = 0
		}
		e.Bundles[0].Votes = []Vote{e.Vote(1), e.Vote(0)}
		if _, err := DecodeFrame(encodeFrame(t, e)); err != nil {
			t.Errorf("%v: %v", kind, err)
		}
	}
}

// The name goes into a folder: it tells places apart and leads nowhere else.
func TestEvidence_FileName(t *testing.T) {
	if got, want := evidenceOf(3, 4, 129, 2, 3).FileName(), "member-3-prepare-view-4-seq-129.evidence"; got != want {
		t.Errorf("the file is called %q, want %q", got, want)
	}
	names := make(map[string]bool)
	for _, kind := range Kinds {
		e := evidenceOf(3, 4, 129, 2, 3)
		e.Kind = kind
		names[e.FileName()] = true
		if strings.ContainsAny(e.FileName(), `/\ `) {
			t.Errorf("the name %q is more than a name", e.FileName())
		}
	}
	if len(names) != len(Kinds) {
		t.Errorf("%d kinds have %d names", len(Kinds), len(names))
	}
}
