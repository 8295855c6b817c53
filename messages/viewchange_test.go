package messages

import (
	"bytes"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"
)

// goldenViewChange is the body whose bytes and digest are frozen.
func goldenViewChange() *ViewChangeBody {
	return &ViewChangeBody{
		View: 0x0102030405060708, Low: 128, LowDigest: numbered(1),
		Prepared: []Claim{{Seq: 129, View: 2, Digest: numbered(2)}, {Seq: 131, View: 0, Digest: NullDigest}},
		Accepted: []Claim{
			{Seq: 129, View: 1, Digest: numbered(3)}, {Seq: 129, View: 2, Digest: numbered(2)},
			{Seq: 131, View: 7, Digest: NullDigest},
		},
	}
}

// largestViewChange claims everything the bounds allow.
func largestViewChange() *ViewChangeBody {
	b := &ViewChangeBody{View: math.MaxUint64, Low: math.MaxUint64 - WindowMax, LowDigest: numbered(1)}
	for i := range WindowMax {
		seq := b.Low + 1 + Seq(i)
		for j := range ClaimDigestsMax {
			b.Accepted = append(b.Accepted, Claim{seq, math.MaxUint64 - ClaimDigestsMax + View(j), numbered(j)})
		}
		b.Prepared = append(b.Prepared, b.Accepted[len(b.Accepted)-1])
	}
	return b
}

// TestViewChangeGolden freezes a ViewChange's bytes and digest: they are signed,
// stored, and named by NewViews of other releases.
func TestViewChangeGolden(t *testing.T) {
	const digest = "5effb86396ae146e63a1066bacbce7dbfef2c5e51fc61c4266e2ae4ee17bf164"
	claim := func(view, seq string, d Digest) string { return view + seq + d.Hex() }
	want := "0102030405060708" + "0000000000000080" + numbered(1).Hex() + "0002" + "0003" +
		claim("0000000000000002", "0000000000000081", numbered(2)) +
		claim("0000000000000000", "0000000000000083", NullDigest) +
		claim("0000000000000001", "0000000000000081", numbered(3)) +
		claim("0000000000000002", "0000000000000081", numbered(2)) +
		claim("0000000000000007", "0000000000000083", NullDigest)
	b := goldenViewChange()
	if got := hex.EncodeToString(b.AppendTo(nil)); got != want {
		t.Errorf("a view-change has the bytes\n%s, not\n%s", got, want)
	}
	if got := b.Digest().Hex(); got != digest {
		t.Errorf("its digest is %s, not %s", got, digest)
	}
}

// TestViewChangeDigestBindsEveryField: two bodies that differ have two digests,
// and what is a ViewChange is no NewView.
func TestViewChangeDigestBindsEveryField(t *testing.T) {
	seen := map[Digest]string{goldenViewChange().Digest(): "golden", goldenNewView().Digest(): "a new-view"}
	for _, test := range []struct {
		name   string
		change func(*ViewChangeBody)
	}{
		{"view", func(b *ViewChangeBody) { b.View++ }},
		{"low", func(b *ViewChangeBody) { b.Low-- }},
		{"low digest", func(b *ViewChangeBody) { b.LowDigest[31] ^= 1 }},
		{"a prepared claim less", func(b *ViewChangeBody) { b.Prepared = b.Prepared[:1] }},
		{"a prepared claim moved to the accepted", func(b *ViewChangeBody) {
			b.Accepted = append([]Claim{b.Prepared[1]}, b.Accepted...)
			b.Prepared = b.Prepared[:1]
		}},
		{"a prepared claim's view", func(b *ViewChangeBody) { b.Prepared[0].View-- }},
		{"an accepted claim less", func(b *ViewChangeBody) { b.Accepted = b.Accepted[1:] }},
		{"an accepted claim's digest", func(b *ViewChangeBody) { b.Accepted[0].Digest = numbered(4) }},
		{"an accepted claim's sequence", func(b *ViewChangeBody) { b.Accepted[2].Seq++ }},
	} {
		b := goldenViewChange()
		test.change(b)
		if was, ok := seen[b.Digest()]; ok {
			t.Errorf("%s: has the digest of %s", test.name, was)
		}
		seen[b.Digest()] = test.name
	}
}

// TestViewChangeBytesMax: the bound is the size of the largest body and no more.
func TestViewChangeBytesMax(t *testing.T) {
	for name, b := range map[string]*ViewChangeBody{"golden": goldenViewChange(), "largest": largestViewChange()} {
		data := b.AppendTo(nil)
		if len(data) != b.bytes() {
			t.Errorf("%s: %d bytes, counted as %d", name, len(data), b.bytes())
		}
		if name == "largest" && len(data) != ViewChangeBytesMax {
			t.Errorf("the largest body has %d bytes, the bound is %d", len(data), ViewChangeBytesMax)
		}
		got, err := ParseViewChangeBody(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		clear(data) // nothing of it is kept
		if got.Digest() != b.Digest() {
			t.Errorf("%s: read back as another body", name)
		}
	}
}

func TestViewChangeValidate(t *testing.T) {
	atGenesis := func(b *ViewChangeBody) {
		*b = ViewChangeBody{View: 1, Accepted: []Claim{{1, 0, numbered(1)}}}
	}
	for _, test := range []struct {
		name   string
		change func(*ViewChangeBody)
		want   string // part of the refusal; "" if accepted
	}{
		{"golden", func(*ViewChangeBody) {}, ""},
		{"without claims", func(b *ViewChangeBody) { b.Prepared, b.Accepted = nil, nil }, ""},
		{"at genesis", atGenesis, ""},
		{"prepared in a view below the accepted one", func(b *ViewChangeBody) { b.Prepared[0].View = 1 }, ""},
		{"as many digests as allowed", func(b *ViewChangeBody) {
			b.Accepted = []Claim{{129, 2, numbered(2)}, {129, 3, numbered(3)}, {129, 4, numbered(4)}, {129, 5, numbered(5)}, {131, 0, NullDigest}}
		}, ""},
		{"a claim at the window's end", func(b *ViewChangeBody) { b.Accepted[2].Seq, b.Prepared = b.Low+WindowMax, nil }, ""},
		{"view 0", func(b *ViewChangeBody) { b.View = 0 }, "view 0"},
		{"a checkpoint without a digest", func(b *ViewChangeBody) { b.LowDigest = Digest{} }, "has a digest"},
		{"genesis with a digest", func(b *ViewChangeBody) { b.Low = 0 }, "genesis has none"},
		{"too many prepared", func(b *ViewChangeBody) { b.Prepared = make([]Claim, WindowMax+1) }, "1025 prepared claims"},
		{"too many accepted", func(b *ViewChangeBody) { b.Accepted = make([]Claim, ClaimDigestsMax*WindowMax+1) }, "4097 accepted claims"},
		{"prepared at the stable checkpoint", func(b *ViewChangeBody) { b.Prepared[0].Seq = b.Low }, "outside the window"},
		{"accepted at the stable checkpoint", func(b *ViewChangeBody) { b.Accepted[0].Seq = b.Low }, "outside the window"},
		{"prepared above the window", func(b *ViewChangeBody) { b.Prepared[1].Seq = b.Low + WindowMax + 1 }, "outside the window"},
		{"accepted above the window", func(b *ViewChangeBody) { b.Accepted[2].Seq = b.Low + WindowMax + 1 }, "outside the window"},
		{"prepared in the view asked for", func(b *ViewChangeBody) { b.Prepared[0].View = b.View }, "not below"},
		{"accepted in the view asked for", func(b *ViewChangeBody) { b.Accepted[2].View = b.View }, "not below"},
		{"prepared nothing", func(b *ViewChangeBody) { b.Prepared[0].Digest = Digest{} }, "no digest"},
		{"accepted nothing", func(b *ViewChangeBody) { b.Accepted[0].Digest = Digest{} }, "no digest"},
		{"prepared twice at a sequence", func(b *ViewChangeBody) { b.Prepared[1].Seq = 129 }, "is not above 129"},
		{"prepared out of order", func(b *ViewChangeBody) { slices.Reverse(b.Prepared) }, "is not above"},
		{"accepted out of order", func(b *ViewChangeBody) { b.Accepted[1], b.Accepted[2] = b.Accepted[2], b.Accepted[1] }, "out of order"},
		{"accepted two digests in a view", func(b *ViewChangeBody) { b.Accepted[0].View = 2 }, "out of order"},
		{"accepted views out of order", func(b *ViewChangeBody) { b.Accepted[0].View = 3 }, "out of order"},
		{"accepted a digest twice", func(b *ViewChangeBody) { b.Accepted[0].Digest = numbered(2) }, "repeats the digest"},
		{"a digest too many", func(b *ViewChangeBody) {
			b.Accepted = []Claim{
				{129, 2, numbered(2)}, {129, 3, numbered(3)}, {129, 4, numbered(4)}, {129, 5, numbered(5)}, {129, 6, numbered(6)}, {131, 0, NullDigest},
			}
		}, "more than 4 digests"},
		{"prepared but never accepted", func(b *ViewChangeBody) { b.Prepared[0].Digest = numbered(9) }, "never accepted"},
		{"prepared above the view of its acceptance", func(b *ViewChangeBody) { b.Prepared[0].View = 3 }, "never accepted"},
		{"prepared where nothing was accepted", func(b *ViewChangeBody) { b.Prepared[1].Seq = 130 }, "never accepted"},
	} {
		b := goldenViewChange()
		test.change(b)
		checkRefusal(t, test.name, b.Validate(), test.want)
		if got, err := ParseViewChangeBody(b.AppendTo(nil)); (err == nil) != (test.want == "") {
			t.Errorf("%s: parsed as %+v (%v)", test.name, got, err)
		}
	}
}

// TestViewChangeExactLength: neither more nor less than the claims counted.
func TestViewChangeExactLength(t *testing.T) {
	data := goldenViewChange().AppendTo(nil)
	for n := range data {
		if _, err := ParseViewChangeBody(data[:n]); err == nil {
			t.Fatalf("parsed the first %d of %d bytes", n, len(data))
		}
	}
	for _, more := range []int{1, claimBytes, ViewChangeBytesMax} {
		if _, err := ParseViewChangeBody(append(bytes.Clone(data), make([]byte, more)...)); err == nil {
			t.Errorf("parsed with %d bytes more", more)
		}
	}
	data[48], data[49], data[50], data[51] = 0xff, 0xff, 0xff, 0xff
	if _, err := ParseViewChangeBody(data); err == nil || !strings.Contains(err.Error(), "65535") {
		t.Errorf("65535 claims in %d bytes: %v", len(data), err)
	}
}

// FuzzParseViewChange: no bytes panic or cost out of proportion, and what is
// parsed has no other bytes.
func FuzzParseViewChange(f *testing.F) {
	f.Add(goldenViewChange().AppendTo(nil))
	f.Add((&ViewChangeBody{View: 1}).AppendTo(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		var b *ViewChangeBody
		var err error
		got := allocated(func() { b, err = ParseViewChangeBody(data) })
		if limit := uint64(allocatedPerByte*len(data) + allocatedBeside); got > limit {
			t.Fatalf("%d bytes were allocated for %d", got, len(data))
		}
		if err == nil && !bytes.Equal(b.AppendTo(nil), data) {
			t.Fatalf("two byte strings of one view-change: %x", data)
		}
	})
}
