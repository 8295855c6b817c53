package detector

import (
	"errors"
	"reflect"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// What is proof, and what never is. [E2, E3]
func TestEquivocation(t *testing.T) {
	s := newSigners(t, 4)
	base := messages.Vote{Kind: messages.Prepare, View: 3, Seq: 7, Digest: digest(1)}
	with := func(change func(*messages.Vote)) messages.Vote {
		v := base
		change(&v)
		return v
	}
	lie := with(func(v *messages.Vote) { v.Digest = digest(2) })
	both := s.sign(1, base, lie)
	later := s.one(1, lie)
	later.Bundle().Epoch++ // as the next membership's keyring would open it
	tests := []struct {
		name  string
		a, b  crypto.Verified[messages.Vote]
		proof bool
	}{
		{"two digests", s.one(1, base), s.one(1, lie), true},
		{"two digests in one bundle", both[0], both[1], true},
		{"two digests among other votes", s.sign(1, prepare(1, 1), base)[1], s.sign(1, lie, prepare(2, 1))[0], true},
		{"digests that differ in the last byte", s.one(1, base),
			s.one(1, with(func(v *messages.Vote) { v.Digest[31] = 1 })), true},

		{"the same vote", both[0], both[0], false},
		{"the same vote signed anew", s.one(1, base), s.one(1, base), false},
		{"the same vote in another bundle", s.one(1, base), s.sign(1, prepare(1, 1), base)[1], false},
		{"two members", s.one(1, base), s.one(2, lie), false},
		{"another view", s.one(1, base), s.one(1, with(func(v *messages.Vote) { v.View, v.Digest = 4, digest(2) })), false},
		{"another sequence", s.one(1, base), s.one(1, with(func(v *messages.Vote) { v.Seq, v.Digest = 8, digest(2) })), false},
		{"another kind", s.one(1, base), s.one(1, with(func(v *messages.Vote) { v.Kind, v.Digest = messages.Commit, digest(2) })), false},
		{"another epoch", s.one(1, base), later, false},
		{"view and sequence exchanged", s.one(1, base), s.one(1, with(func(v *messages.Vote) { v.View, v.Seq, v.Digest = 7, 3, digest(2) })), false},
		{"nothing verified", crypto.Verified[messages.Vote]{}, s.one(1, lie), false},
		{"nothing verified at all", crypto.Verified[messages.Vote]{}, crypto.Verified[messages.Vote]{}, false},
	}
	for _, tt := range tests {
		ab, proof := Equivocation(tt.a, tt.b)
		ba, mirrored := Equivocation(tt.b, tt.a)
		if proof != tt.proof || mirrored != tt.proof {
			t.Errorf("%s: proof %t, mirrored %t, want %t", tt.name, proof, mirrored, tt.proof)
			continue
		}
		if !reflect.DeepEqual(ab, ba) {
			t.Errorf("%s: the order of the votes makes two forms of evidence:\n%v\n%v", tt.name, ab, ba)
		}
		if err := VerifyEvidence(s.Keyring, ab); (err == nil) != tt.proof {
			t.Errorf("%s: proof %t, but judged with %v", tt.name, tt.proof, err)
		}
	}
}

func TestEquivocation_EveryKind(t *testing.T) {
	s := newSigners(t, 4)
	for _, kind := range messages.Kinds {
		e, proof := Equivocation(s.one(2, legal(kind, 5, 128, 9)), s.one(2, legal(kind, 5, 128, 1)))
		if !proof {
			t.Errorf("two %vs for one place are no proof", kind)
			continue
		}
		if e.Member != 2 || e.Kind != kind || e.Digests != [2]messages.Digest{digest(1), digest(9)} {
			t.Errorf("evidence of two %vs reads %v", kind, e)
		}
		if err := VerifyEvidence(s.Keyring, e); err != nil {
			t.Errorf("evidence of two %vs: %v", kind, err)
		}
	}
}

// Whoever changes anything in a piece of evidence has none any more.
func TestVerifyEvidence_Tampered(t *testing.T) {
	s := newSigners(t, 4)
	other := newChain(t, 4, "ml-dsa-44", 8192)
	truth := func() Evidence { return s.lie(1, 7) }
	clone := func(b *messages.Bundle) *messages.Bundle {
		c := *b
		c.Votes = append([]messages.Vote(nil), b.Votes...)
		c.Signature = append([]byte(nil), b.Signature...)
		return &c
	}
	tests := []struct {
		name    string
		tamper  func(*Evidence)
		badSign bool
	}{
		{"member", func(e *Evidence) { e.Member = 2 }, false},
		{"no member", func(e *Evidence) { e.Member = 4 }, false},
		{"kind", func(e *Evidence) { e.Kind = messages.Commit }, false},
		{"no kind", func(e *Evidence) { e.Kind = 0 }, false},
		{"view", func(e *Evidence) { e.View++ }, false},
		{"sequence", func(e *Evidence) { e.Seq++ }, false},
		{"first digest", func(e *Evidence) { e.Digests[0][5] ^= 1 }, false},
		{"second digest", func(e *Evidence) { e.Digests[1][5] ^= 1 }, false},
		{"one digest twice", func(e *Evidence) { e.Digests[1], e.Bundles[1] = e.Digests[0], e.Bundles[0] }, false},
		{"digests exchanged", func(e *Evidence) { e.Digests[0], e.Digests[1] = e.Digests[1], e.Digests[0] }, false},
		{"all exchanged", func(e *Evidence) {
			e.Digests[0], e.Digests[1] = e.Digests[1], e.Digests[0]
			e.Bundles[0], e.Bundles[1] = e.Bundles[1], e.Bundles[0]
		}, false},
		{"no first bundle", func(e *Evidence) { e.Bundles[0] = nil }, false},
		{"no second bundle", func(e *Evidence) { e.Bundles[1] = nil }, false},
		{"no bundles", func(e *Evidence) { e.Bundles = [2]*messages.Bundle{} }, false},
		{"one bundle twice", func(e *Evidence) { e.Bundles[1] = e.Bundles[0] }, false},
		{"bundles exchanged", func(e *Evidence) { e.Bundles[0], e.Bundles[1] = e.Bundles[1], e.Bundles[0] }, false},
		{"another's bundle", func(e *Evidence) { e.Bundles[1] = s.one(2, prepare(7, 2)).Bundle() }, false},
		{"a bundle with the votes of another place", func(e *Evidence) { e.Bundles[0] = s.one(1, prepare(8, 1)).Bundle() }, false},
		{"nothing", func(e *Evidence) { *e = Evidence{} }, false},

		{"a vote written into the first bundle", func(e *Evidence) {
			e.Bundles[0] = clone(e.Bundles[0])
			e.Bundles[0].Votes[0].Digest = digest(0xff)
			e.Digests = [2]messages.Digest{digest(2), digest(0xff)}
			e.Bundles[0], e.Bundles[1] = e.Bundles[1], e.Bundles[0]
		}, true},
		{"a vote added to the second bundle", func(e *Evidence) {
			e.Bundles[1] = clone(e.Bundles[1])
			e.Bundles[1].Votes = append(e.Bundles[1].Votes, prepare(9, 1))
		}, true},
		{"the first signature", func(e *Evidence) {
			e.Bundles[0] = clone(e.Bundles[0])
			e.Bundles[0].Signature[3] ^= 1
		}, true},
		{"the second signature", func(e *Evidence) {
			e.Bundles[1] = clone(e.Bundles[1])
			e.Bundles[1].Signature[3] ^= 1
		}, true},
		{"signatures exchanged", func(e *Evidence) {
			a, b := clone(e.Bundles[0]), clone(e.Bundles[1])
			a.Signature, b.Signature = b.Signature, a.Signature
			e.Bundles = [2]*messages.Bundle{a, b}
		}, true},
		{"no signature", func(e *Evidence) {
			e.Bundles[1] = clone(e.Bundles[1])
			e.Bundles[1].Signature = nil
		}, true},
		{"another epoch", func(e *Evidence) {
			e.Bundles[1] = clone(e.Bundles[1])
			e.Bundles[1].Epoch++
		}, true},
		{"blaming another for what one signed", func(e *Evidence) {
			e.Member = 2
			for i, b := range e.Bundles {
				e.Bundles[i] = clone(b)
				e.Bundles[i].From = 2
			}
		}, true},
		{"blaming a stranger", func(e *Evidence) {
			e.Member = 4
			for i, b := range e.Bundles {
				e.Bundles[i] = clone(b)
				e.Bundles[i].From = 4
			}
		}, true},
		{"signed by the member, on another chain", func(e *Evidence) { e.Bundles[1] = other.one(1, prepare(7, 2)).Bundle() }, true},
	}
	for _, tt := range tests {
		e := truth()
		if err := VerifyEvidence(s.Keyring, e); err != nil {
			t.Fatalf("before any tampering: %v", err)
		}
		tt.tamper(&e)
		err := VerifyEvidence(s.Keyring, e)
		if err == nil {
			t.Errorf("%s: tampered evidence proves something", tt.name)
			continue
		}
		var bad *crypto.BundleError
		if errors.As(err, &bad) != tt.badSign {
			t.Errorf("%s: %v; from opening a bundle: %t, want %t", tt.name, err, !tt.badSign, tt.badSign)
		}
	}
}

func TestEvidence_String(t *testing.T) {
	got := newSigners(t, 4).lie(1, 7).String()
	want := "member 1 signed two prepares at view 0, seq 7: 01000000 and 02000000"
	if got != want {
		t.Errorf("evidence prints as %q, want %q", got, want)
	}
}
