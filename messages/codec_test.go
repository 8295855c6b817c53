package messages

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func reasonOf(err error) FrameReason {
	var e *FrameError
	if errors.As(err, &e) {
		return e.Reason
	}
	return 0
}

func encodeFrame(t testing.TB, m Message) []byte {
	t.Helper()
	b, err := EncodeFrame(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFrameRoundTrip: every kind comes back equal, small and at its largest legal
// size, which fits a frame; size bounds the bytes, so that there is one
// allocation.
func TestFrameRoundTrip(t *testing.T) {
	for name, messages := range map[string]map[FrameKind]Message{"small": small(t), "largest": largest(t)} {
		for _, kind := range FrameKinds() {
			t.Run(name+"/"+kind.String(), func(t *testing.T) {
				m := messages[kind]
				if m == nil || m.FrameKind() != kind {
					t.Fatalf("no example of %v", kind)
				}
				b := encodeFrame(t, m)
				if len(b) > FrameBytesMax {
					t.Fatalf("%d bytes do not fit a frame", len(b))
				}
				if bound := frameHeaderBytesMax + m.size(); len(b) > bound {
					t.Errorf("%d bytes exceed the bound of %d", len(b), bound)
				}
				got, err := DecodeFrame(b)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, m) {
					t.Errorf("got  %+v\nwant %+v", got, m)
				}
			})
		}
	}
}

// TestNullBatchDecided: the null batch is decided without a body.
func TestNullBatchDecided(t *testing.T) {
	m := &Decided{View: 1, Seq: 2, Digest: NullDigest, Certificate: bundlesOf(1, 1, 3)}
	got, err := DecodeFrame(encodeFrame(t, m))
	if err != nil {
		t.Fatal(err)
	}
	if d := got.(*Decided); d.Digest != NullDigest || len(d.Body) != 0 {
		t.Errorf("got %+v", d)
	}
}

// TestFrameGolden freezes the frames of small: replicas of different builds meet
// on the wire. Each is given by its SHA-256, and two in full.
func TestFrameGolden(t *testing.T) {
	golden := map[FrameKind]string{
		FrameHello:            "dd58e209e29921fcaf2ad6b8046b7ce6ead743664b7c7b4c75d350b9b3ef3781",
		FrameRefusal:          "7620025f0882093b148179327c21992921745a8d44c1df89fe0a1ed31d1631ea",
		FrameStatus:           "c9ee6a65df9f4ba2828e37d7947139d6a729505d432f29f85b4b865fbcdc55bd",
		FrameBundles:          "6159b12c9cfeab545b6af123e5ba96a73b0ce6f32b6eab8ba0e54f2fc89b1f84",
		FrameBatchBody:        "1f1b8d0a755761acac38fe39cd11b86b1c51b36b58d381b3aabec17d3b31fcc4",
		FrameForward:          "b84d750041d483cb4f6b635dd9b1326377687ea6e462f6d833260e6b7f40c62f",
		FrameFetchBatch:       "40c47cd07a97979c40863df0cdeef90d701b4ece9abf1bacae04f6c0077f2ae4",
		FrameFetchDecided:     "0690899ed6e65837bb0c82c334fdde672f7b0c16a0a64723360e85ca4a3a1bb3",
		FrameDecided:          "663f93dd2e08b25a7e34242f7e19dc3e6a434e4797729e40de587121ca0e9529",
		FrameStableCheckpoint: "0a63f17fb17a1f8f78487f05044937fefdc4049773ff4f9013eaacd758e8f2eb",
		FrameViewChange:       "a74c1bbbba9840fe70c233f306e586f8c908ff64781bb59849b1c9bf0bb1c887",
		FrameNewView:          "50494ca2c0d055fa25d7ef69772ab19248bba8a17721d765bfdc333a894dde03",
		FrameFetchViewChange:  "387888058fcf5816e8918612e62969b75c65c27b8e1a45d220e70af4b51f89a0",
		FrameFetchPrepared:    "4ab1fe28a386b4c3293e5eddf6a5178c3c1a28cc98c51ea2bb1fe9ab80af5061",
		FramePrepared:         "c506e2592d8e1910fcdaeb8048f5d1ebff202db453c431328be1bf7e4d5f0cc2",
		FrameRecall:           "3e42e745a024dfd853de5e9df06ec442d36a5aa17c42530cb0baadf6d8f24c11",
		FrameRecalled:         "2b3f055d850dab1d0d74890192fa22d6eccc3e7fe666083636c310a8100c2fd6",
		FrameEvidence:         "072a2f74255515388e7d32d38f342c6b7a9318b7f2f652df4f6e0b1edef10e2b",
		FrameFetchManifest:    "eac61626c389235bc38009dcda2a10825e3b66efaed7b9ed7a8c5f691926f43f",
		FrameManifest:         "bfc0a6ac7db626741811b6a2bef87d000174dbd2ec8f49d29023e4fbd3ed509e",
		FrameFetchChunk:       "d27a2b1b530208e3a44366eded02f4d8a204fa3c40185d2cbf0ad2015bbd63de",
		FrameChunk:            "5feac0b77b9fa383ea9c886fff965340a33198e6e04f177bc369b0fd43fcefc2",
		FrameRetained:         "0461be641cc30f2c108dd01667b9e54bde7e43c8068a3bf738d3ddbb85acb250",
		FrameInvalidNewView:   "f2f1b8d8a0f7bf602e902f45e2e92edd4c91bf6187478fffabc115689611c035",
	}
	full := map[FrameKind]string{
		FrameHello:  "950101c420cf7605ed1bc735f6c825554154627467e1cac9df54cee8699218ed434603c568c41002000000000000000000000000000000ab7265706c69636120312e30",
		FrameStatus: "9d010305c30502cc80c420cf7605ed1bc735f6c825554154627467e1cac9df54cee8699218ed434603c568cc82c42065d27a48dfef406db8f5f437423bfa5f9c83d77bfc12f8a14b8ce3ede5892fb5069192cd0100039295cc83cff31b2b6ef48dff58c3070195cc8500c20000",
	}
	messages := small(t)
	for _, kind := range FrameKinds() {
		b := encodeFrame(t, messages[kind])
		if got := Digest(sha256.Sum256(b)).Hex(); got != golden[kind] {
			t.Errorf("the frame of %v is %x\nwith hash %s, not %s", kind, b, got, golden[kind])
		}
		if want, ok := full[kind]; ok && hex.EncodeToString(b) != want {
			t.Errorf("the frame of %v is\n%x, not\n%s", kind, b, want)
		}
	}
}

// TestFrameTrailing: nothing may follow a frame, or one message has many frames
// and a peer can hide bytes in them. [W4]
func TestFrameTrailing(t *testing.T) {
	for kind, m := range small(t) {
		b := encodeFrame(t, m)
		for _, more := range [][]byte{{0}, {0xc0}, {0x90}, b} {
			if _, err := DecodeFrame(append(bytes.Clone(b), more...)); reasonOf(err) != Malformed {
				t.Errorf("%v followed by %x: %v", kind, more[:1], err)
			}
		}
	}
}

func TestFrameTruncated(t *testing.T) {
	for kind, m := range small(t) {
		b := encodeFrame(t, m)
		for n := range b {
			if _, err := DecodeFrame(b[:n]); reasonOf(err) != Malformed {
				t.Fatalf("the first %d of %d bytes of %v: %v", n, len(b), kind, err)
			}
		}
	}
}

// TestFrameOneEncoding rewrites a frame in other ways msgpack has for the same or
// a similar value. [W5]
func TestFrameOneEncoding(t *testing.T) {
	fetch := encodeFrame(t, &FetchDecided{From: 3, To: 4}) // 94 01 08 03 04
	if !bytes.Equal(fetch, []byte{0x94, 1, byte(FrameFetchDecided), 3, 4}) {
		t.Fatalf("the frame to rewrite is %x", fetch)
	}
	hello := encodeFrame(t, &Hello{Genesis: numbered(1), Instance: [16]byte{2}, Software: "s"})
	status := encodeFrame(t, &Status{Active: true})
	bundles := encodeFrame(t, &Bundles{Bundles: []*Bundle{{Votes: bundleOf(0, 1, 1).Votes, Signature: []byte{7}}}})
	slot := encodeFrame(t, &Status{Active: true, Slots: []SlotHeld{{Seq: 1}}})
	tests := []struct {
		name      string
		frame     []byte
		from, to  string
		wantError string
	}{
		{"version as uint8", fetch, "940108", "94cc0108", "longer form"},
		{"kind as uint8", fetch, "940108", "9401cc08", "longer form"},
		{"array16", fetch, "94", "dc0004", "longer form"},
		{"array32", fetch, "94", "dd00000004", "longer form"},
		{"map", fetch, "94", "82", "an array does not begin with 0x82"},
		{"a value missing", fetch, "94010803", "930108", "has 4 values, not 3"},
		{"an announced value missing", fetch, "94", "95", "has 4 values, not 5"},
		{"uint8", fetch, "0304", "cc0304", "longer form"},
		{"uint16", fetch, "0304", "cd000304", "longer form"},
		{"uint32", fetch, "0304", "ce0000000304", "longer form"},
		{"uint64", fetch, "0304", "cf000000000000000304", "longer form"},
		{"int8", fetch, "0304", "d00304", "begin with 0xd0"},
		{"int64", fetch, "0304", "d3000000000000000304", "begin with 0xd3"},
		{"a large int64", fetch, "0304", "03d37fffffffffffffff", "begin with 0xd3"},
		{"-1", fetch, "0304", "03ff", "begin with 0xff"},
		{"nil for a number", fetch, "0304", "03c0", "begin with 0xc0"},
		{"a float", fetch, "0304", "ca4040000004", "begin with 0xca"},
		{"truth for a number", fetch, "0304", "c304", "begin with 0xc3"},
		{"bin16 for a digest", hello, "9501" + "01c420", "950101c50020", "longer form"},
		{"bin32 for a digest", hello, "9501" + "01c420", "950101c600000020", "longer form"},
		{"str8 for a digest", hello, "9501" + "01c420", "950101d920", "begin with 0xd9"},
		{"a digest of 31 bytes", hello, "9501" + "01c420" + numbered(1).Hex(), "950101c41f" + numbered(1).Hex()[2:], "32 bytes, not 31"},
		{"a digest of 33 bytes", hello, "9501" + "01c420", "950101c42100", "at most 32 bytes, not 33"},
		{"nil for a digest", hello, "9501" + "01c420" + numbered(1).Hex(), "950101c0", "begin with 0xc0"},
		{"bin for a string", hello, "a173", "c40173", "begin with 0xc4"},
		{"str8 for a string", hello, "a173", "d90173", "longer form"},
		{"str16 for a string", hello, "a173", "da000173", "longer form"},
		{"nil for a string", hello, "a173", "c0", "begin with 0xc0"},
		{"an interned string", hello, "a173", "d48000", "begin with 0xd4"},
		{"a number for truth", status, "9d010300c3", "9d01030001", "begin with 0x1"},
		{"nil for truth", status, "9d010300c3", "9d010300c0", "begin with 0xc0"},
		{"suspicion of more than a byte", status, "9d010300c30000", "9d010300c300cd0100", "at most 255, not 256"},
		{"array16 for a list", status, "009090", "0090dc0000", "longer form"},
		{"nil for a list", status, "009090", "0090c0", "begin with 0xc0"},
		{"a bundle of five values", bundles, "91940000", "91950000", "4 values, not 5"},
		{"a slot of six values", slot, "919501", "919601", "5 values, not 6"},
		{"half a vote", bundles, "c431", "c432", "no whole number of votes"},
		{"a member of more than 16 bits", bundles, "940000", "9400ce00010000", "at most 65535, not 65536"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			original := hex.EncodeToString(test.frame)
			if strings.Count(original, test.from) != 1 {
				t.Fatalf("%s holds %s not once", original, test.from)
			}
			b, err := hex.DecodeString(strings.Replace(original, test.from, test.to, 1))
			if err != nil {
				t.Fatal(err)
			}
			_, err = DecodeFrame(b)
			if reasonOf(err) != Malformed || !strings.Contains(err.Error(), test.wantError) {
				t.Errorf("%x: %v, want %q", b, err, test.wantError)
			}
		})
	}
}

// TestFrameReasons: callers tell a newer peer, a broken one and a lying one apart.
// Only the version is looked at in a frame of another. [W11]
func TestFrameReasons(t *testing.T) {
	large := append([]byte{0x92, WireVersion, byte(FrameHello)}, make([]byte, FrameBytesMax)...)
	newer := bytes.Clone(large)
	newer[1] = WireVersion + 1
	tests := []struct {
		name  string
		frame string
		want  FrameReason
	}{
		{"nothing", "", Malformed},
		{"no array", "\x01", Malformed},
		{"an empty array", "\x90\x02", Malformed},
		{"a version alone", "\x91\x01", Malformed},
		{"an unknown version alone", "\x91\x02", Malformed},
		{"version 0", "\x92\x00\x01", UnknownVersion},
		{"the next version", "\x92\x02\x01", UnknownVersion},
		{"the last version", "\x92\xcf\xff\xff\xff\xff\xff\xff\xff\xff", UnknownVersion},
		{"the next version, fields of its own", "\x9f\x02\xc0\xc1\x80", UnknownVersion},
		{"the next version, larger than a frame", string(newer), UnknownVersion},
		{"a negative version", "\x92\xff\x01", Malformed},
		{"kind 0", "\x92\x01\x00", UnknownKind},
		{"a kind nobody has given", "\x92\x01\x19", UnknownKind},
		{"a kind above a byte, of a known one modulo 256", "\x94\x01\xcd\x01\x08\x03\x04", UnknownKind},
		{"a negative kind", "\x94\x01\xff\x03\x04", Malformed},
		{"larger than a frame", string(large), TooLarge},
		{"to before from", "\x94\x01\x08\x04\x03", Invalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := DecodeFrame([]byte(test.frame))
			if got := reasonOf(err); got != test.want {
				t.Errorf("%v (%v), want %v", got, err, test.want)
			}
			if m != nil {
				t.Errorf("a message beside an error: %+v", m)
			}
		})
	}
	for _, r := range FrameReasons {
		if s := r.String(); strings.HasPrefix(s, "reason(") {
			t.Errorf("reason %d has no name", r)
		}
	}
}

// TestFrameKinds: the table is searched by kind, its numbers are frozen, and each
// entry makes a message of its kind.
func TestFrameKinds(t *testing.T) {
	want := []FrameKind{
		FrameHello, FrameRefusal, FrameStatus, FrameBundles, FrameBatchBody,
		FrameForward, FrameFetchBatch, FrameFetchDecided, FrameDecided, FrameStableCheckpoint,
		FrameViewChange, FrameNewView, FrameFetchViewChange, FrameFetchPrepared, FramePrepared,
		FrameFetchManifest, FrameManifest, FrameFetchChunk, FrameChunk,
		FrameEvidence, FrameInvalidNewView, FrameRecall, FrameRecalled, FrameRetained,
	}
	if got := FrameKinds(); !reflect.DeepEqual(got, want) {
		t.Fatalf("kinds %v", got)
	}
	for i, k := range want {
		if int(k) != i+1 {
			t.Errorf("%v has number %d, not %d", k, k, i+1)
		}
		if f, ok := formOf(k); !ok || f.kind != k || f.make().FrameKind() != k {
			t.Errorf("the form of %v is of another kind", k)
		}
	}
	if got := FrameKind(99).String(); got != "frame(99)" {
		t.Errorf("a kind without a name prints %q", got)
	}
}

// TestPeekFrameKind: what is read without decoding is what decoding would find.
func TestPeekFrameKind(t *testing.T) {
	for kind, m := range small(t) {
		b := encodeFrame(t, m)
		if got, ok := PeekFrameKind(b); !ok || got != kind {
			t.Errorf("a frame of %v begins like one of %v (%t)", kind, got, ok)
		}
		for n := range 3 {
			if _, ok := PeekFrameKind(b[:n]); ok {
				t.Errorf("%d bytes have a kind", n)
			}
		}
	}
	for _, b := range []string{"\x92\x02\x06", "\x83\x01\x06", "\xdc\x00\x03\x01\x06", "\x93\x01\xcc\x06"} {
		if kind, ok := PeekFrameKind([]byte(b)); ok {
			t.Errorf("%x is taken for %v", b, kind)
		}
	}
}

// oversized is a message whose Validate forgot a bound.
type oversized struct{ Message }

func (oversized) Validate() error { return nil }

// TestEncodeFrameTooLarge: what a peer would cut the channel for is an error at
// the sender. [W10]
func TestEncodeFrameTooLarge(t *testing.T) {
	m := oversized{&BatchBody{Body: make([]byte, FrameBytesMax)}}
	if _, err := EncodeFrame(m); reasonOf(err) != TooLarge {
		t.Errorf("%v", err)
	}
	if _, err := EncodeFrame(nil); reasonOf(err) != Invalid {
		t.Errorf("no message: %v", err)
	}
}

// allocated is how many bytes run allocates, at least.
func allocated(run func()) uint64 {
	least := uint64(math.MaxUint64)
	for range 3 { // the runtime allocates beside us
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

// What decoding may allocate for a byte it is given, and beside that for its
// error. The dearest element is a Status's slot: 40 bytes in memory, 6 in a frame.
const (
	allocatedPerByte = 8
	allocatedBeside  = 64 << 10
)

// TestFrameBombs: lengths that no bytes follow, and nesting as deep as a frame
// can hold, cost nothing. A library's Unmarshal dies of the first. [W1 W2]
func TestFrameBombs(t *testing.T) {
	hello := encodeFrame(t, small(t)[FrameHello])
	tests := map[string]string{
		"array32 alone":                      "\xdd\xff\xff\xff\xff",
		"array32 of a frame":                 "\xdd\xff\xff\xff\xff\x01\x04",
		"array32 of bundles":                 "\x93\x01\x04\xdd\xff\xff\xff\xff",
		"array32 of bundles, 40 million":     "\x93\x01\x04\xdd\x02\x62\x5a\x00",
		"as many bundles as allowed":         "\x93\x01\x04\xdc\x00\x40",
		"array32 of a bundle":                "\x93\x01\x04\x91\xdd\xff\xff\xff\xff" + strings.Repeat("\x00", 60),
		"bin32 of votes":                     "\x93\x01\x04\x91\x94\x00\x00\xc6\xff\xff\xff\xff" + strings.Repeat("\x00", 60),
		"bin32 of a body":                    "\x93\x01\x05\xc6\xff\xff\xff\xff",
		"bin32 of a body as large as can be": "\x93\x01\x05\xc6\x00\x08\x00\x00",
		"str32 of a name":                    string(hello[:len(hello)-12]) + "\xdb\xff\xff\xff\xff",
		"array32 of digests":                 "\x93\x01\x07\xdd\xff\xff\xff\xff",
		"array32 of slots":                   "\x9d\x01\x03\x00\xc3\x00\x00\x00\xc4\x20" + strings.Repeat("\x00", 32) + "\x00\xc4\x20" + strings.Repeat("\x00", 32) + "\x00\x90\xdd\xff\xff\xff\xff",
		"as many slots as allowed":           "\x9d\x01\x03\x00\xc3\x00\x00\x00\xc4\x20" + strings.Repeat("\x00", 32) + "\x00\xc4\x20" + strings.Repeat("\x00", 32) + "\x00\x90\xdc\x04\x00",
		"bin32 of a view-change":             "\x95\x01\x0b\x94\x00\x00\xc4\x31" + strings.Repeat("\x00", 49) + "\xc4\x01\x00\xc6\xff\xff\xff\xff",
		"claims that do not follow":          "\x95\x01\x0b\x94\x00\x00\xc4\x31" + strings.Repeat("\x00", 49) + "\xc4\x01\x00\xc4\x34" + strings.Repeat("\x00", 48) + "\x04\x00\x10\x00\x90",
		"a list that does not follow":        "\x95\x01\x0c\x94\x00\x00\xc4\x31" + strings.Repeat("\x00", 49) + "\xc4\x01\x00\xc4\x36" + strings.Repeat("\x00", 48) + "\x00\x40\x04\x00\x04\x00\x90",
		"array32 of evidence":                "\x99\x01\x14\x00\x02\x00\x01" + strings.Repeat("\xc4\x20"+strings.Repeat("\x00", 32), 2) + "\xdd\xff\xff\xff\xff",
		"array32 of buckets":                 "\x99\x01\x11\x01\xc4\x20" + strings.Repeat("\x01", 32) + "\x01\xc4\x20" + strings.Repeat("\x01", 32) + "\xdd\xff\xff\xff\xff",
		"bin32 of hashes":                    "\x99\x01\x11\x01\xc4\x20" + strings.Repeat("\x01", 32) + "\x01\xc4\x20" + strings.Repeat("\x01", 32) + "\x91\x92\x00\xc6\x00\x07\x00\x00" + strings.Repeat("\x00", 36),
		"as many parts as allowed":           "\x95\x01\x13\xc4\x20" + strings.Repeat("\x01", 32) + "\x00\xdc\x01\x00",
		"proofs within proofs":               nestedProofs(FrameBytesMax),
		"nested arrays":                      strings.Repeat("\x91", 4<<20),
		"nested arrays for bundles":          "\x93\x01\x04" + strings.Repeat("\x91", FrameBytesMax-3),
		"nested maps for a name":             string(hello[:len(hello)-12]) + strings.Repeat("\x81", FrameBytesMax-200),
		"nested arrays of a newer version":   "\x92\x02" + strings.Repeat("\x91", 4<<20),
	}
	for name, bomb := range tests {
		t.Run(name, func(t *testing.T) {
			b := []byte(bomb)
			var err error
			got := allocated(func() { _, err = DecodeFrame(b) })
			if r := reasonOf(err); r != Malformed && r != UnknownVersion {
				t.Errorf("%v", err)
			}
			if got > 4<<10 { // a message without its lists, and an error
				t.Errorf("%d bytes were allocated for %d", got, len(b))
			}
		})
	}
}

// nestedProofs are proofs of invalid NewViews, each of which holds one.
func nestedProofs(size int) string {
	const head = 3 + 5 + 4 // array, version, kind; bin32; the length of the frame
	var b []byte
	for left := size; left > head; left -= head {
		b = append(b, 0x93, WireVersion, byte(FrameInvalidNewView), 0xc6)
		b = binary.BigEndian.AppendUint32(b, uint32(left-8))
		b = binary.BigEndian.AppendUint32(b, uint32(left-12))
	}
	return string(b)
}

// TestFrameAllocations: a frame of votes costs the frame when sent; when received
// the message, and for each bundle itself and its votes. Signatures and bodies
// are not copied.
func TestFrameAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	m := largest(t)[FrameDecided]
	b := encodeFrame(t, m)
	if n := testing.AllocsPerRun(20, func() {
		if _, err := EncodeFrame(m); err != nil {
			t.Fatal(err)
		}
	}); n > 1 {
		t.Errorf("encoding takes %v allocations", n)
	}
	want := float64(1 + 1 + 2*CertificateBundlesMax)
	if n := testing.AllocsPerRun(20, func() {
		if _, err := DecodeFrame(b); err != nil {
			t.Fatal(err)
		}
	}); n > want {
		t.Errorf("decoding takes %v allocations, not %v", n, want)
	}
	got, err := DecodeFrame(b)
	if err != nil {
		t.Fatal(err)
	}
	body := got.(*Decided).Body
	if &body[0] != &b[len(b)-len(body)] {
		t.Error("the body was copied out of the frame")
	}
	if cap(body) != len(body) {
		t.Error("appending to a body would write beyond it")
	}
}

// FuzzDecodeFrame: no input panics or makes the decoder allocate out of
// proportion; what is accepted is the one frame of its message, and a legal one.
func FuzzDecodeFrame(f *testing.F) {
	for _, m := range small(f) {
		f.Add(encodeFrame(f, m))
	}
	f.Add([]byte("\xdd\xff\xff\xff\xff"))
	f.Add(bytes.Repeat([]byte{0x91}, 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		var err error
		got := allocated(func() { m, err = DecodeFrame(b) })
		if limit := uint64(allocatedPerByte*len(b) + allocatedBeside); got > limit {
			t.Fatalf("%d bytes were allocated for %d", got, len(b))
		}
		if err != nil {
			if reasonOf(err) == 0 {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		again, err := EncodeFrame(m)
		if err != nil {
			t.Fatalf("decoded, but not encoded: %v", err)
		}
		if !bytes.Equal(again, b) {
			t.Fatalf("two frames of one message\n%x\n%x", b, again)
		}
		twice, err := DecodeFrame(again)
		if err != nil || !reflect.DeepEqual(twice, m) {
			t.Fatalf("decoded again it is another message: %v\n%+v\n%+v", err, m, twice)
		}
	})
}
