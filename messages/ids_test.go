package messages

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestMemberIDGolden freezes the fingerprint of a key: it is in key files and
// in what operators compare.
func TestMemberIDGolden(t *testing.T) {
	const want = "fcc83ee0f39a58d1508b8efeb15717736017834e8c0696e315b4ae1525d25a18"
	id := NewMemberID("ml-dsa-87", []byte("public key"))
	if id.Hex() != want {
		t.Errorf("fingerprint %s, want %s", id.Hex(), want)
	}
	if id.String() != want[:8] {
		t.Errorf("printed as %s, want the first eight digits", id)
	}
	if text, err := id.MarshalText(); err != nil || string(text) != want {
		t.Errorf("as text %s (%v), want %s", text, err, want)
	}
}

// TestMemberIDBindsTheScheme: the same bytes are another key of another scheme,
// also where the boundary between the two shifts.
func TestMemberIDBindsTheScheme(t *testing.T) {
	seen := map[MemberID]string{}
	for _, k := range [][2]string{{"ml-dsa-87", "key"}, {"ml-dsa-65", "key"}, {"ml-dsa-8", "7key"}, {"ml-dsa-87k", "ey"}, {"", "ml-dsa-87key"}} {
		id := NewMemberID(k[0], []byte(k[1]))
		if other, ok := seen[id]; ok {
			t.Errorf("%q has the fingerprint of %q", k, other)
		}
		seen[id] = k[0] + "/" + k[1]
	}
}

func TestNullDigestGolden(t *testing.T) {
	const want = "28cad6d839b631fd47d6604833efc1f7d9b09f1d1f3223a393d043e17992e8d2"
	if NullDigest.Hex() != want {
		t.Errorf("the null digest is %s, want %s", NullDigest.Hex(), want)
	}
}

func TestDigestText(t *testing.T) {
	d := numbered(1)
	text, err := json.Marshal(map[string]Digest{"d": d})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"d":"` + d.Hex() + `"}`; string(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
	var back map[string]Digest
	if err := json.Unmarshal(text, &back); err != nil || back["d"] != d {
		t.Errorf("read back as %s (%v), want %s", back["d"].Hex(), err, d.Hex())
	}
	if d.String() != d.Hex()[:8] {
		t.Errorf("printed as %s, want the first eight digits of %s", d, d.Hex())
	}
	if d.IsZero() || !(Digest{}).IsZero() {
		t.Error("the zero digest is the one that is absent")
	}
	for _, bad := range []string{"", "00", d.Hex()[:63], d.Hex() + "0", d.Hex() + "00", strings.Repeat("g", 64)} {
		got := d
		if err := got.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was read as %s", bad, got.Hex())
		}
	}
}

// TestHashesPrint short where a text is asked for, and whole in hexadecimal, alone and
// within others.
func TestHashesPrint(t *testing.T) {
	d := Digest{0xab, 1, 2, 3, 4, 31: 0xff}
	for _, hash := range []any{d, &d, MemberID(d)} {
		for format, want := range map[string]string{
			"%v": "ab010203", "%+v": "ab010203", "%s": "ab010203", "%q": `"ab010203"`, "%10s|": "  ab010203|", "%-10v|": "ab010203  |",
			"%x": d.Hex(), "%X": strings.ToUpper(d.Hex()), "%#x": "0x" + d.Hex(),
		} {
			if got := fmt.Sprintf(format, hash); got != want {
				t.Errorf("%T with %s is %q, want %q", hash, format, got, want)
			}
		}
		if got := fmt.Sprint(hash); got != "ab010203" {
			t.Errorf("%T is printed as %q", hash, got)
		}
	}
	if got, want := fmt.Sprintf("%v %x", []Digest{d}, struct{ D Digest }{d}), "[ab010203] {"+d.Hex()+"}"; got != want {
		t.Errorf("within others: %q, want %q", got, want)
	}
	if got := fmt.Sprintf("%#v", d); !strings.Contains(got, "0xab, 0x1, 0x2") {
		t.Errorf("as Go: %s", got)
	}
}
