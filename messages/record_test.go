package messages

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

// record is what all records have in common.
type record interface {
	AppendTo(b []byte) ([]byte, error)
}

// parsed adapts a parser.
func parsed[R record](parse func([]byte) (R, error)) func([]byte) (record, error) {
	return func(b []byte) (record, error) { return parse(b) }
}

// parsers has the parser of each kind but RecordBatch, which is a batch's bytes.
var parsers = map[RecordKind]func([]byte) (record, error){
	RecordAccepted:   parsed(ParseAcceptedRecord),
	RecordPrepared:   parsed(ParsePreparedRecord),
	RecordVote:       parsed(ParseVoteRecord),
	RecordBundle:     parsed(ParseBundleRecord),
	RecordStable:     parsed(ParseStableRecord),
	RecordViewChange: parsed(ParseViewChangeRecord),
	RecordNewView:    parsed(ParseNewViewRecord),
	RecordSupport:    parsed(ParseSupportRecord),
}

func smallRecords() map[RecordKind]record {
	return map[RecordKind]record{
		RecordAccepted: AcceptedRecord{View: 1, Seq: 2, Digest: numbered(1)},
		RecordPrepared: PreparedRecord{View: 3, Seq: 4, Digest: NullDigest},
		RecordVote:     VoteRecord{Vote{Kind: ViewChange, View: 5, Digest: numbered(1)}},
		RecordBundle: BundleRecord{&Bundle{
			Epoch: 6, From: 7, Signature: []byte{8, 9},
			Votes: []Vote{{Kind: Prepare, View: 1, Seq: 2, Digest: numbered(1)}},
		}},
		RecordStable:     StableRecord{Seq: 128, Digest: numbered(1), Certificate: bundlesOf(2, 1, 2)},
		RecordViewChange: ViewChangeRecord{goldenViewChange()},
		RecordNewView:    NewViewRecord{goldenNewView(), signed(1, newViewVote(goldenNewView())), bundlesOf(1, 1, 2)},
		RecordSupport:    SupportRecord{signed(2, viewChangeVote(goldenViewChange())), goldenViewChange()},
	}
}

func largestRecords() map[RecordKind]record {
	vc, nv := largestViewChanges()[FrameViewChange].(*ViewChangeMessage), largestViewChanges()[FrameNewView].(*NewViewMessage)
	return map[RecordKind]record{
		RecordAccepted:   AcceptedRecord{View: math.MaxUint64, Seq: math.MaxUint64, Digest: numbered(1)},
		RecordPrepared:   PreparedRecord{View: math.MaxUint64, Seq: math.MaxUint64, Digest: numbered(1)},
		RecordVote:       VoteRecord{Vote{Kind: Commit, View: math.MaxUint64, Seq: math.MaxUint64, Digest: numbered(1)}},
		RecordBundle:     BundleRecord{bundleOf(math.MaxUint16, BundleVotesMax, SignatureBytesMax)},
		RecordStable:     StableRecord{Seq: math.MaxUint64, Digest: numbered(1), Certificate: largestCertificate()},
		RecordViewChange: ViewChangeRecord{vc.Body},
		RecordNewView:    NewViewRecord{nv.Body, nv.Bundle, nv.Certificate},
		RecordSupport:    SupportRecord{vc.Bundle, vc.Body},
	}
}

// TestNewViewRecord_NotSignedYet: the own NewView is recorded before its
// signature exists, and one at genesis has no certificate.
func TestNewViewRecord_NotSignedYet(t *testing.T) {
	atGenesis := &NewViewBody{View: 1, ViewChanges: []ViewChangeRef{{0, numbered(1)}}}
	for _, want := range []NewViewRecord{
		{Body: goldenNewView(), Certificate: bundlesOf(2, 1, 2)},
		{Body: atGenesis},
		{Body: atGenesis, Bundle: signed(1, newViewVote(atGenesis))},
	} {
		got, err := ParseNewViewRecord(appendRecord(t, want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v (%v), want %+v", got, err, want)
		}
	}
}

func appendRecord(t testing.TB, r record) []byte {
	t.Helper()
	b, err := r.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRecordGolden freezes the records' bytes: an older release wrote them.
func TestRecordGolden(t *testing.T) {
	d := numbered(1).Hex()
	golden := map[RecordKind]string{
		RecordAccepted: "0000000000000001" + "0000000000000002" + d,
		RecordPrepared: "0000000000000003" + "0000000000000004" + NullDigest.Hex(),
		RecordVote:     "05" + "0000000000000005" + "0000000000000000" + d,
		RecordBundle: "0000000000000006" + "0007" + "0001" + "0002" +
			"02" + "0000000000000001" + "0000000000000002" + d + "0809",
		RecordStable: "0000000000000080" + d + "0002" +
			"ffffffffffffffff" + "0000" + "0001" + "0002" +
			"03" + "0000000000000000" + "0000000000000001" + numbered(0).Hex() + "ffff" +
			"ffffffffffffffff" + "0001" + "0001" + "0002" +
			"03" + "0000000000000000" + "0000000000000001" + numbered(0).Hex() + "ffff",
		RecordViewChange: hex.EncodeToString(goldenViewChange().AppendTo(nil)),
		RecordNewView: "0000015c" + "0001" + "0001" + hex.EncodeToString(goldenNewView().AppendTo(nil)) +
			"0000000000000000" + "0001" + "0001" + "0002" +
			"06" + "0102030405060708" + "0000000000000000" + goldenNewView().Digest().Hex() + "0809" +
			"ffffffffffffffff" + "0000" + "0001" + "0002" +
			"03" + "0000000000000000" + "0000000000000001" + numbered(0).Hex() + "ffff",
		RecordSupport: "0000000000000000" + "0002" + "0001" + "0002" +
			"05" + "0102030405060708" + "0000000000000000" + goldenViewChange().Digest().Hex() + "0809" +
			hex.EncodeToString(goldenViewChange().AppendTo(nil)),
	}
	for kind, r := range smallRecords() {
		if got := hex.EncodeToString(appendRecord(t, r)); got != golden[kind] {
			t.Errorf("%v\n got %s\nwant %s", kind, got, golden[kind])
		}
	}
}

// TestRecordKinds freezes the numbers, which are on every disk.
func TestRecordKinds(t *testing.T) {
	names := []string{"", "accepted", "batch", "prepared", "vote", "bundle", "record(6)", "stable", "record(8)", "view-change", "new-view", "support", "record(12)"}
	for i, want := range names {
		if got := RecordKind(i).String(); i > 0 && got != want {
			t.Errorf("record kind %d is %q, not %q", i, got, want)
		}
	}
}

func TestRecordRoundTrip(t *testing.T) {
	for name, records := range map[string]map[RecordKind]record{"small": smallRecords(), "largest": largestRecords()} {
		for kind, parse := range parsers {
			t.Run(fmt.Sprintf("%s/%v", name, kind), func(t *testing.T) {
				r := records[kind]
				b, err := r.AppendTo([]byte("before"))
				if err != nil {
					t.Fatal(err)
				}
				b, ok := bytes.CutPrefix(b, []byte("before"))
				if !ok {
					t.Fatal("AppendTo did not append")
				}
				got, err := parse(b)
				if err != nil {
					t.Fatal(err)
				}
				clear(b) // a journal reads into one buffer again and again
				if !reflect.DeepEqual(got, r) {
					t.Errorf("got  %+v\nwant %+v", got, r)
				}
			})
		}
	}
}

// TestRecordExactLength: a record that was cut or prolonged is no record.
func TestRecordExactLength(t *testing.T) {
	for kind, r := range smallRecords() {
		b := appendRecord(t, r)
		for n := range b {
			if _, err := parsers[kind](b[:n]); err == nil {
				t.Fatalf("%v: parsed the first %d of %d bytes", kind, n, len(b))
			}
		}
		if _, err := parsers[kind](append(bytes.Clone(b), 0)); err == nil {
			t.Errorf("%v: parsed with a byte more", kind)
		}
	}
}

// TestRecordInvalid: what could not be read back is not written, and what cannot
// be is refused when read.
func TestRecordInvalid(t *testing.T) {
	d := numbered(1)
	bundle := func(change func(*Bundle)) *Bundle {
		b := bundleOf(1, 1, 1)
		change(b)
		return b
	}
	tests := []struct {
		name   string
		record record
		want   string
	}{
		{"accepted at sequence 0", AcceptedRecord{View: 1, Digest: d}, "sequence 0"},
		{"accepted without a digest", AcceptedRecord{View: 1, Seq: 1}, "without a digest"},
		{"prepared at sequence 0", PreparedRecord{View: 1, Digest: d}, "sequence 0"},
		{"prepared without a digest", PreparedRecord{View: 1, Seq: 1}, "without a digest"},
		{"vote of no kind", VoteRecord{Vote{Seq: 1, Digest: d}}, "kind 0"},
		{"vote without a digest", VoteRecord{Vote{Kind: Commit, Seq: 1}}, "no digest"},
		{"no bundle", BundleRecord{}, "no bundle"},
		{"bundle without votes", BundleRecord{bundle(func(b *Bundle) { b.Votes = nil })}, "at least one vote"},
		{"bundle of too many votes", BundleRecord{bundleOf(1, BundleVotesMax+1, 1)}, "at most 64 votes"},
		{"bundle without a signature", BundleRecord{bundle(func(b *Bundle) { b.Signature = nil })}, "signed"},
		{"bundle with too long a signature", BundleRecord{bundleOf(1, 1, SignatureBytesMax+1)}, "at most 5120 bytes"},
		{"bundle whose length needs 17 bits", BundleRecord{bundleOf(1, 1, 1<<16+1)}, "at most 5120 bytes"},
		{"stable at sequence 0", StableRecord{Digest: d, Certificate: bundlesOf(1, 1, 1)}, "sequence 0"},
		{"stable without a digest", StableRecord{Seq: 1, Certificate: bundlesOf(1, 1, 1)}, "without a digest"},
		{"stable without a certificate", StableRecord{Seq: 1, Digest: d}, "1 to 64 bundles, not 0"},
		{"stable with no bundle", StableRecord{Seq: 1, Digest: d, Certificate: []*Bundle{nil}}, "no bundle"},
		{"stable with too large a certificate", StableRecord{Seq: 1, Digest: d, Certificate: bundlesOf(CertificateBundlesMax+1, 1, 1)}, "not 65"},
		{"stable with too many bytes", StableRecord{Seq: 1, Digest: d, Certificate: bundlesOf(64, 64, SignatureBytesMax)}, "at most 516096 bytes"},
		{"view change without a body", ViewChangeRecord{}, "without a body"},
		{"view change to view 0", ViewChangeRecord{&ViewChangeBody{}}, "view 0"},
		{"new view without a body", NewViewRecord{Bundle: signed(1, newViewVote(goldenNewView()))}, "without a body"},
		{"new view with a bad body", NewViewRecord{Body: &NewViewBody{}}, "view 0"},
		{"new view without its certificate", NewViewRecord{Body: goldenNewView()}, "without the certificate of sequence 128"},
		{"new view with a bad certificate", NewViewRecord{goldenNewView(), nil, []*Bundle{nil}}, "no bundle"},
		{"new view signed for another", NewViewRecord{goldenNewView(), signed(1, newViewVote(largestNewView())), bundlesOf(1, 1, 2)}, "signs for"},
		{"new view at genesis with a certificate", NewViewRecord{&NewViewBody{View: 1, ViewChanges: []ViewChangeRef{{0, d}}}, nil, bundlesOf(1, 1, 2)}, "genesis has no"},
		{"support without a body", SupportRecord{Bundle: signed(2, viewChangeVote(goldenViewChange()))}, "has a body"},
		{"support without a bundle", SupportRecord{Body: goldenViewChange()}, "no bundle"},
		{"support signed for another", SupportRecord{signed(2, viewChangeVote(largestViewChange())), goldenViewChange()}, "signs for"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b, err := test.record.AppendTo([]byte("before"))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if string(b) != "before" {
				t.Errorf("%d bytes were appended beside the error", len(b)-len("before"))
			}
		})
	}
}

// TestRecordParseInvalid spoils written bytes, as a newer or broken release would.
func TestRecordParseInvalid(t *testing.T) {
	zero := func(from, to int) func([]byte) { return func(b []byte) { clear(b[from:to]) } }
	set := func(at int, v byte) func([]byte) { return func(b []byte) { b[at] = v } }
	tests := []struct {
		name  string
		kind  RecordKind
		spoil func([]byte)
	}{
		{"sequence 0", RecordAccepted, zero(8, 16)},
		{"no digest", RecordAccepted, zero(16, 48)},
		{"sequence 0", RecordPrepared, zero(8, 16)},
		{"no digest", RecordPrepared, zero(16, 48)},
		{"no kind", RecordVote, zero(0, 1)},
		{"no view", RecordVote, zero(1, 9)},
		{"no digest", RecordVote, zero(17, 49)},
		{"no votes", RecordBundle, zero(10, 12)},
		{"65535 votes", RecordBundle, func(b []byte) { b[10], b[11] = 0xff, 0xff }},
		{"no signature", RecordBundle, zero(12, 14)},
		{"a longer signature", RecordBundle, set(13, 3)},
		{"a vote of no kind", RecordBundle, zero(14, 15)},
		{"sequence 0", RecordStable, zero(0, 8)},
		{"no digest", RecordStable, zero(8, 40)},
		{"no bundles", RecordStable, zero(40, 42)},
		{"a bundle too many", RecordStable, set(41, 3)},
		{"a bundle missing", RecordStable, set(41, 1)},
		{"65535 bundles", RecordStable, func(b []byte) { b[40], b[41] = 0xff, 0xff }},
		{"a vote of no kind", RecordStable, zero(56, 57)},
		{"no view", RecordViewChange, zero(0, 8)},
		{"a claim too many", RecordViewChange, set(49, 3)},
		{"a body longer than the record", RecordNewView, set(0, 1)},
		{"a body shorter than it is", RecordNewView, set(3, 0x5b)},
		{"two bundles that sign", RecordNewView, set(5, 2)},
		{"no bundle that signs, but its bytes", RecordNewView, set(5, 0)},
		{"no certificate, but its bytes", RecordNewView, set(7, 0)},
		{"a bundle too many", RecordNewView, set(7, 2)},
		{"no view", RecordNewView, zero(8, 16)},
		{"a vote for another view", RecordNewView, set(8+0x15c+14+8, 7)},
		{"a vote for another body", RecordSupport, set(14+17, 7)},
		{"a body spoiled", RecordSupport, zero(14+49+2, 14+49+2+8)},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%v/%s", test.kind, test.name), func(t *testing.T) {
			b := appendRecord(t, smallRecords()[test.kind])
			test.spoil(b)
			if r, err := parsers[test.kind](b); err == nil {
				t.Errorf("parsed: %+v", r)
			}
		})
	}
}

// FuzzParseRecord: no bytes panic or make a parser allocate out of proportion,
// and what is parsed has no other bytes.
func FuzzParseRecord(f *testing.F) {
	for kind, r := range smallRecords() {
		f.Add(uint8(kind), appendRecord(f, r))
	}
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		parse, ok := parsers[RecordKind(kind)]
		if !ok {
			return
		}
		var r record
		var err error
		got := allocated(func() { r, err = parse(b) })
		if limit := uint64(allocatedPerByte*len(b) + allocatedBeside); got > limit {
			t.Fatalf("%d bytes were allocated for %d", got, len(b))
		}
		if err != nil {
			return
		}
		again, err := r.AppendTo(nil)
		if err != nil {
			t.Fatalf("parsed, but not appended: %v", err)
		}
		if !bytes.Equal(again, b) {
			t.Fatalf("two byte strings of one record\n%x\n%x", b, again)
		}
	})
}
