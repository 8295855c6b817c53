package messages

import (
	"bytes"
	"encoding/hex"
	"math"
	"slices"
	"testing"
)

// goldenNewView is the body whose bytes and digest are frozen.
func goldenNewView() *NewViewBody {
	return &NewViewBody{
		View: 0x0102030405060708, MinS: 128, MinSDigest: numbered(1),
		ViewChanges: []ViewChangeRef{{0, numbered(2)}, {2, numbered(3)}, {0x0203, numbered(4)}},
		List:        []Digest{numbered(5), NullDigest, numbered(6)},
		Marks:       []Claim{{Seq: 129, View: 1, Digest: numbered(5)}, {Seq: 130, View: 3, Digest: NullDigest}},
	}
}

// largestNewView names, lists and marks everything the bounds allow.
func largestNewView() *NewViewBody {
	b := &NewViewBody{View: math.MaxUint64, MinS: math.MaxUint64 - WindowMax, MinSDigest: numbered(1)}
	for i := range MembersMax {
		b.ViewChanges = append(b.ViewChanges, ViewChangeRef{Index(i), numbered(i)})
	}
	for i := range WindowMax {
		b.List = append(b.List, numbered(i))
		b.Marks = append(b.Marks, Claim{b.MinS + 1 + Seq(i), math.MaxUint64 - 1, numbered(i)})
	}
	return b
}

// TestNewViewGolden freezes a NewView's bytes and digest.
func TestNewViewGolden(t *testing.T) {
	const digest = "58e506fb1965f2959851a69a3bdac131bbbd7db22b2251c68fad4ecff3b88336"
	want := "0102030405060708" + "0000000000000080" + numbered(1).Hex() + "0003" + "0003" + "0002" +
		"0000" + numbered(2).Hex() + "0002" + numbered(3).Hex() + "0203" + numbered(4).Hex() +
		numbered(5).Hex() + NullDigest.Hex() + numbered(6).Hex() +
		"0000000000000001" + "0000000000000081" + numbered(5).Hex() +
		"0000000000000003" + "0000000000000082" + NullDigest.Hex()
	b := goldenNewView()
	if got := hex.EncodeToString(b.AppendTo(nil)); got != want {
		t.Errorf("a new-view has the bytes\n%s, not\n%s", got, want)
	}
	if got := b.Digest().Hex(); got != digest {
		t.Errorf("its digest is %s, not %s", got, digest)
	}
}

func TestNewViewDigestBindsEveryField(t *testing.T) {
	seen := map[Digest]string{goldenNewView().Digest(): "golden"}
	for _, test := range []struct {
		name   string
		change func(*NewViewBody)
	}{
		{"view", func(b *NewViewBody) { b.View++ }},
		{"min-s", func(b *NewViewBody) { b.MinS++ }},
		{"its digest", func(b *NewViewBody) { b.MinSDigest[0] ^= 1 }},
		{"a view-change less", func(b *NewViewBody) { b.ViewChanges = b.ViewChanges[:2] }},
		{"a view-change's member", func(b *NewViewBody) { b.ViewChanges[1].Member = 1 }},
		{"a view-change's digest", func(b *NewViewBody) { b.ViewChanges[1].Digest = numbered(9) }},
		{"a listed digest", func(b *NewViewBody) { b.List[2] = numbered(9) }},
		{"the list's order", func(b *NewViewBody) { slices.Reverse(b.List) }},
		{"the list's length", func(b *NewViewBody) { b.List = b.List[:2] }},
		{"a mark less", func(b *NewViewBody) { b.Marks = b.Marks[:1] }},
		{"a mark's view", func(b *NewViewBody) { b.Marks[0].View = 0 }},
	} {
		b := goldenNewView()
		test.change(b)
		if was, ok := seen[b.Digest()]; ok {
			t.Errorf("%s: has the digest of %s", test.name, was)
		}
		seen[b.Digest()] = test.name
	}
}

// TestNewViewBytesMax: the bound is the size of the largest body and no more.
func TestNewViewBytesMax(t *testing.T) {
	for name, b := range map[string]*NewViewBody{"golden": goldenNewView(), "largest": largestNewView()} {
		data := b.AppendTo(nil)
		if len(data) != b.bytes() {
			t.Errorf("%s: %d bytes, counted as %d", name, len(data), b.bytes())
		}
		if name == "largest" && len(data) != NewViewBytesMax {
			t.Errorf("the largest body has %d bytes, the bound is %d", len(data), NewViewBytesMax)
		}
		got, err := ParseNewViewBody(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		clear(data) // nothing of it is kept
		if got.Digest() != b.Digest() {
			t.Errorf("%s: read back as another body", name)
		}
	}
}

func TestNewViewValidate(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*NewViewBody)
		want   string // part of the refusal; "" if accepted
	}{
		{"golden", func(*NewViewBody) {}, ""},
		{"an empty list at genesis", func(b *NewViewBody) {
			b.MinS, b.MinSDigest, b.List, b.Marks = 0, Digest{}, nil, nil
		}, ""},
		{"a list that ends in a claimed null batch", func(b *NewViewBody) { b.List = append(b.List, NullDigest) }, ""},
		{"the list ends with the sequences", func(b *NewViewBody) { b.MinS, b.Marks = math.MaxUint64-3, nil }, ""},
		{"view 0", func(b *NewViewBody) { b.View = 0 }, "view 0"},
		{"a checkpoint without a digest", func(b *NewViewBody) { b.MinSDigest = Digest{} }, "has a digest"},
		{"genesis with a digest", func(b *NewViewBody) { b.MinS = 0 }, "genesis has none"},
		{"no view-changes", func(b *NewViewBody) { b.ViewChanges = nil }, "not 0"},
		{"too many view-changes", func(b *NewViewBody) {
			b.ViewChanges = nil
			for i := range MembersMax + 1 {
				b.ViewChanges = append(b.ViewChanges, ViewChangeRef{Index(i), numbered(i)})
			}
		}, "not 65"},
		{"a member twice", func(b *NewViewBody) { b.ViewChanges[1].Member = 0 }, "the members' order"},
		{"members out of order", func(b *NewViewBody) { slices.Reverse(b.ViewChanges) }, "the members' order"},
		{"a view-change without a digest", func(b *NewViewBody) { b.ViewChanges[2].Digest = Digest{} }, "names no digest"},
		{"a list too long", func(b *NewViewBody) { b.List = leaves(WindowMax + 1) }, "not 1025"},
		{"a list beyond the last sequence", func(b *NewViewBody) { b.MinS, b.Marks = math.MaxUint64-2, nil }, "beyond the last sequence"},
		{"a listed sequence without a digest", func(b *NewViewBody) { b.List[0] = Digest{} }, "sequence 129 has no digest"},
		{"a mark at min-s", func(b *NewViewBody) { b.Marks[0].Seq = 128 }, "for no listed sequence"},
		{"a mark beyond the list", func(b *NewViewBody) { b.Marks[1].Seq = 132 }, "for no listed sequence"},
		{"a mark twice", func(b *NewViewBody) { b.Marks[1] = b.Marks[0] }, "out of order"},
		{"marks out of order", func(b *NewViewBody) { slices.Reverse(b.Marks) }, "out of order"},
		{"a mark of the view itself", func(b *NewViewBody) { b.Marks[0].View = b.View }, "not below"},
		{"a mark for another digest", func(b *NewViewBody) { b.Marks[0].Digest = numbered(6) }, "another digest"},
	} {
		b := goldenNewView()
		test.change(b)
		checkRefusal(t, test.name, b.Validate(), test.want)
		if got, err := ParseNewViewBody(b.AppendTo(nil)); (err == nil) != (test.want == "") {
			t.Errorf("%s: parsed as %+v (%v)", test.name, got, err)
		}
	}
}

// TestNewViewListed: the list begins above min-s and ends with Last.
func TestNewViewListed(t *testing.T) {
	b := goldenNewView()
	if b.Last() != 131 {
		t.Errorf("the last sequence listed is %d", b.Last())
	}
	for seq, want := range map[Seq]Digest{0: {}, 128: {}, 129: numbered(5), 130: NullDigest, 131: numbered(6), 132: {}, math.MaxUint64: {}} {
		if got, ok := b.Listed(seq); got != want || ok == want.IsZero() {
			t.Errorf("sequence %d is listed as %v (%t), want %v", seq, got, ok, want)
		}
	}
}

// TestNewViewExactLength: neither more nor less than what is counted.
func TestNewViewExactLength(t *testing.T) {
	data := goldenNewView().AppendTo(nil)
	for n := range data {
		if _, err := ParseNewViewBody(data[:n]); err == nil {
			t.Fatalf("parsed the first %d of %d bytes", n, len(data))
		}
	}
	for _, more := range []int{1, len(Digest{}), NewViewBytesMax} {
		if _, err := ParseNewViewBody(append(bytes.Clone(data), make([]byte, more)...)); err == nil {
			t.Errorf("parsed with %d bytes more", more)
		}
	}
	for at := 48; at < 54; at += 2 {
		spoiled := bytes.Clone(data)
		spoiled[at], spoiled[at+1] = 0xff, 0xff
		if _, err := ParseNewViewBody(spoiled); err == nil {
			t.Errorf("65535 counted at byte %d of %d", at, len(data))
		}
	}
}

// FuzzParseNewView: no bytes panic or cost out of proportion, and what is parsed
// has no other bytes.
func FuzzParseNewView(f *testing.F) {
	f.Add(goldenNewView().AppendTo(nil))
	f.Add((&NewViewBody{View: 1, ViewChanges: []ViewChangeRef{{0, numbered(1)}}}).AppendTo(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		var b *NewViewBody
		var err error
		got := allocated(func() { b, err = ParseNewViewBody(data) })
		if limit := uint64(allocatedPerByte*len(data) + allocatedBeside); got > limit {
			t.Fatalf("%d bytes were allocated for %d", got, len(data))
		}
		if err == nil && !bytes.Equal(b.AppendTo(nil), data) {
			t.Fatalf("two byte strings of one new-view: %x", data)
		}
	})
}
