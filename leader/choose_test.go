package leader

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cretoai/consensus/messages"
)

// member is what one member claims: what it has prepared, what accepted beside it.
type member struct{ prepared, accepted string }

func bodies(view messages.View, members ...member) []*messages.ViewChangeBody {
	var s []*messages.ViewChangeBody
	for _, m := range members {
		s = append(s, body(view, m.prepared, m.accepted))
	}
	return s
}

// TestH3_Choose is the choice about sequence 1 by hand. [H3]
func TestH3_Choose(t *testing.T) {
	tests := []struct {
		name  string
		n     int
		s     []member
		marks string
		want  string // "undecided", or the digest's name
	}{
		{"nobody claims", 4, []member{{}, {}, {}}, "", "null"},
		{"a quorum claims nothing, a liar does", 4, []member{{}, {}, {}, {"1:a@0", ""}}, "", "null"},
		{"prepared and accepted", 4, []member{{"1:a@0", ""}, {"", "1:a@0"}, {}}, "", "a"},
		{"prepared by all", 4, []member{{"1:a@0", ""}, {"1:a@0", ""}, {"1:a@0", ""}}, "", "a"},
		{"a claim that nobody else accepted", 4, []member{{"1:a@0", ""}, {}, {}}, "", "undecided"},
		{"the same, certified", 4, []member{{"1:a@0", ""}, {}, {}}, "1:a@0", "a"},
		{"certified is another claim", 4, []member{{"1:a@0", ""}, {}, {}}, "1:a@1 1:b@0", "undecided"},
		{"a certificate that nobody in S claims", 4, []member{{}, {}, {}}, "1:a@0", "null"},
		{"accepted below the view of the claim", 4, []member{{"1:a@1", ""}, {"", "1:a@0"}, {}}, "", "undecided"},
		{"accepted above the view of the claim", 4, []member{{"1:a@0", ""}, {"", "1:a@1"}, {}}, "", "a"},
		{"accepted another digest", 4, []member{{"1:a@0", ""}, {"", "1:b@0"}, {}}, "", "undecided"},
		{"the higher view wins", 4, []member{{"1:a@1", ""}, {"1:b@0", "1:a@1"}, {"1:b@0", ""}}, "", "a"},
		{"of two that both could win the higher view", 4, []member{{"1:a@1", ""}, {"1:b@0", "1:a@1"}, {"1:b@0", ""}, {}}, "", "a"},
		{"a lower claim does not contradict", 4, []member{{"1:a@1", ""}, {"1:b@0", ""}, {"", "1:a@1"}}, "", "a"},
		{"a claim of the same view does", 4, []member{{"1:a@0", ""}, {"1:b@0", ""}, {"", "1:a@0"}}, "", "undecided"},
		{"a higher claim does", 4, []member{{"1:a@0", ""}, {"1:b@1", "1:a@0"}, {}}, "", "undecided"},
		{"until a quorum without it is there", 4, []member{{"1:a@0", ""}, {"1:b@1", ""}, {"", "1:a@0"}, {}}, "", "a"},
		{"the same digest in a higher view contradicts the lower claim", 4, []member{{"1:a@0", ""}, {"1:a@1", ""}, {}}, "", "undecided"},
		{"and wins with those that accepted it there", 4, []member{{"1:a@0", "1:a@1"}, {"1:a@1", ""}, {}}, "", "a"},
		{"of two in one view the smaller digest", 7, []member{{"1:a@0", "1:b@1"}, {"", "1:a@0 1:b@1"}, {"", "1:a@0 1:b@1"}, {}, {}, {"1:b@0", "1:b@1"}}, "", smaller("a", "b")},
		{"a null batch is claimed like any other", 4, []member{{"1:null@1", "1:a@0"}, {"1:a@0", "1:null@1"}, {"1:a@0", ""}}, "", "null"},
		{"n=5 takes four for a quorum", 5, []member{{}, {}, {}, {"1:a@0", ""}}, "", "undecided"},
		{"n=7 takes three to have accepted", 7, []member{{"1:a@0", ""}, {"", "1:a@0"}, {}, {}, {}}, "", "undecided"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			marks := claims(tt.marks)
			s := bodies(2, tt.s...)
			for range len(s) { // members in any order choose alike
				c := rulesOf(tt.n).choose(s, func(c messages.Claim) bool { return slices.Contains(marks, c) }, 1)
				switch {
				case !c.decided && tt.want == "undecided":
				case !c.decided || c.claim.Digest != named(tt.want):
					t.Fatalf("chooses %+v, want %s", c, tt.want)
				}
				s = append(s[1:], s[0])
			}
		})
	}
}

func smaller(a, b string) string {
	if x, y := named(a), named(b); slices.Compare(x[:], y[:]) < 0 {
		return a
	}
	return b
}

// TestE5_HoldingTheBatchIsNoPart: the choice is a function of the claims. One
// member accepted a, a liar claims it prepared: it is chosen by everybody, also by
// a leader without the batch, who once took null and was convicted for it.
func TestE5_HoldingTheBatchIsNoPart(t *testing.T) {
	s := bodies(1, member{"", "1:a@0"}, member{"1:a@0", ""}, member{})
	p := rulesOf(4).plan(s, 0, nothing)
	if !slices.Equal(p.list, digests("a")) || len(p.open) != 0 {
		t.Fatalf("%+v, want a", p)
	}
	b := supported(1, s)
	b.List = nil
	if rulesOf(4).CheckNewView(b, s) == nil {
		t.Error("null was accepted for it")
	}
}

// supported is a NewView that names s by members from 0 on and lists nothing yet.
func supported(view messages.View, s []*messages.ViewChangeBody) *messages.NewViewBody {
	b := &messages.NewViewBody{View: view}
	for i, vc := range s {
		b.ViewChanges = append(b.ViewChanges, messages.ViewChangeRef{Member: messages.Index(i), Digest: vc.Digest()})
	}
	return b
}

// TestE6_EvictedClaims: a bound on the accepted digests drops what supports a
// prepared claim, and neither A2 nor B decides, not even with everybody's word.
// The certificate does, and only where nothing else does is one asked for.
func TestE6_EvictedClaims(t *testing.T) {
	s := bodies(2, member{"", "1:a@1"}, member{"", "1:b@1"}, member{"1:null@0", ""})
	r := rulesOf(4)
	p := r.plan(s, 0, nothing)
	if !slices.Equal(p.open, []messages.Seq{1}) || !slices.Equal(p.wanted, claims("1:null@0")) {
		t.Fatalf("%+v, want sequence 1 undecided and its claim's certificate wanted", p)
	}
	p = r.plan(s, 0, func(c messages.Claim) bool { return c == claims("1:null@0")[0] })
	if !slices.Equal(p.list, digests("null")) || !slices.Equal(p.marks, claims("1:null@0")) || len(p.open) != 0 {
		t.Fatalf("%+v, want null, marked", p)
	}
	if p = r.plan(append(s, body(2, "", "")), 0, nothing); len(p.wanted) != 0 || len(p.open) != 0 {
		t.Errorf("%+v: with a quorum that claims nothing there is nothing to ask for", p)
	}
}

// TestE8_ExecutedElsewhere: what a vertex did at another sequence is no matter of
// the choice: a batch prepared at 5 is listed at 5, though 6 repeats its vertex.
// (That backups accept it, protocol §3.2, is the voter's part.) [N2]
func TestE8_ExecutedElsewhere(t *testing.T) {
	s := bodies(3, member{"5:d@0", "6:d2@1"}, member{"6:d2@1", "5:d@0"}, member{"6:d2@1", ""})
	p := rulesOf(4).plan(s, 0, nothing)
	if !slices.Equal(p.list, digests("null null null null d d2")) {
		t.Errorf("%+v, want d at 5 and d2 at 6", p)
	}
}

// TestH4_NullBehindTheLastClaim: a false claim at the window's end that loses
// makes no list of nulls.
func TestH4_NullBehindTheLastClaim(t *testing.T) {
	s := bodies(1, member{"1:a@0", ""}, member{"1:a@0", ""}, member{}, member{"16:x@0", ""})
	if p := rulesOf(4).plan(s, 0, nothing); !slices.Equal(p.list, digests("a")) || len(p.open) != 0 {
		t.Errorf("%+v, want a alone", p)
	}
}

// TestH4_ClaimedNullAtTheEnd: view 1 listed null at 1 and d at 2, for one member
// had prepared d; there, null was committed at 1 and d prepared by nobody. View 2
// hears others of 2 and must still list null at 1, its last claim: left free, the
// place could be given to another batch, which the two that only prepared null
// would vote for.
func TestH4_ClaimedNullAtTheEnd(t *testing.T) {
	s := bodies(2, member{"1:null@1", "2:d@1"}, member{"1:null@1", "2:d@1"}, member{})
	p := rulesOf(4).plan(s, 0, nothing)
	if !slices.Equal(p.list, digests("null")) || len(p.open) != 0 {
		t.Fatalf("%+v, want null at 1", p)
	}
	b := supported(2, s)
	if rulesOf(4).CheckNewView(b, s) == nil {
		t.Error("a NewView that frees the place was accepted")
	}
	if b.List = digests("null"); rulesOf(4).CheckNewView(b, s) != nil {
		t.Error("the NewView that keeps it was refused")
	}
}

// TestH4_EndOfSequences: nothing wraps around.
func TestH4_EndOfSequences(t *testing.T) {
	const low = math.MaxUint64 - 1
	claim := []messages.Claim{{Seq: math.MaxUint64, Digest: named("a")}}
	b := &messages.ViewChangeBody{View: 1, Low: low, LowDigest: state(low), Prepared: claim, Accepted: claim}
	p := rulesOf(4).plan([]*messages.ViewChangeBody{b, b, b}, low, nothing)
	if !slices.Equal(p.list, digests("a")) {
		t.Errorf("%+v, want a at the last sequence", p)
	}
}

// TestH2_ClaimsBeyondTheWindow: neither prepared nor accepted.
func TestH2_ClaimsBeyondTheWindow(t *testing.T) {
	tests := []struct {
		name string
		body *messages.ViewChangeBody
		ok   bool
	}{
		{"without claims", body(1, "", ""), true},
		{"to the window's end", body(1, "1:a@0 16:b@0", ""), true},
		{"prepared beyond", body(1, "1:a@0 17:b@0", ""), false},
		{"accepted beyond", body(1, "1:a@0", "17:b@0"), false},
		{"above a checkpoint", at(16, body(1, "32:a@0", "")), true},
		{"beyond, above a checkpoint", at(16, body(1, "33:a@0", "")), false},
		{"at the end of sequences", at(math.MaxUint64-1, &messages.ViewChangeBody{
			View: 1, Accepted: []messages.Claim{{Seq: math.MaxUint64, Digest: named("a")}},
		}), true},
	}
	for _, tt := range tests {
		if err := CheckViewChange(tt.body, window); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestH5_LyingNewViews: every way to lie in a NewView is refused, by everyone alike:
// the check has no other input. The honest one lists null, a, b by a certificate,
// c at sequences 17 to 20, above a checkpoint that not all have reached.
func TestH5_LyingNewViews(t *testing.T) {
	r := rulesOf(4)
	// In view 3, of member 3. Member 2 alone prepared b and lost its support.
	s := []*messages.ViewChangeBody{
		at(16, body(3, "18:a@0 20:c@2", "18:a@1 19:x@2")),
		at(16, body(3, "18:a@0", "20:c@2 19:y@2")),
		at(8, body(3, "18:a@1 19:b@1", "20:c@1")),
	}
	honest := func(s []*messages.ViewChangeBody) *messages.NewViewBody {
		b := supported(3, s)
		b.MinS, b.MinSDigest, b.List, b.Marks = 16, state(16), digests("null a b c"), claims("19:b@1")
		return b
	}
	if err := r.CheckNewView(honest(s), s); err != nil {
		t.Fatalf("the honest one is refused: %v", err)
	}
	tests := []struct {
		name string
		lie  func(*messages.NewViewBody, []*messages.ViewChangeBody) []*messages.ViewChangeBody
		want string
	}{
		{"omits the last", list("null a b"), "lists 3 sequences instead of 4"},
		{"omits one in between", list("null a c"), "sequence 19 is not decided"},
		{"omits everything", func(b *messages.NewViewBody, s []*messages.ViewChangeBody) []*messages.ViewChangeBody {
			b.List, b.Marks = nil, nil
			return s
		}, "sequence 19 is not decided"},
		{"replaces one by null", list("null a b null"), "lists 28cad6d8 at sequence 20"},
		{"swaps two", list("a null b c"), "at sequence 17"},
		{"lists another batch", list("null a b z"), "at sequence 20"},
		{"fills a gap", list("z a b c"), "at sequence 17"},
		{"adds one", list("null a b c d"), "lists 5 sequences instead of 4"},
		{"adds nulls", list("null a b c null null"), "lists 6 sequences"},
		{"downgrades to a lower claim", func(b *messages.NewViewBody, _ []*messages.ViewChangeBody) []*messages.ViewChangeBody {
			// b@1 and x@0 are both claimed: x, of the lower view, is listed.
			other := bodies(3, member{"1:x@0", ""}, member{"1:b@1", "1:x@0"}, member{"", "1:b@1"})
			*b = *supported(3, other)
			b.List = digests("x")
			return other
		}, "at sequence 1"},
		{"marks nothing", func(b *messages.NewViewBody, s []*messages.ViewChangeBody) []*messages.ViewChangeBody {
			b.Marks = nil
			return s
		}, "sequence 19 is not decided"},
		{"marks a claim that needs none", func(b *messages.NewViewBody, s []*messages.ViewChangeBody) []*messages.ViewChangeBody {
			b.Marks = claims("19:b@1 20:c@2")
			return s
		}, "marks 2 claims, not the 1"},
		{"marks a view that nobody claims", func(b *messages.NewViewBody, s []*messages.ViewChangeBody) []*messages.ViewChangeBody {
			b.Marks = claims("19:b@0")
			return s
		}, "sequence 19 is not decided"},
		{"marks what nobody claims", func(b *messages.NewViewBody, s []*messages.ViewChangeBody) []*messages.ViewChangeBody {
			b.List, b.Marks = digests("z a b c"), claims("17:z@1 19:b@1")
			return s
		}, "at sequence 17"},
		{"has no quorum", func(b *messages.NewViewBody, s []*messages.ViewChangeBody) []*messages.ViewChangeBody {
			b.ViewChanges = b.ViewChanges[:2]
			return s[:2]
		}, "no quorum"},
		{"names a member that is none", func(b *messages.NewViewBody, s []*messages.ViewChangeBody) []*messages.ViewChangeBody {
			b.ViewChanges[2].Member = 4
			return s
		}, "member 4 of 4"},
		{"reuses a view-change of an earlier view", func(b *messages.NewViewBody, s []*messages.ViewChangeBody) []*messages.ViewChangeBody {
			s[1] = at(16, body(2, "18:a@0", "20:c@1"))
			return s
		}, "member 1 is for view 2"},
		{"uses a view-change for a later view", func(b *messages.NewViewBody, s []*messages.ViewChangeBody) []*messages.ViewChangeBody {
			s[1].View = 7
			return s
		}, "member 1 is for view 7"},
		{"uses an invalid view-change", func(b *messages.NewViewBody, s []*messages.ViewChangeBody) []*messages.ViewChangeBody {
			s[2] = at(8, body(3, "18:a@1 19:b@1", "25:z@0"))
			return s
		}, "beyond 24"},
		{"lowers min-s below a view-change's checkpoint", func(b *messages.NewViewBody, s []*messages.ViewChangeBody) []*messages.ViewChangeBody {
			b.MinS, b.MinSDigest, b.Marks = 8, state(8), nil
			return s
		}, "hides its claims up to 16"},
		{"raises min-s over what is listed", func(b *messages.NewViewBody, s []*messages.ViewChangeBody) []*messages.ViewChangeBody {
			b.MinS, b.MinSDigest, b.List = 18, state(18), digests("b c d")
			return s
		}, "lists 3 sequences instead of 2"},
		{"changes a view-change's claims", func(b *messages.NewViewBody, s []*messages.ViewChangeBody) []*messages.ViewChangeBody {
			s[0] = at(16, body(3, "18:a@0", "")) // then it is another one, and what it supports does not follow
			return s
		}, "sequence 18 is not decided"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := slices.Clone(s)
			for i := range s {
				c := *s[i]
				s[i] = &c
			}
			b := honest(s)
			support := tt.lie(b, s)
			if err := b.Validate(); err != nil {
				t.Fatalf("refused by its shape already: %v", err)
			}
			err := r.CheckNewView(b, support)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func list(names string) func(*messages.NewViewBody, []*messages.ViewChangeBody) []*messages.ViewChangeBody {
	return func(b *messages.NewViewBody, s []*messages.ViewChangeBody) []*messages.ViewChangeBody {
		b.List = digests(names)
		b.Marks = slices.DeleteFunc(slices.Clone(b.Marks), func(c messages.Claim) bool {
			d, ok := b.Listed(c.Seq)
			return !ok || d != c.Digest
		})
		return s
	}
}
