package testnet

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/keyfile"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica/nodeconfig"
)

func options(t *testing.T) Options {
	o := DefaultOptions()
	o.Dir = filepath.Join(t.TempDir(), "a", "b")
	return o
}

// list gives every path below dir with its permissions.
func list(t *testing.T, dir string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		paths = append(paths, info.Mode().String()+" "+relative)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// TestGenerate starts where a replica starts: node.toml leads to genesis and
// keys, and they all belong together.
func TestGenerate(t *testing.T) {
	o := options(t)
	o.Replicas, o.BasePort, o.ChainID, o.Scheme = 5, 20000, "chain-7", "ml-dsa-44"
	n, err := Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	if len(n.Replicas) != 5 || n.Dir != o.Dir {
		t.Fatalf("made %+v", n)
	}
	want := n.Genesis.Hash()
	if _, err := crypto.NewKeyring(n.Genesis); err != nil {
		t.Error(err)
	}
	peers := []string{"127.0.0.1:20000", "127.0.0.1:20010", "127.0.0.1:20020", "127.0.0.1:20030", "127.0.0.1:20040"}
	apis := []string{"127.0.0.1:20001", "127.0.0.1:20011", "127.0.0.1:20021", "127.0.0.1:20031", "127.0.0.1:20041"}
	for i, r := range n.Replicas {
		cfg, err := nodeconfig.Load(filepath.Join(o.Dir, r.Name, ConfigFile))
		if err != nil {
			t.Fatal(err)
		}
		g, err := cfg.LoadGenesis()
		if err != nil {
			t.Fatal(err)
		}
		if g.Hash() != want || g.ChainID != "chain-7" || g.Scheme != "ml-dsa-44" || g.Params != messages.DefaultParams() {
			t.Errorf("%s has another genesis: %+v", r.Name, g)
		}
		if err := cfg.CheckAgainst(g); err != nil {
			t.Error(err)
		}
		identity, err := cfg.LoadIdentity(g)
		if err != nil {
			t.Fatal(err)
		}
		if int(identity.Index) != i {
			t.Errorf("%s has the keys of member %d", r.Name, identity.Index)
		}
		if !slices.Equal(cfg.Network.Peers, peers) || cfg.Network.Listen != peers[i] || cfg.API.Listen != apis[i] {
			t.Errorf("%s listens at %s and %s, and connects to %v", r.Name, cfg.Network.Listen, cfg.API.Listen, cfg.Network.Peers)
		}
		if r.Listen != peers[i] || r.API != apis[i] || r.Home != filepath.Join(o.Dir, r.Name) {
			t.Errorf("reported %+v", r)
		}
		if cfg.Storage.Path != filepath.Join(r.Home, "data") {
			t.Errorf("%s stores at %s", r.Name, cfg.Storage.Path)
		}
	}
}

func TestGenerateFiles(t *testing.T) {
	o := options(t)
	if _, err := Generate(o); err != nil {
		t.Fatal(err)
	}
	want := []string{"drwxr-xr-x .", "-rw-r--r-- genesis.json"}
	for _, name := range []string{"replica-0", "replica-1", "replica-2", "replica-3"} {
		want = append(want, "drwx------ "+name, "-rw------- "+name+"/channel.key", "-rw------- "+name+"/consensus.key", "-rw------- "+name+"/consensus.key.unused",
			"-rw-r--r-- "+name+"/genesis.json", "-rw-r--r-- "+name+"/node.toml")
	}
	if got := list(t, o.Dir); !slices.Equal(got, want) {
		t.Errorf("made\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestGenerateForCreatorsThatSign: the genesis says so, and the key beside it belongs
// to the chain.
func TestGenerateForCreatorsThatSign(t *testing.T) {
	o := options(t)
	o.RequireVertexSignatures, o.Scheme = true, "ml-dsa-44"
	n, err := Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	if !n.Genesis.Params.RequireVertexSignatures {
		t.Error("the genesis requires no signatures")
	}
	path := filepath.Join(o.Dir, CreatorKeyFile)
	if _, err := keyfile.LoadCreator(path, o.ChainID); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
}

// TestGenerateDrawsNewKeys: two networks of the same options are two chains.
func TestGenerateDrawsNewKeys(t *testing.T) {
	a, errA := Generate(options(t))
	b, errB := Generate(options(t))
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	if a.Genesis.Hash() == b.Genesis.Hash() {
		t.Error("two networks with the same keys")
	}
}

func TestGenerateTakesAnEmptyFolder(t *testing.T) {
	o := options(t)
	o.Dir = t.TempDir()
	if _, err := Generate(o); err != nil {
		t.Error(err)
	}
}

// TestGenerateNeverOverwrites: not a network, not a file, not even when it fails.
func TestGenerateNeverOverwrites(t *testing.T) {
	o := options(t)
	if _, err := Generate(o); err != nil {
		t.Fatal(err)
	}
	genesis := filepath.Join(o.Dir, GenesisFile)
	before, err := os.ReadFile(genesis)
	if err != nil {
		t.Fatal(err)
	}
	files := list(t, o.Dir)
	file := o
	file.Dir = genesis
	for _, again := range []Options{o, file} {
		var notEmpty *NotEmptyError
		if _, err := Generate(again); !errors.As(err, &notEmpty) || notEmpty.Dir != again.Dir {
			t.Errorf("into %s: got %v", again.Dir, err)
		}
	}
	if after, err := os.ReadFile(genesis); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the genesis file changed (%v)", err)
	}
	if !slices.Equal(files, list(t, o.Dir)) {
		t.Error("files changed")
	}
}

// TestGenerateFailureLeavesNothing fails half-way: there is room in a path for
// the name of a replica's folder, and none for that of a key in it.
func TestGenerateFailureLeavesNothing(t *testing.T) {
	const pathBytesMax = 4095
	parent := t.TempDir()
	o := DefaultOptions()
	o.Dir = parent
	for rest := pathBytesMax - len("/replica-0/") - len(parent); rest > 0; rest -= 200 {
		o.Dir += "/" + strings.Repeat("d", min(rest, 200)-1)
	}
	if _, err := Generate(o); err == nil || !strings.HasPrefix(err.Error(), "make replica-0: write key file ") {
		t.Errorf("got %v", err)
	}
	if left := list(t, parent); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}

	// A folder that was there before stays.
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	before := list(t, parent)
	if _, err := Generate(o); err == nil {
		t.Error("accepted")
	}
	if left := list(t, parent); !slices.Equal(left, before) {
		t.Errorf("left behind: %v, before: %v", left, before)
	}
}

func TestGenerateWithoutPermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	parent := t.TempDir()
	if err := os.Chmod(parent, 0o500); err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.Dir = filepath.Join(parent, "net")
	if _, err := Generate(o); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
}

// TestGenerateBelowAFile: a folder cannot be made there, whoever asks.
func TestGenerateBelowAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.Dir = filepath.Join(file, "net")
	if _, err := Generate(o); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("got %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.IsDir() {
		t.Errorf("the file is gone: %v", err)
	}
}

func TestOptions(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Options)
		want   string // part of the error; "" when accepted
	}{
		{"defaults", func(*Options) {}, ""},
		{"no folder", func(o *Options) { o.Dir = "" }, "no folder given"},
		{"three replicas", func(o *Options) { o.Replicas = 3 }, "3 replicas: 4 to 64 are allowed"},
		{"65 replicas", func(o *Options) { o.Replicas = 65 }, "65 replicas"},
		{"negative replicas", func(o *Options) { o.Replicas = -1 }, "-1 replicas"},
		{"lowest port", func(o *Options) { o.BasePort = 1024 }, ""},
		{"privileged port", func(o *Options) { o.BasePort = 1023 }, "base port 1023: 1024 to 65504 are allowed"},
		{"highest port", func(o *Options) { o.BasePort = 65504 }, ""}, // 65504 + 10·3 + 1 = 65535
		{"last replica without a port", func(o *Options) { o.BasePort = 65505 },
			"base port 65505: 1024 to 65504 are allowed, for 4 replicas take the ports up to the base port + 31"},
		{"highest port of many", func(o *Options) { o.Replicas, o.BasePort = 64, 64904 }, ""},
		{"too high for many", func(o *Options) { o.Replicas, o.BasePort = 64, 64905 }, "base port 64905"},
		{"unknown scheme", func(o *Options) { o.Scheme = "rsa" }, `unknown signature algorithm "rsa": known are ml-dsa-87`},
		{"chain id with a space", func(o *Options) { o.ChainID = "a b" }, `"a b"`},
		{"everything", func(o *Options) { *o = Options{} }, "no folder given to make the network in\n0 replicas"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := DefaultOptions()
			o.Dir = "somewhere"
			test.change(&o)
			err := o.validate()
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
