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
	RecordAccepted: parsed(ParseAcceptedRecord),
	RecordPrepared: parsed(ParsePreparedRecord),
	RecordVote:     parsed(ParseVoteRecord),
	RecordBundle:   parsed(ParseBundleRecord),
	RecordDecided:  parsed(ParseDecidedRecord),
	RecordStable:   parsed(ParseStableRecord),
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
		RecordDecided: DecidedRecord{
			View: 1, Seq: 2, Digest: numbered(1),
			Certificate: []Place{{Segment: 3, Offset: 4, Length: 5}, {Segment: 6, Offset: 7, Length: 8}},
		},
		RecordStable: StableRecord{Seq: 128, Digest: numbered(1), Certificate: bundlesOf(2, 1, 2)},
	}
}

func largestRecords() map[RecordKind]record {
	places := make([]Place, CertificateBundlesMax)
	for i := range places {
		places[i] = Place{Segment: math.MaxUint64 - uint64(i), Offset: math.MaxUint32, Length: math.MaxUint32}
	}
	return map[RecordKind]record{
		RecordAccepted: AcceptedRecord{View: math.MaxUint64, Seq: math.MaxUint64, Digest: numbered(1)},
		RecordPrepared: PreparedRecord{View: math.MaxUint64, Seq: math.MaxUint64, Digest: numbered(1)},
		RecordVote:     VoteRecord{Vote{Kind: Commit, View: math.MaxUint64, Seq: math.MaxUint64, Digest: numbered(1)}},
		RecordBundle:   BundleRecord{bundleOf(math.MaxUint16, BundleVotesMax, SignatureBytesMax)},
		RecordDecided:  DecidedRecord{View: math.MaxUint64, Seq: math.MaxUint64, Digest: numbered(1), Certificate: places},
		RecordStable:   StableRecord{Seq: math.MaxUint64, Digest: numbered(1), Certificate: largestCertificate()},
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
		RecordDecided: "0000000000000001" + "0000000000000002" + d + "0002" +
			"0000000000000003" + "00000004" + "00000005" +
			"0000000000000006" + "00000007" + "00000008",
		RecordStable: "0000000000000080" + d + "0002" +
			"ffffffffffffffff" + "0000" + "0001" + "0002" +
			"03" + "0000000000000000" + "0000000000000001" + numbered(0).Hex() + "ffff" +
			"ffffffffffffffff" + "0001" + "0001" + "0002" +
			"03" + "0000000000000000" + "0000000000000001" + numbered(0).Hex() + "ffff",
	}
	for kind, r := range smallRecords() {
		if got := hex.EncodeToString(appendRecord(t, r)); got != golden[kind] {
			t.Errorf("%v\n got %s\nwant %s", kind, got, golden[kind])
		}
	}
}

// TestRecordKinds freezes the numbers, which are on every disk.
func TestRecordKinds(t *testing.T) {
	names := []string{"", "accepted", "batch", "prepared", "vote", "bundle", "decided", "stable", "record(8)"}
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
		{"decided at sequence 0", DecidedRecord{Digest: d, Certificate: make([]Place, 1)}, "sequence 0"},
		{"decided without a digest", DecidedRecord{Seq: 1, Certificate: make([]Place, 1)}, "without a digest"},
		{"decided without a certificate", DecidedRecord{Seq: 1, Digest: d}, "1 to 64 bundles, not 0"},
		{"decided with too large a certificate", DecidedRecord{Seq: 1, Digest: d, Certificate: make([]Place, CertificateBundlesMax+1)}, "not 65"},
		{"decided with a bundle nowhere", DecidedRecord{Seq: 1, Digest: d, Certificate: make([]Place, 1)}, "at no place"},
		{"stable at sequence 0", StableRecord{Digest: d, Certificate: bundlesOf(1, 1, 1)}, "sequence 0"},
		{"stable without a digest", StableRecord{Seq: 1, Certificate: bundlesOf(1, 1, 1)}, "without a digest"},
		{"stable without a certificate", StableRecord{Seq: 1, Digest: d}, "1 to 64 bundles, not 0"},
		{"stable with no bundle", StableRecord{Seq: 1, Digest: d, Certificate: []*Bundle{nil}}, "no bundle"},
		{"stable with too large a certificate", StableRecord{Seq: 1, Digest: d, Certificate: bundlesOf(CertificateBundlesMax+1, 1, 1)}, "not 65"},
		{"stable with too many bytes", StableRecord{Seq: 1, Digest: d, Certificate: bundlesOf(64, 64, SignatureBytesMax)}, "at most 516096 bytes"},
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
		{"sequence 0", RecordDecided, zero(8, 16)},
		{"no digest", RecordDecided, zero(16, 48)},
		{"no places", RecordDecided, zero(48, 50)},
		{"a place too many", RecordDecided, set(49, 3)},
		{"a place missing", RecordDecided, set(49, 1)},
		{"a bundle nowhere", RecordDecided, zero(62, 66)},
		{"sequence 0", RecordStable, zero(0, 8)},
		{"no digest", RecordStable, zero(8, 40)},
		{"no bundles", RecordStable, zero(40, 42)},
		{"a bundle too many", RecordStable, set(41, 3)},
		{"a bundle missing", RecordStable, set(41, 1)},
		{"65535 bundles", RecordStable, func(b []byte) { b[40], b[41] = 0xff, 0xff }},
		{"a vote of no kind", RecordStable, zero(56, 57)},
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
