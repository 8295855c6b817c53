package crypto_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
)

func TestOpenCertificate(t *testing.T) {
	m := newMembers(t, 4, cryptotest.NewHMAC())
	vote, other := aVote(messages.Commit), aVote(messages.Checkpoint)
	of := func(from messages.Index, votes ...messages.Vote) *messages.Bundle { return m.seal(t, from, votes...) }
	changed := func(b *messages.Bundle, change func(*messages.Bundle)) *messages.Bundle { change(b); return b }
	with := func(change func(*messages.Vote)) messages.Vote { v := vote; change(&v); return v }

	for _, test := range []struct {
		name     string
		bundles  []*messages.Bundle
		want     string // part of the refusal; "" if accepted
		reason   crypto.BundleReason
		verified int64
	}{
		{"a quorum", []*messages.Bundle{of(3, vote), of(0, vote), of(1, vote)}, "", 0, 3},
		{"everybody", []*messages.Bundle{of(0, vote), of(1, vote), of(2, vote), of(3, vote)}, "", 0, 4},
		{"among other votes", []*messages.Bundle{of(0, other, vote), of(1, vote, other), of(2, vote)}, "", 0, 3},
		{"nothing", nil, "0 bundles, 3 to 4 are allowed", 0, 0},
		{"one too few", []*messages.Bundle{of(0, vote), of(1, vote)}, "2 bundles", 0, 0},
		{"more than there are members", []*messages.Bundle{of(0, vote), of(1, vote), of(2, vote), of(3, vote), of(0, vote)}, "5 bundles", 0, 0},
		{"one bundle thrice", slices.Repeat([]*messages.Bundle{of(0, vote)}, 3), "member 0 signs twice", 0, 0},
		{"one member's two signatures", []*messages.Bundle{of(0, vote), of(1, vote), of(0, vote)}, "member 0 signs twice", 0, 0},
		{"a repeated signer beyond the quorum", []*messages.Bundle{of(0, vote), of(1, vote), of(2, vote), of(2, vote)}, "member 2 signs twice", 0, 0},
		{"no bundle at all", []*messages.Bundle{of(0, vote), nil, of(2, vote)}, "no bundle", crypto.Malformed, 0},
		{"a stranger", []*messages.Bundle{of(0, vote), of(1, vote), changed(of(2, vote), func(b *messages.Bundle) { b.From = 4 })}, "not a member", crypto.NotAMember, 0},
		{"a stranger whose bit is a member's", []*messages.Bundle{of(0, vote), of(1, vote), changed(of(2, vote), func(b *messages.Bundle) { b.From = 66 })}, "not a member", crypto.NotAMember, 0},
		{"another epoch", []*messages.Bundle{of(0, vote), of(1, vote), changed(of(2, vote), func(b *messages.Bundle) { b.Epoch = 1 })}, "wrong epoch", crypto.WrongEpoch, 0},
		{"without the vote", []*messages.Bundle{of(0, vote), of(1, vote), of(2, other)}, "member 2 does not hold the vote", 0, 0},
		{"another kind", []*messages.Bundle{of(0, vote), of(1, vote), of(2, with(func(v *messages.Vote) { v.Kind = messages.Prepare }))}, "does not hold", 0, 0},
		{"another view", []*messages.Bundle{of(0, vote), of(1, vote), of(2, with(func(v *messages.Vote) { v.View++ }))}, "does not hold", 0, 0},
		{"another sequence", []*messages.Bundle{of(0, vote), of(1, vote), of(2, with(func(v *messages.Vote) { v.Seq++ }))}, "does not hold", 0, 0},
		{"another digest", []*messages.Bundle{of(0, vote), of(1, vote), of(2, with(func(v *messages.Vote) { v.Digest[0]++ }))}, "does not hold", 0, 0},
		{"in another's name", []*messages.Bundle{of(0, vote), of(1, vote), changed(of(2, vote), func(b *messages.Bundle) { b.From = 3 })}, "bad signature", crypto.BadSignature, 3},
		{"a bad signature beyond the quorum", []*messages.Bundle{of(0, vote), of(1, vote), of(2, vote), changed(of(3, vote), func(b *messages.Bundle) { b.Signature[0] ^= 1 })}, "bad signature", crypto.BadSignature, 4},
	} {
		m.verified.Store(0)
		err := m.OpenCertificate(vote.Kind, vote.View, vote.Seq, vote.Digest, test.bundles, m.Quorum())
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
		var refused *crypto.BundleError
		if errors.As(err, &refused); test.reason != 0 && (refused == nil || refused.Reason != test.reason) {
			t.Errorf("%s: got %v, want the reason %v", test.name, err, test.reason)
		}
		if got := m.verified.Load(); got != test.verified {
			t.Errorf("%s: %d signatures verified, want %d", test.name, got, test.verified)
		}
	}
	weak := []*messages.Bundle{of(0, vote), of(2, vote)}
	if err := m.OpenCertificate(vote.Kind, vote.View, vote.Seq, vote.Digest, weak, m.Weak()); err != nil {
		t.Errorf("a weak certificate: %v", err)
	}
}

// TestOpenCertificateOfTheLargestMembership has one bit for each of 64 members.
func TestOpenCertificateOfTheLargestMembership(t *testing.T) {
	m := newMembers(t, messages.MembersMax, cryptotest.NewHMAC())
	vote := aVote(messages.Commit)
	var bundles []*messages.Bundle
	for i := range m.N() {
		bundles = append(bundles, m.seal(t, messages.Index(i), vote))
	}
	if err := m.OpenCertificate(vote.Kind, vote.View, vote.Seq, vote.Digest, bundles, m.Quorum()); err != nil {
		t.Error(err)
	}
	bundles[0] = bundles[63]
	if err := m.OpenCertificate(vote.Kind, vote.View, vote.Seq, vote.Digest, bundles, m.Quorum()); err == nil {
		t.Error("member 63 signed twice")
	}
}

// TestCertificateOfNobody: a caller that forgot to ask for signatures must not
// be told that all is well.
func TestCertificateOfNobody(t *testing.T) {
	m := newMembers(t, 4, cryptotest.NewHMAC())
	defer func() {
		if recover() == nil {
			t.Error("a certificate of no signatures is accepted")
		}
	}()
	vote := aVote(messages.Commit)
	err := m.OpenCertificate(vote.Kind, vote.View, vote.Seq, vote.Digest, nil, 0)
	t.Errorf("returned %v", err)
}
