package messages

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
)

// goldenGenesis is the genesis whose hash is frozen.
func goldenGenesis() *Genesis {
	g := &Genesis{
		ChainID: "golden",
		Scheme:  "ml-dsa-87",
		Params: Params{
			CheckpointInterval: 128,
			SnapshotInterval:   1024,
			Window:             256,
			BatchVertices:      1024,
			BatchBytes:         512 << 10,
			NonceWindow:        4096,
		},
	}
	for i := range 4 {
		g.Members = append(g.Members, Member{
			Name:             fmt.Sprintf("replica-%d", i),
			PublicKey:        fmt.Appendf(nil, "public key %d", i),
			ChannelKey:       bytes.Repeat([]byte{byte(i)}, ChannelKeyBytes),
			ChannelSignature: []byte("signature"),
		})
	}
	return g
}

// TestGenesisHashGolden freezes the hash: it is in everything that is signed.
func TestGenesisHashGolden(t *testing.T) {
	const want = "b19f56a676db6aad67319b88fce5a38fb321a55ab15fc0ba6872ff10a39a0b55"
	if got := goldenGenesis().Hash().Hex(); got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

func TestChannelBindingGolden(t *testing.T) {
	want := hex.EncodeToString([]byte("cretoai-consensus/v1/channel\x00")) +
		"00000006" + hex.EncodeToString([]byte("golden")) +
		"00000009" + hex.EncodeToString([]byte("replica-0")) +
		"0000000c" + hex.EncodeToString([]byte("public key 0")) +
		"00000020" + strings.Repeat("00", 32)
	g := goldenGenesis()
	m := g.Members[0]
	if got := hex.EncodeToString(ChannelBinding(g.ChainID, m.Name, m.PublicKey, m.ChannelKey)); got != want {
		t.Errorf("binding\n%s, want\n%s", got, want)
	}
}

// TestGenesisHashBindsEveryField changes every field in turn.
func TestGenesisHashBindsEveryField(t *testing.T) {
	golden := goldenGenesis().Hash()
	seen := map[Digest]string{golden: "golden"}
	for _, test := range []struct {
		name   string
		change func(*Genesis)
	}{
		{"chain id", func(g *Genesis) { g.ChainID = "other" }},
		{"scheme", func(g *Genesis) { g.Scheme = "ml-dsa-65" }},
		{"boundary of chain id and scheme", func(g *Genesis) { g.ChainID, g.Scheme = "goldenm", "l-dsa-87" }},
		{"checkpoint interval", func(g *Genesis) { g.Params.CheckpointInterval++ }},
		{"snapshot interval", func(g *Genesis) { g.Params.SnapshotInterval++ }},
		{"window", func(g *Genesis) { g.Params.Window++ }},
		{"batch vertices", func(g *Genesis) { g.Params.BatchVertices-- }},
		{"batch bytes", func(g *Genesis) { g.Params.BatchBytes-- }},
		{"nonce window", func(g *Genesis) { g.Params.NonceWindow++ }},
		{"vertex signatures", func(g *Genesis) { g.Params.RequireVertexSignatures = true }},
		{"optimistic mode", func(g *Genesis) { g.Params.OptimisticMode = true }},
		{"both modes", func(g *Genesis) { g.Params.RequireVertexSignatures, g.Params.OptimisticMode = true, true }},
		{"name", func(g *Genesis) { g.Members[3].Name = "x" }},
		{"public key", func(g *Genesis) { g.Members[3].PublicKey[0]++ }},
		{"channel key", func(g *Genesis) { g.Members[3].ChannelKey[0]++ }},
		{"boundary of name and key", func(g *Genesis) {
			g.Members[0].Name, g.Members[0].PublicKey = "replica-0p", []byte("ublic key 0")
		}},
		{"order", func(g *Genesis) { g.Members[0], g.Members[1] = g.Members[1], g.Members[0] }},
		{"a member less", func(g *Genesis) { g.Members = g.Members[:3] }},
	} {
		g := goldenGenesis()
		test.change(g)
		if was, ok := seen[g.Hash()]; ok {
			t.Errorf("%s: the hash is that of %s", test.name, was)
		}
		seen[g.Hash()] = test.name
	}
	for kind, known := range map[reflect.Type]int{
		reflect.TypeFor[Genesis](): 4, reflect.TypeFor[Params](): 8, reflect.TypeFor[Member](): 4,
	} {
		if kind.NumField() != known {
			t.Errorf("%v has %d fields; add the new one to Hash and to this test", kind, kind.NumField())
		}
	}
	g := goldenGenesis()
	g.Members[0].ChannelSignature = []byte("hedged: another each time")
	if g.Hash() != golden {
		t.Error("the hash covers a signature")
	}
}

func TestGenesisRoundTrip(t *testing.T) {
	want := goldenGenesis()
	data := want.Encode()
	got, err := ParseGenesis(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read back as %+v, want %+v", got, want)
	}
	if !bytes.Equal(got.Encode(), data) || data[len(data)-1] != '\n' {
		t.Errorf("written again as %s, want %s", got.Encode(), data)
	}
	for _, part := range []string{`"chain_id": "golden"`, `"signature_algorithm": "ml-dsa-87"`, `"name": "replica-0"`} {
		if !strings.Contains(string(data), part) {
			t.Errorf("%s does not hold %s", data, part)
		}
	}
	if err := (&Genesis{ChainID: "x", Scheme: "x", Params: DefaultParams(), Members: want.Members}).Validate(); err != nil {
		t.Errorf("default parameters: %v", err)
	}
}

func TestGenesisMembers(t *testing.T) {
	g := goldenGenesis()
	if g.N() != 4 {
		t.Errorf("n is %d, not 4", g.N())
	}
	for i := range Index(4) {
		if got, ok := g.IndexOf(g.MemberID(i)); !ok || got != i {
			t.Errorf("member %d is found as %d (%v)", i, got, ok)
		}
	}
	if i, ok := g.IndexOf(NewMemberID("ml-dsa-65", g.Members[1].PublicKey)); ok {
		t.Errorf("a key of another scheme is found as member %d", i)
	}
}

// TestParseGenesisRefuses changes the text of a file.
func TestParseGenesisRefuses(t *testing.T) {
	text := string(goldenGenesis().Encode())
	replace := func(old, with string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("the file does not hold %s", old)
		}
		return strings.Replace(text, old, with, 1)
	}
	for _, test := range []struct{ name, text, want string }{
		{"golden", text, ""},
		{"blank space around it", " \n" + text + "\t\n", ""},
		{"empty", "", "at byte 0"},
		{"no JSON", "chain_id = 'golden'", "at byte"},
		{"an array", "[]", "cannot unmarshal array"},
		{"null", "null", "chain_id"},
		{"cut short", text[:len(text)/2], "unexpected EOF"},
		{"something behind it", text + "{}", "something follows the closing brace"},
		{"a stray brace behind it", text + "}", "at byte"},
		{"an unknown field", replace(`"chain_id"`, `"chain_ids"`), `unknown field "chain_ids"`},
		{"an unknown parameter", replace(`"window"`, `"windows"`), `unknown field "windows"`},
		{"a field twice", replace(`"chain_id"`, `"chain_id": "x", "chain_id"`), `field "chain_id" appears twice`},
		{"a member's field twice", replace(`"name"`, `"name": "x", "name"`), `field "name" appears twice`},
		{"a field in another spelling", replace(`"chain_id"`, `"Chain_ID"`), `field "Chain_ID": names of fields have lower-case`},
		{"a field in two spellings", replace(`"chain_id"`, `"CHAIN_ID": "x", "chain_id"`), "lower-case"},
		{"a field folded to ASCII", replace(`"params"`, `"param`+"\u017f"+`"`), "lower-case"}, // ſ folds to s
		{"a number for a text", replace(`"golden"`, `7`), "cannot unmarshal number"},
		{"a text for a number", replace(`"window": 256`, `"window": "256"`), "cannot unmarshal string"},
		{"a fraction", replace(`"window": 256`, `"window": 256.5`), "cannot unmarshal number 256.5"},
		{"a negative number", replace(`"window": 256`, `"window": -256`), "cannot unmarshal number -256"},
		{"a number too large", replace(`"batch_vertices": 1024`, `"batch_vertices": 4294967297`), "cannot unmarshal number 4294967297"},
		{"no base64", replace(`"public_key": "`, `"public_key": "?`), "illegal base64"},
		{"members null", `{"chain_id": "x", "signature_algorithm": "x", "members": null}`, "0 members: 4 to 64 are allowed"},
		{"deep nesting", strings.Repeat("[", 1<<20), "at byte"},
		{"too large", strings.Repeat(" ", GenesisBytesMax+1), "at most 4194304 are read"},
	} {
		_, err := ParseGenesis([]byte(test.text))
		checkRefusal(t, test.name, err, test.want)
		if err != nil && !strings.HasPrefix(err.Error(), "genesis: ") {
			t.Errorf("%s: %v does not say what it is about", test.name, err)
		}
	}
}

// TestGenesisValidate changes one value and wants its name and what is allowed.
func TestGenesisValidate(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Genesis)
		want   string
	}{
		{"golden", func(*Genesis) {}, ""},
		{"longest chain id", func(g *Genesis) { g.ChainID = strings.Repeat("a", 64) }, ""},
		{"no chain id", func(g *Genesis) { g.ChainID = "" }, `chain_id "": 1 to 64`},
		{"chain id too long", func(g *Genesis) { g.ChainID = strings.Repeat("a", 65) }, "1 to 64"},
		{"chain id with capitals", func(g *Genesis) { g.ChainID = "Golden" }, `chain_id "Golden"`},
		{"chain id with a line", func(g *Genesis) { g.ChainID = "a\nb" }, `chain_id "a\nb"`},
		{"no scheme", func(g *Genesis) { g.Scheme = "" }, "signature_algorithm is missing"},
		{"three members", func(g *Genesis) { g.Members = g.Members[:3] }, "3 members: 4 to 64 are allowed"},
		{"most members", func(g *Genesis) { addMembers(g, MembersMax) }, ""},
		{"a member too many", func(g *Genesis) { addMembers(g, MembersMax+1) }, "65 members"},
		{"no name", func(g *Genesis) { g.Members[2].Name = "" }, `member 2: name "": 1 to 32`},
		{"longest name", func(g *Genesis) { g.Members[2].Name = strings.Repeat("z", 32) }, ""},
		{"name too long", func(g *Genesis) { g.Members[2].Name = strings.Repeat("z", 33) }, "member 2: name"},
		{"name with a dot", func(g *Genesis) { g.Members[2].Name = "a.b" }, `member 2: name "a.b"`},
		{"same name", func(g *Genesis) { g.Members[2].Name = "replica-1" }, "members 1 and 2 have the same name"},
		{"no public key", func(g *Genesis) { g.Members[2].PublicKey = nil }, "member 2: public_key has 0 bytes"},
		{"public key too long", func(g *Genesis) { g.Members[2].PublicKey = make([]byte, PublicKeyBytesMax+1) }, "member 2: public_key has 4097 bytes"},
		{"same public key", func(g *Genesis) { g.Members[3].PublicKey = g.Members[0].PublicKey }, "members 0 and 3 have the same public_key"},
		{"channel key too short", func(g *Genesis) { g.Members[2].ChannelKey = make([]byte, 31) }, "member 2: channel_key has 31 bytes, an Ed25519 key has 32"},
		{"same channel key", func(g *Genesis) { g.Members[3].ChannelKey = g.Members[0].ChannelKey }, "members 0 and 3 have the same channel_key"},
		{"no channel signature", func(g *Genesis) { g.Members[2].ChannelSignature = nil }, "member 2: channel_signature has 0 bytes"},
		{"channel signature too long", func(g *Genesis) { g.Members[2].ChannelSignature = make([]byte, SignatureBytesMax+1) }, "channel_signature has 5121 bytes"},
		{"no checkpoints", func(g *Genesis) { g.Params.CheckpointInterval = 0 }, "checkpoint_interval 0: 1 to 512 is allowed"},
		{"shortest interval", func(g *Genesis) { g.Params.CheckpointInterval, g.Params.Window = 1, 2 }, ""},
		{"longest interval", func(g *Genesis) { g.Params.CheckpointInterval, g.Params.Window = 512, 1024 }, ""},
		{"interval too long", func(g *Genesis) { g.Params.CheckpointInterval, g.Params.Window = 513, 1026 }, "checkpoint_interval 513: 1 to 512"},
		{"interval whose double overflows", func(g *Genesis) { g.Params.CheckpointInterval, g.Params.Window = 1<<63, 0 }, "checkpoint_interval 9223372036854775808"},
		{"window of one interval", func(g *Genesis) { g.Params.Window = 128 }, "window 128: it is two checkpoint intervals, 256"},
		{"no snapshots", func(g *Genesis) { g.Params.SnapshotInterval = 0 }, "snapshot_interval 0: a multiple of checkpoint_interval 128"},
		{"snapshots between checkpoints", func(g *Genesis) { g.Params.SnapshotInterval = 192 }, "snapshot_interval 192"},
		{"no vertices", func(g *Genesis) { g.Params.BatchVertices = 0 }, "batch_vertices 0: 1 to 2048"},
		{"too many vertices", func(g *Genesis) { g.Params.BatchVertices = 2049 }, "batch_vertices 2049"},
		{"small batches", func(g *Genesis) { g.Params.BatchBytes = 1024 }, ""},
		{"batches too small", func(g *Genesis) { g.Params.BatchBytes = 1023 }, "batch_bytes 1023: 1024 to 1048576"},
		{"batches too large", func(g *Genesis) { g.Params.BatchBytes = math.MaxUint32 }, "batch_bytes 4294967295"},
		{"no nonces", func(g *Genesis) { g.Params.NonceWindow = 0 }, "nonce_window 0"},
		{"nonces of no whole words", func(g *Genesis) { g.Params.NonceWindow = 100 }, "nonce_window 100: a multiple of 64"},
		{"most nonces", func(g *Genesis) { g.Params.NonceWindow = NonceWindowMax }, ""},
		{"too many nonces", func(g *Genesis) { g.Params.NonceWindow = NonceWindowMax + 64 }, "nonce_window 65600"},
		{"vertex signatures", func(g *Genesis) { g.Params.RequireVertexSignatures = true }, ""},
		{"vertex signatures in small batches", func(g *Genesis) { g.Params.RequireVertexSignatures, g.Params.BatchBytes = true, 8192 }, "batch_bytes 8192: at least 16384"},
	} {
		g := goldenGenesis()
		test.change(g)
		checkRefusal(t, test.name, g.Validate(), test.want)
	}
	g := goldenGenesis()
	g.ChainID, g.Members[1].Name, g.Params.Window = "", "", 0
	err := g.Validate()
	for _, each := range []string{"chain_id", "member 1: name", "window 0"} {
		checkRefusal(t, "several", err, each)
	}
	g.Members = make([]Member, 50_000) // what a file of 4 MiB may hold
	if err := g.Validate(); len(err.Error()) > 64<<10 {
		t.Errorf("the complaints about 50000 bad members have %d bytes", len(err.Error()))
	}
}

// addMembers makes the membership n strong.
func addMembers(g *Genesis, n int) {
	for i := len(g.Members); i < n; i++ {
		key := numbered(i)
		g.Members = append(g.Members, Member{
			Name: fmt.Sprintf("replica-%d", i), PublicKey: key[:], ChannelKey: key[:], ChannelSignature: []byte("signature"),
		})
	}
}

// FuzzParseGenesis: what is accepted means the same when it is written again.
func FuzzParseGenesis(f *testing.F) {
	text := string(goldenGenesis().Encode())
	f.Add([]byte(text))
	f.Add([]byte(strings.Replace(text, `"chain_id"`, `"Chain_Id"`, 1)))
	f.Add([]byte(strings.Replace(text, `256`, `256, "window": 256`, 1)))
	f.Add([]byte(`[{"a":[{}]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := ParseGenesis(data)
		if err != nil {
			return
		}
		if err := g.Validate(); err != nil {
			t.Fatalf("accepted, and not valid: %v", err)
		}
		again, err := ParseGenesis(g.Encode())
		if err != nil {
			t.Fatalf("cannot be read again: %v", err)
		}
		if again.Hash() != g.Hash() || !reflect.DeepEqual(again, g) {
			t.Fatalf("read again as %+v, was %+v", again, g)
		}
	})
}

// TestTheReferenceHasEveryParameter: the page has a row for each parameter, with the
// default that a new chain gets.
func TestTheReferenceHasEveryParameter(t *testing.T) {
	page, err := os.ReadFile("../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	params := reflect.ValueOf(DefaultParams())
	for i := range params.NumField() {
		row := fmt.Sprintf("| `%s` | %v |", params.Type().Field(i).Tag.Get("json"), params.Field(i))
		if !bytes.Contains(page, []byte("\n"+row)) {
			t.Errorf("docs/reference.md lacks %q", row)
		}
	}
}
