package keyfile

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

func generated(t *testing.T) (consensus, channel string) {
	t.Helper()
	folder := t.TempDir()
	consensus, channel = filepath.Join(folder, "consensus.key"), filepath.Join(folder, "channel.key")
	if _, err := GenerateConsensus(consensus, crypto.DefaultScheme, "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := GenerateChannel(channel, "test"); err != nil {
		t.Fatal(err)
	}
	return consensus, channel
}

func TestConsensusKeyRoundTrip(t *testing.T) {
	for _, scheme := range crypto.SchemeNames() {
		path := filepath.Join(t.TempDir(), "consensus.key")
		key, err := GenerateConsensus(path, scheme, "test")
		if err != nil {
			t.Fatal(err)
		}
		again, err := LoadConsensus(path, "test")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Public().Bytes(), key.Public().Bytes()) {
			t.Errorf("%s: another key is read than was made", scheme)
		}
		sig, err := again.Sign(crypto.PurposeBundle, []byte("m"))
		if err != nil || !key.Public().Verify(crypto.PurposeBundle, []byte("m"), sig) {
			t.Errorf("%s: what is signed after loading does not verify (%v)", scheme, err)
		}
		want := Description{PurposeConsensus, scheme, "test", messages.NewMemberID(scheme, key.Public().Bytes())}
		if got, err := Describe(path); err != nil || got != want {
			t.Errorf("%s: described as %+v (%v), want %+v", scheme, got, err, want)
		}
	}
}

// A creator's key is described by the name its vertices bear, and is no member's.
func TestCreatorKeyRoundTrip(t *testing.T) {
	for _, scheme := range crypto.SchemeNames() {
		path := filepath.Join(t.TempDir(), "creator.key")
		key, err := GenerateCreator(path, scheme, "test")
		if err != nil {
			t.Fatal(err)
		}
		again, err := LoadCreator(path, "test")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Public().Bytes(), key.Public().Bytes()) {
			t.Errorf("%s: another key is read than was made", scheme)
		}
		want := Description{PurposeCreator, scheme, "test", messages.NewCreatorID(scheme, key.Public().Bytes())}
		if got, err := Describe(path); err != nil || got != want {
			t.Errorf("%s: described as %+v (%v), want %+v", scheme, got, err, want)
		}
		if _, err := LoadConsensus(path, "test"); err == nil || !strings.Contains(err.Error(), "it holds a creator key where a consensus key is needed") {
			t.Errorf("%s: a creator's key votes: %v", scheme, err)
		}
		if _, err := LoadCreator(path, "other"); err == nil {
			t.Errorf("%s: a key serves another chain", scheme)
		}
		if unused, err := IsUnused(path); unused || err != nil {
			t.Errorf("%s: a creator's key has a word beside it that is for members' (%v)", scheme, err)
		}
	}
}

func TestChannelKeyRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "channel.key")
	key, err := GenerateChannel(path, "test")
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadChannel(path, "test")
	if err != nil {
		t.Fatal(err)
	}
	if !again.Equal(key) {
		t.Error("another key is read than was made")
	}
	want := Description{PurposeChannel, "ed25519", "test", messages.NewMemberID("ed25519", key.Public().(ed25519.PublicKey))}
	if got, err := Describe(path); err != nil || got != want {
		t.Errorf("described as %+v (%v), want %+v", got, err, want)
	}
}

// TestKeysDiffer: each is drawn anew.
func TestKeysDiffer(t *testing.T) {
	seen := map[string]string{}
	for range 2 {
		consensus, channel := generated(t)
		for _, path := range []string{consensus, channel} {
			f, err := read(path)
			if err != nil {
				t.Fatal(err)
			}
			if other, ok := seen[string(f.seed)]; ok {
				t.Errorf("%s has the seed of %s", path, other)
			}
			seen[string(f.seed)] = path
		}
	}
}

// TestFileGolden freezes the format: a file outlives the release that wrote it.
func TestFileGolden(t *testing.T) {
	const want = `cretoai-consensus secret key, version 1
purpose: channel
scheme: ed25519
chain: test
fingerprint: d997ae7a65c9f6a03938550dc86ec203a4b8bf6c0f1f1b399ca26b4ac79cb21d
seed: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
`
	path := filepath.Join(t.TempDir(), "golden.key")
	if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := LoadChannel(path, "test")
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range key.Seed() {
		if int(b) != i {
			t.Fatalf("the seed is read as %x", key.Seed())
		}
	}
	other := filepath.Join(t.TempDir(), "again.key")
	if err := generate(other, PurposeChannel, "ed25519", "test", key.Public().(ed25519.PublicKey), key.Seed()); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(other); err != nil || string(got) != want {
		t.Errorf("written as\n%s(%v), want\n%s", got, err, want)
	}
}

func TestGenerateRefuses(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "x.key")
	if _, err := GenerateConsensus(path, "rsa", "test"); err == nil || !strings.Contains(err.Error(), "known are ml-dsa-87") {
		t.Errorf("an unknown scheme: %v", err)
	}
	for _, chainID := range []string{"", "Test", "a b", "a\nseed: x", strings.Repeat("a", 65)} {
		if key, err := GenerateConsensus(path, crypto.DefaultScheme, chainID); err == nil || key != nil {
			t.Errorf("a consensus key for chain %q: %v", chainID, err)
		}
		if key, err := GenerateChannel(path, chainID); err == nil || key != nil {
			t.Errorf("a channel key for chain %q: %v", chainID, err)
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("refused, and left %v (%v)", left, err)
	}
}

// TestLoadChecksWhatAKeyIsFor: neither the other kind of key, nor one of
// another chain.
func TestLoadChecksWhatAKeyIsFor(t *testing.T) {
	consensus, channel := generated(t)
	load := map[string]func(path, chainID string) error{
		PurposeConsensus: func(path, chainID string) error { _, err := LoadConsensus(path, chainID); return err },
		PurposeChannel:   func(path, chainID string) error { _, err := LoadChannel(path, chainID); return err },
	}
	for _, test := range []struct{ as, path, chainID, want string }{
		{PurposeConsensus, consensus, "test", ""},
		{PurposeChannel, channel, "test", ""},
		{PurposeConsensus, channel, "test", "it holds a channel key where a consensus key is needed"},
		{PurposeChannel, consensus, "test", "it holds a consensus key where a channel key is needed"},
		{PurposeConsensus, consensus, "other", `its key is for chain "test", not for "other"`},
		{PurposeChannel, channel, "", `its key is for chain "test", not for ""`},
	} {
		checkRefusal(t, fmt.Sprintf("%s as %s of %q", filepath.Base(test.path), test.as, test.chainID), test.path,
			load[test.as](test.path, test.chainID), test.want)
	}
}

// TestLoadRefusesDamage changes the text of a file. No complaint shows the seed.
func TestLoadRefusesDamage(t *testing.T) {
	path, channel := generated(t)
	text := string(must(os.ReadFile(path)))
	f := must(read(path))
	seed := base64.StdEncoding.EncodeToString(f.seed)
	replace := func(old, with string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("the file does not hold %s", old)
		}
		return strings.Replace(text, old, with, 1)
	}
	stranger := must(read(channel))

	for _, test := range []struct{ name, text, want string }{
		{"golden", text, ""},
		{"empty", "", "no key file"},
		{"a PEM key", "-----BEGIN PRIVATE KEY-----\n" + seed + "\n", "no key file"},
		{"a newer version", replace("version 1", "version 2"), "no key file"},
		{"cut short", text[:len(text)-10], "lines, each ending in a newline"},
		{"without its last newline", text[:len(text)-1], "lines, each ending in a newline"},
		{"a line more", text + "comment: x\n", "this one has 7"},
		{"a line twice", replace("chain: test\n", "chain: test\nchain: test\n"), "this one has 7"},
		{"an unknown field", replace("chain: ", "network: "), `line 4 does not begin with "chain: "`},
		{"fields in another order", replace("purpose: consensus\nscheme: ml-dsa-87\n", "scheme: ml-dsa-87\npurpose: consensus\n"), "line 2 does not begin"},
		{"the seed on another line", replace("chain: test", "chain: "+seed), "line 4: no chain has such a name"},
		{"an unknown purpose", replace("purpose: consensus", "purpose: backup"), "line 2: a purpose is consensus, channel or creator"},
		{"an unknown scheme", replace("ml-dsa-87", "ml-dsa-99"), "unknown signature algorithm"},
		{"another scheme", replace("ml-dsa-87", "ml-dsa-65"), "the file is damaged"},
		{"another chain", replace("chain: test", "chain: tes"), `its key is for chain "tes"`},
		{"a short fingerprint", replace(f.Fingerprint.Hex(), f.Fingerprint.Hex()[2:]), "line 5"},
		{"a long fingerprint", replace(f.Fingerprint.Hex(), f.Fingerprint.Hex()+"00"), "line 5"},
		{"a fingerprint of letters", replace(f.Fingerprint.Hex(), strings.Repeat("z", 64)), "line 5"},
		{"a fingerprint in capitals", replace(f.Fingerprint.Hex(), strings.Repeat("AB", 32)), "not written as this software"},
		{"another fingerprint", replace(f.Fingerprint.Hex(), stranger.Fingerprint.Hex()), "the file is damaged"},
		{"another seed", replace(seed, base64.StdEncoding.EncodeToString(stranger.seed)), "the file is damaged"},
		{"no seed", replace(seed, ""), "has 32 bytes, not 0"},
		{"a short seed", replace(seed, base64.StdEncoding.EncodeToString(f.seed[1:])), "has 32 bytes, not 31"},
		{"a long seed", replace(seed, base64.StdEncoding.EncodeToString(append(f.seed[:32:32], 0))), "has 32 bytes, not 33"},
		{"a seed without padding", replace("=\n", "\n"), "line 6"},
		{"a seed in hexadecimal", replace(seed, fmt.Sprintf("%x!", f.seed)), "line 6"},
		{"lines of another system", strings.ReplaceAll(text, "\n", "\r\n"), "no key file"},
		{"a carriage return in the seed", replace(seed, seed[:4]+"\r"+seed[4:]), "not written as this software"},
		{"a huge file", text + strings.Repeat("x", fileBytesMax), "is no key file"},
	} {
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadConsensus(path, "test")
		checkRefusal(t, test.name, path, err, test.want)
		if err != nil && (strings.Contains(err.Error(), seed[:8]) || strings.Contains(err.Error(), fmt.Sprintf("%x", f.seed[:4]))) {
			t.Errorf("%s: %v shows the seed", test.name, err)
		}
	}
}

// TestLoadChannelRefuses what only a damaged file has: its purpose is right and
// the rest is not.
func TestLoadChannelRefuses(t *testing.T) {
	_, path := generated(t)
	text := string(must(os.ReadFile(path)))
	f := must(read(path))
	seed := base64.StdEncoding.EncodeToString(f.seed)
	for _, test := range []struct{ name, old, with, want string }{
		{"another scheme", "ed25519", "ml-dsa-87", "a channel key has the scheme ed25519, not ml-dsa-87"},
		{"a short seed", seed, base64.StdEncoding.EncodeToString(f.seed[1:]), "has 32 bytes, not 31"},
		{"another seed", seed, base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32)), "the file is damaged"},
	} {
		if err := os.WriteFile(path, []byte(strings.Replace(text, test.old, test.with, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadChannel(path, "test")
		checkRefusal(t, test.name, path, err, test.want)
	}
}

// TestFilesPrintNothing: a file that reaches a log keeps its seed.
func TestFilesPrintNothing(t *testing.T) {
	f := file{Description: Description{Purpose: PurposeChannel}, seed: bytes.Repeat([]byte{0xa7}, 32)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		for _, v := range []any{f, &f, []file{f}} {
			text := fmt.Sprintf(verb, v)
			for _, secret := range []string{"a7a7", "167 167", "\xa7\xa7", "0xa7"} {
				if strings.Contains(text, secret) {
					t.Errorf("%s of %T prints %s", verb, v, text)
				}
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// checkRefusal compares an error with a part of its text, and wants the path in
// it; "" stands for no error.
func checkRefusal(t *testing.T, name, path string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path)):
		t.Errorf("%s: got %v, want %s about %s", name, err, want, path)
	}
}

// FuzzDecode: what is accepted is what would be written.
func FuzzDecode(f *testing.F) {
	golden := file{Description: Description{PurposeConsensus, "ml-dsa-87", "test", messages.MemberID{1}}, seed: make([]byte, 32)}
	text := string(golden.encode())
	f.Add([]byte(text))
	f.Add([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	f.Add([]byte(strings.Replace(text, "01", "0A", 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decode(data)
		if err != nil {
			return
		}
		if !bytes.Equal(got.encode(), data) {
			t.Fatalf("%q is accepted and would be written as %q", data, got.encode())
		}
	})
}

// TestMissingFile: callers tell a file that is not there from a bad one.
func TestMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.key")
	_, err := LoadConsensus(path, "test")
	_, other := LoadChannel(path, "test")
	for _, err := range []error{err, other} {
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want that %s does not exist", err, path)
		}
	}
}
