package nodeconfig

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cretoai/consensus/crypto/keyfile"
	"github.com/cretoai/consensus/messages"
)

// homes makes a folder with the keys of four members, consensus-<i>.key and
// channel-<i>.key, and the genesis they belong to, without signatures: the
// identity does not depend on them.
func homes(t *testing.T) (string, *messages.Genesis) {
	t.Helper()
	folder := t.TempDir()
	g := genesisOf(0)
	for i := range 4 {
		key, err := keyfile.GenerateConsensus(filepath.Join(folder, fmt.Sprintf("consensus-%d.key", i)), g.Scheme, g.ChainID)
		if err != nil {
			t.Fatal(err)
		}
		channel, err := keyfile.GenerateChannel(filepath.Join(folder, fmt.Sprintf("channel-%d.key", i)), g.ChainID)
		if err != nil {
			t.Fatal(err)
		}
		g.Members = append(g.Members, messages.Member{
			Name:       fmt.Sprintf("replica-%d", i),
			PublicKey:  key.Public().Bytes(),
			ChannelKey: channel.Public().(ed25519.PublicKey),
		})
	}
	return folder, g
}

func TestLoadIdentity(t *testing.T) {
	folder, g := homes(t)
	load := func(key, channel string) (*Identity, error) {
		path := filepath.Join(folder, "node.toml")
		text := peers + fmt.Sprintf("[crypto]\nkey_path = %q\nchannel_key_path = %q\n", key, channel)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		return c.LoadIdentity(g)
	}

	id, err := load("consensus-2.key", "channel-2.key")
	if err != nil {
		t.Fatal(err)
	}
	if id.Index != 2 || string(id.Key.Public().Bytes()) != string(g.Members[2].PublicKey) {
		t.Errorf("member 2 is taken for %d", id.Index)
	}

	stranger := filepath.Join(folder, "stranger.key")
	if _, err := keyfile.GenerateConsensus(stranger, g.Scheme, g.ChainID); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, key, channel, want string }{
		{"no key file", "none.key", "channel-2.key", ":4: crypto.key_path: "},
		{"no channel key file", "consensus-2.key", "none.key", ":5: crypto.channel_key_path: "},
		{"key of nobody", "stranger.key", "channel-2.key", `is no member's of chain "test"; allowed: the key of a member`},
		{"another's channel key", "consensus-2.key", "channel-1.key", "is not that of replica-2"},
		{"files the wrong way round", "channel-2.key", "consensus-2.key", ":4: crypto.key_path: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			id, err := load(test.key, test.channel)
			if err == nil {
				t.Fatalf("taken for member %d", id.Index)
			}
			if len(Complaints(err)) != 1 || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestLoadGenesis(t *testing.T) {
	c := Default()
	c.Node.GenesisPath = filepath.Join(t.TempDir(), "genesis.json")
	if _, err := c.LoadGenesis(); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "node.genesis_path: ") {
		t.Errorf("without a file: %v", err)
	}
	if err := os.WriteFile(c.Node.GenesisPath, []byte(`{"chain": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.LoadGenesis(); err == nil || !strings.HasPrefix(err.Error(), c.Node.GenesisPath+": genesis: at byte") {
		t.Errorf("malformed: %v", err)
	}
}
