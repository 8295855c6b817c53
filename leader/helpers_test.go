package leader

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// window is the tests' L.
const window = 16

// named is the digest that goes by a name in these tests.
func named(name string) messages.Digest {
	if name == "null" {
		return messages.NullDigest
	}
	return sha256.Sum256([]byte(name))
}

// claims reads "1:a@0 2:null@3": sequence 1 has a in view 0, …
func claims(text string) []messages.Claim {
	var list []messages.Claim
	for word := range strings.FieldsSeq(text) {
		var c messages.Claim
		place, rest, _ := strings.Cut(word, ":")
		name, view, ok := strings.Cut(rest, "@")
		if _, err := fmt.Sscanf(place+" "+view, "%d %d", &c.Seq, &c.View); err != nil || !ok {
			panic("no claim: " + word)
		}
		c.Digest = named(name)
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b messages.Claim) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.View, b.View))
	})
	return list
}

// body is a ViewChange's for view, at genesis. What is prepared was accepted, too.
func body(view messages.View, prepared, accepted string) *messages.ViewChangeBody {
	b := &messages.ViewChangeBody{View: view, Prepared: claims(prepared), Accepted: claims(accepted)}
	for _, p := range b.Prepared {
		if !acceptedSince(b, p) {
			b.Accepted = append(b.Accepted, p)
		}
	}
	slices.SortFunc(b.Accepted, func(a, b messages.Claim) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.View, b.View))
	})
	if err := b.Validate(); err != nil {
		panic(err)
	}
	return b
}

// at moves a body to a stable checkpoint.
func at(low messages.Seq, b *messages.ViewChangeBody) *messages.ViewChangeBody {
	b.Low, b.LowDigest = low, state(low)
	if err := b.Validate(); err != nil {
		panic(err)
	}
	return b
}

func state(seq messages.Seq) messages.Digest { return named(fmt.Sprint("state ", seq)) }

func stable(seq messages.Seq) pbft.StableCheckpoint {
	return pbft.StableCheckpoint{Seq: seq, Digest: state(seq), Bundles: []*messages.Bundle{{From: 0}}}
}

func signed(from messages.Index, kind messages.Kind, view messages.View, digest messages.Digest) *messages.Bundle {
	return &messages.Bundle{
		From: from, Signature: []byte{1},
		Votes: []messages.Vote{{Kind: kind, View: view, Digest: digest}},
	}
}

func viewChange(from messages.Index, b *messages.ViewChangeBody) ViewChange {
	return ViewChange{From: from, Bundle: signed(from, messages.ViewChange, b.View, b.Digest()), Body: b}
}

// newView is a NewView as it would arrive from its leader.
func newView(n int, b *messages.NewViewBody) NewView {
	from := NewSchedule(n).Leader(b.View)
	nv := NewView{From: from, Bundle: signed(from, messages.NewView, b.View, b.Digest()), Body: b}
	if b.MinS > 0 {
		nv.Stable = stable(b.MinS)
	}
	return nv
}

func rulesOf(n int) Rules {
	return Rules{Members: n, Quorum: messages.Quorum(n), Window: window}
}

func nothing(messages.Claim) bool { return false }

// digests reads "a null b".
func digests(text string) []messages.Digest {
	var list []messages.Digest
	for word := range strings.FieldsSeq(text) {
		list = append(list, named(word))
	}
	return list
}

// effects picks out the effects of one type.
func effects[E Effect](all []Effect) []E {
	var found []E
	for _, e := range all {
		if x, ok := e.(E); ok {
			found = append(found, x)
		}
	}
	return found
}

// the only effect of its type, or a failure.
func only[E Effect](t *testing.T, all []Effect) E {
	t.Helper()
	found := effects[E](all)
	if len(found) != 1 {
		t.Fatalf("%d effects of type %T, want one: %+v", len(found), *new(E), all)
	}
	return found[0]
}

func none[E Effect](t *testing.T, all []Effect) {
	t.Helper()
	if found := effects[E](all); len(found) != 0 {
		t.Fatalf("unexpected: %+v", found)
	}
}
