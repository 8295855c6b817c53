package crypto_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
)

// newOptimists are members of a chain in optimistic mode.
func newOptimists(t *testing.T, n int) *members {
	t.Helper()
	m := newMembers(t, n, cryptotest.NewHMAC())
	m.genesis.Params.OptimisticMode = true
	keyring, err := crypto.NewKeyringWithScheme(m.genesis, m.scheme)
	if err != nil {
		t.Fatal(err)
	}
	m.Keyring = keyring
	return m
}

// TestF1_OpenDecision: in optimistic mode the acceptance of all members decides as a
// quorum's Commits do; without it, or without one of them, it proves nothing.
func TestF1_OpenDecision(t *testing.T) {
	plain, optimists := newMembers(t, 4, cryptotest.NewHMAC()), newOptimists(t, 4)
	first, prepare, commit := aVote(messages.PrePrepare), aVote(messages.Prepare), aVote(messages.Commit)
	first.Digest, prepare.Digest, commit.Digest = messages.Digest{1}, messages.Digest{1}, messages.Digest{1}
	with := func(change func(*messages.Vote)) messages.Vote { v := prepare; change(&v); return v }
	type bundle struct {
		from  messages.Index
		votes []messages.Vote
	}
	of := func(from messages.Index, votes ...messages.Vote) bundle { return bundle{from, votes} }
	for _, test := range []struct {
		name              string
		bundles           []bundle
		plain, optimistic string // part of the refusal; "" if accepted
	}{
		{"a quorum commits", []bundle{of(0, commit), of(1, commit), of(3, commit)}, "", ""},
		{"all commit", []bundle{of(0, commit), of(1, commit), of(2, commit), of(3, commit)}, "", ""},
		{"all accept", []bundle{of(1, first), of(0, prepare), of(2, prepare), of(3, prepare)}, "does not hold", ""},
		{"all accept, in bundles with more", []bundle{of(1, first, commit), of(0, prepare, commit), of(2, commit, prepare), of(3, prepare)}, "member 3 does not hold", ""},
		{"all but one accept", []bundle{of(1, first), of(0, prepare), of(2, prepare)}, "does not hold", "does not hold"},
		{"one accepts twice", []bundle{of(1, first), of(0, prepare), of(2, prepare), of(2, prepare)}, "does not hold", "signs twice"},
		{"the last commits", []bundle{of(1, first), of(0, prepare), of(2, prepare), of(3, commit)}, "does not hold", "does not hold"},
		{"one accepts in another view", []bundle{of(1, first), of(0, prepare), of(2, prepare), of(3, with(func(v *messages.Vote) { v.View++ }))}, "does not hold", "does not hold"},
		{"one accepts at another sequence", []bundle{of(1, first), of(0, prepare), of(2, prepare), of(3, with(func(v *messages.Vote) { v.Seq++ }))}, "does not hold", "does not hold"},
		{"one accepts another", []bundle{of(1, first), of(0, prepare), of(2, prepare), of(3, with(func(v *messages.Vote) { v.Digest[0]++ }))}, "does not hold", "does not hold"},
		{"a quorum commits, all but one accept", []bundle{of(1, first, commit), of(0, prepare, commit), of(2, prepare, commit), of(3, commit)}, "", ""},
		{"nobody", nil, "0 bundles", "0 bundles"},
	} {
		for _, side := range []struct {
			*members
			want string
		}{{plain, test.plain}, {optimists, test.optimistic}} {
			var bundles []*messages.Bundle
			for _, b := range test.bundles {
				bundles = append(bundles, side.seal(t, b.from, b.votes...))
			}
			err := side.OpenDecision(commit.View, commit.Seq, commit.Digest, bundles)
			if (err == nil) != (side.want == "") || err != nil && !strings.Contains(err.Error(), side.want) {
				t.Errorf("%s, optimistic %t: got %v, want %q", test.name, side.Optimistic(), err, side.want)
			}
		}
	}
}

// TestF1_OpenDecisionVerifiesEverybody: each of the signatures is looked at, and a
// bundle that is not there is an error.
func TestF1_OpenDecisionVerifiesEverybody(t *testing.T) {
	m := newOptimists(t, 7)
	v := aVote(messages.Prepare)
	var all []*messages.Bundle
	for i := range messages.Index(7) {
		all = append(all, m.seal(t, i, v))
	}
	if err := m.OpenDecision(v.View, v.Seq, v.Digest, all); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		forged := slices.Clone(all)
		b := *all[i]
		b.Signature = slices.Clone(b.Signature)
		b.Signature[0] ^= 1
		forged[i] = &b
		if err := m.OpenDecision(v.View, v.Seq, v.Digest, forged); err == nil || !strings.Contains(err.Error(), "bad signature") {
			t.Errorf("with the signature of member %d forged: %v", i, err)
		}
		forged[i] = nil
		if err := m.OpenDecision(v.View, v.Seq, v.Digest, forged); err == nil {
			t.Errorf("without the bundle of member %d it is accepted", i)
		}
	}
}
