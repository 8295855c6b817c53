package nodeconfig

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"io"
	"os"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/keyfile"
	"github.com/cretoai/consensus/messages"
)

// LoadGenesis reads the genesis file the configuration names.
func (c *Config) LoadGenesis() (*messages.Genesis, error) {
	path := c.Node.GenesisPath
	data, err := readFile(path, messages.GenesisBytesMax)
	if err != nil {
		return nil, c.origin.blame("node.genesis_path", err)
	}
	g, err := messages.ParseGenesis(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// readFile reads a file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: it has more than the %d bytes that are read", path, limit)
	}
	return data, nil
}

// Identity is which member this replica is, and what proves it.
type Identity struct {
	Index      messages.Index
	Key        crypto.PrivateKey
	ChannelKey ed25519.PrivateKey
}

// LoadIdentity reads the keys the configuration names and finds their member in
// the genesis file. Both keys must be the same member's.
func (c *Config) LoadIdentity(g *messages.Genesis) (*Identity, error) {
	key, err := keyfile.LoadConsensus(c.Crypto.KeyPath, g.ChainID)
	if err != nil {
		return nil, c.origin.blame("crypto.key_path", err)
	}
	channel, err := keyfile.LoadChannel(c.Crypto.ChannelKeyPath, g.ChainID)
	if err != nil {
		return nil, c.origin.blame("crypto.channel_key_path", err)
	}
	id := messages.NewMemberID(g.Scheme, key.Public().Bytes())
	index, ok := g.IndexOf(id)
	if !ok {
		return nil, c.origin.complain("crypto.key_path", "the key of a member",
			"the key in %s, %v, is no member's of chain %s", c.Crypto.KeyPath, id, quote(g.ChainID))
	}
	member := &g.Members[index]
	if !bytes.Equal(member.ChannelKey, channel.Public().(ed25519.PublicKey)) {
		return nil, c.origin.complain("crypto.channel_key_path", "the channel key of "+member.Name,
			"the key in %s is not that of %s, whose key is in %s", c.Crypto.ChannelKeyPath, member.Name, c.Crypto.KeyPath)
	}
	return &Identity{Index: index, Key: key, ChannelKey: channel}, nil
}
