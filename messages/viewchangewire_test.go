package messages

import (
	"math"
	"testing"
)

// signed is a bundle over one vote.
func signed(from Index, v Vote) *Bundle {
	return &Bundle{From: from, Votes: []Vote{v}, Signature: []byte{8, 9}}
}

func viewChangeVote(b *ViewChangeBody) Vote {
	return Vote{Kind: ViewChange, View: b.View, Digest: b.Digest()}
}

func newViewVote(b *NewViewBody) Vote {
	return Vote{Kind: NewView, View: b.View, Digest: b.Digest()}
}

// smallViewChanges is the part of small that is about view changes.
func smallViewChanges() map[FrameKind]Message {
	vc, nv := goldenViewChange(), goldenNewView()
	return map[FrameKind]Message{
		FrameViewChange:      &ViewChangeMessage{signed(2, viewChangeVote(vc)), vc, bundlesOf(1, 1, 3)},
		FrameNewView:         &NewViewMessage{signed(1, newViewVote(nv)), nv, bundlesOf(1, 1, 3)},
		FrameFetchViewChange: &FetchViewChange{View: 5, Member: 3, Digest: numbered(1)},
		FrameFetchPrepared:   &FetchPrepared{Seq: 129, View: 4, Digest: numbered(1)},
		FramePrepared:        &PreparedCertificate{View: 4, Seq: 129, Digest: numbered(1), Certificate: bundlesOf(2, 1, 3)},
	}
}

// largestViewChanges is the part of largest that is about view changes.
func largestViewChanges() map[FrameKind]Message {
	bundle := func(v Vote) *Bundle {
		b := bundleOf(math.MaxUint16, 1, SignatureBytesMax)
		b.Votes[0] = v
		return b
	}
	vc, nv := largestViewChange(), largestNewView()
	return map[FrameKind]Message{
		FrameViewChange:      &ViewChangeMessage{bundle(viewChangeVote(vc)), vc, largestCertificate()},
		FrameNewView:         &NewViewMessage{bundle(newViewVote(nv)), nv, largestCertificate()},
		FrameFetchViewChange: &FetchViewChange{View: math.MaxUint64, Member: MembersMax - 1, Digest: numbered(1)},
		FrameFetchPrepared:   &FetchPrepared{Seq: math.MaxUint64, View: math.MaxUint64, Digest: numbered(1)},
		FramePrepared: &PreparedCertificate{
			View: math.MaxUint64, Seq: math.MaxUint64, Digest: numbered(1), Certificate: largestCertificate(),
		},
	}
}

// viewChangeSpoils is the part of TestValidate that is about view changes.
func viewChangeSpoils() []spoil {
	tooMany := func() []*Bundle { return bundlesOf(CertificateBundlesMax+1, 1, 1) }
	return []spoil{
		{"no body", on(FrameViewChange, func(m *ViewChangeMessage) { m.Body = nil }), FrameViewChange},
		{"a bad body", on(FrameViewChange, func(m *ViewChangeMessage) {
			m.Body.Prepared[0].View = 9
			m.Bundle.Votes[0] = viewChangeVote(m.Body)
		}), FrameViewChange},
		{"no bundle", on(FrameViewChange, func(m *ViewChangeMessage) { m.Bundle = nil }), FrameViewChange},
		{"no signature", on(FrameViewChange, func(m *ViewChangeMessage) { m.Bundle.Signature = nil }), FrameViewChange},
		{"no vote", on(FrameViewChange, func(m *ViewChangeMessage) { m.Bundle.Votes = nil }), FrameViewChange},
		{"among other votes", on(FrameViewChange, func(m *ViewChangeMessage) {
			m.Bundle.Votes = append(m.Bundle.Votes, bundleOf(1, 1, 1).Votes...)
		}), FrameViewChange},
		{"the same vote twice", on(FrameViewChange, func(m *ViewChangeMessage) {
			m.Bundle.Votes = append(m.Bundle.Votes, m.Bundle.Votes[0])
		}), FrameViewChange},
		{"a vote of another kind", on(FrameViewChange, func(m *ViewChangeMessage) { m.Bundle.Votes[0].Kind = NewView }), FrameViewChange},
		{"a vote for another view", on(FrameViewChange, func(m *ViewChangeMessage) { m.Bundle.Votes[0].View++ }), FrameViewChange},
		{"a vote for another body", on(FrameViewChange, func(m *ViewChangeMessage) { m.Body.Accepted[0].Digest = numbered(9) }), FrameViewChange},
		{"a certificate of genesis", on(FrameViewChange, func(m *ViewChangeMessage) {
			*m.Body = ViewChangeBody{View: 1}
			m.Bundle.Votes[0] = viewChangeVote(m.Body)
		}), FrameViewChange},
		{"a nil bundle in the certificate", on(FrameViewChange, func(m *ViewChangeMessage) { m.Certificate[0] = nil }), FrameViewChange},
		{"too many bundles in the certificate", on(FrameViewChange, func(m *ViewChangeMessage) { m.Certificate = tooMany() }), FrameViewChange},

		{"no body", on(FrameNewView, func(m *NewViewMessage) { m.Body = nil }), FrameNewView},
		{"a bad body", on(FrameNewView, func(m *NewViewMessage) {
			m.Body.List[2] = Digest{}
			m.Bundle.Votes[0] = newViewVote(m.Body)
		}), FrameNewView},
		{"no bundle", on(FrameNewView, func(m *NewViewMessage) { m.Bundle = nil }), FrameNewView},
		{"among other votes", on(FrameNewView, func(m *NewViewMessage) {
			m.Bundle.Votes = append(m.Bundle.Votes, bundleOf(1, 1, 1).Votes...)
		}), FrameNewView},
		{"a vote of another kind", on(FrameNewView, func(m *NewViewMessage) { m.Bundle.Votes[0].Kind = ViewChange }), FrameNewView},
		{"a vote for another view", on(FrameNewView, func(m *NewViewMessage) { m.Bundle.Votes[0].View++ }), FrameNewView},
		{"a vote for another body", on(FrameNewView, func(m *NewViewMessage) { m.Body.List[0] = numbered(9) }), FrameNewView},
		{"a certificate of genesis", on(FrameNewView, func(m *NewViewMessage) {
			*m.Body = NewViewBody{View: 1, ViewChanges: m.Body.ViewChanges}
			m.Bundle.Votes[0] = newViewVote(m.Body)
		}), FrameNewView},
		{"a nil bundle in the certificate", on(FrameNewView, func(m *NewViewMessage) { m.Certificate[0] = nil }), FrameNewView},
		{"too many bundles in the certificate", on(FrameNewView, func(m *NewViewMessage) { m.Certificate = tooMany() }), FrameNewView},

		{"for view 0", on(FrameFetchViewChange, func(m *FetchViewChange) { m.View = 0 }), FrameFetchViewChange},
		{"of no member", on(FrameFetchViewChange, func(m *FetchViewChange) { m.Member = MembersMax }), FrameFetchViewChange},
		{"no digest", on(FrameFetchViewChange, func(m *FetchViewChange) { m.Digest = Digest{} }), FrameFetchViewChange},

		{"no sequence", on(FrameFetchPrepared, func(m *FetchPrepared) { m.Seq = 0 }), FrameFetchPrepared},
		{"no digest", on(FrameFetchPrepared, func(m *FetchPrepared) { m.Digest = Digest{} }), FrameFetchPrepared},

		{"no sequence", on(FramePrepared, func(m *PreparedCertificate) { m.Seq = 0 }), FramePrepared},
		{"no digest", on(FramePrepared, func(m *PreparedCertificate) { m.Digest = Digest{} }), FramePrepared},
		{"no certificate", on(FramePrepared, func(m *PreparedCertificate) { m.Certificate = nil }), FramePrepared},
		{"too many bundles", on(FramePrepared, func(m *PreparedCertificate) { m.Certificate = tooMany() }), FramePrepared},
	}
}

// TestCertificateBesideMayBeAbsent: whoever passes on a ViewChange or NewView may
// lack the checkpoint's certificate; view 0 may have prepared something.
func TestCertificateBesideMayBeAbsent(t *testing.T) {
	messages := smallViewChanges()
	messages[FrameViewChange].(*ViewChangeMessage).Certificate = nil
	messages[FrameNewView].(*NewViewMessage).Certificate = nil
	messages[FrameFetchPrepared].(*FetchPrepared).View = 0
	messages[FramePrepared].(*PreparedCertificate).View = 0
	for kind, m := range messages {
		if _, err := DecodeFrame(encodeFrame(t, m)); err != nil {
			t.Errorf("%v: %v", kind, err)
		}
	}
}
