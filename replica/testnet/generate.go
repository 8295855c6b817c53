package testnet

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/keyfile"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica/nodeconfig"
)

// Network is a network that was made.
type Network struct {
	Dir      string
	Genesis  *messages.Genesis
	Replicas []Replica // in member order
}

// Replica is one member's folder and addresses.
type Replica struct {
	Name   string // in the genesis file
	Home   string // folder of node.toml, genesis.json and keys
	Listen string // for peers, host:port
	API    string // for clients, host:port
}

// The files of a replica's home. A network has its genesis file under the same
// name.
const (
	ConfigFile       = "node.toml"
	GenesisFile      = "genesis.json"
	ConsensusKeyFile = "consensus.key"
	ChannelKeyFile   = "channel.key"
	CreatorKeyFile   = "creator.key" // in the network's folder
)

// Generate makes a network in o.Dir. It never overwrites: if there is something
// already the error is a *NotEmptyError. On any error it removes what it made.
func Generate(o Options) (*Network, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	undo, err := claim(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("make the network's folder: %w", err)
	}
	n, err := generate(o)
	if err != nil {
		if failed := undo(); failed != nil {
			err = errors.Join(err, fmt.Errorf("remove the unfinished network: %w", failed))
		}
		return nil, err
	}
	return n, nil
}

func generate(o Options) (*Network, error) {
	n := &Network{
		Dir:     o.Dir,
		Genesis: &messages.Genesis{ChainID: o.ChainID, Scheme: o.Scheme, Params: messages.DefaultParams()},
	}
	n.Genesis.Params.RequireVertexSignatures = o.RequireVertexSignatures
	n.Genesis.Params.OptimisticMode = o.OptimisticMode
	var peers []string
	for i := range o.Replicas {
		name := fmt.Sprintf("replica-%d", i)
		r := Replica{
			Name:   name,
			Home:   filepath.Join(o.Dir, name),
			Listen: fmt.Sprintf("127.0.0.1:%d", o.peerPort(i)),
			API:    fmt.Sprintf("127.0.0.1:%d", o.apiPort(i)),
		}
		member, err := newMember(o, r)
		if err != nil {
			return nil, fmt.Errorf("make %s: %w", name, err)
		}
		n.Replicas = append(n.Replicas, r)
		n.Genesis.Members = append(n.Genesis.Members, member)
		peers = append(peers, r.Listen)
	}
	// What is written is what a replica will accept.
	if err := n.Genesis.Validate(); err != nil {
		return nil, err
	}
	if _, err := crypto.NewKeyring(n.Genesis); err != nil {
		return nil, err
	}
	genesis := n.Genesis.Encode()
	for _, r := range n.Replicas {
		if err := writeHome(r, peers, n.Genesis, genesis); err != nil {
			return nil, fmt.Errorf("write %s: %w", r.Name, err)
		}
	}
	if o.RequireVertexSignatures {
		if _, err := keyfile.GenerateCreator(filepath.Join(o.Dir, CreatorKeyFile), o.Scheme, o.ChainID); err != nil {
			return nil, fmt.Errorf("make a creator's key: %w", err)
		}
	}
	return n, writeNew(filepath.Join(o.Dir, GenesisFile), genesis)
}

// newMember makes a replica's folder and keys and binds its channel key to its
// identity.
func newMember(o Options, r Replica) (messages.Member, error) {
	if err := os.Mkdir(r.Home, 0o700); err != nil {
		return messages.Member{}, err
	}
	key, err := keyfile.GenerateConsensus(filepath.Join(r.Home, ConsensusKeyFile), o.Scheme, o.ChainID)
	if err != nil {
		return messages.Member{}, err
	}
	channel, err := keyfile.GenerateChannel(filepath.Join(r.Home, ChannelKeyFile), o.ChainID)
	if err != nil {
		return messages.Member{}, err
	}
	m := messages.Member{
		Name:       r.Name,
		PublicKey:  key.Public().Bytes(),
		ChannelKey: channel.Public().(ed25519.PublicKey),
	}
	binding := messages.ChannelBinding(o.ChainID, m.Name, m.PublicKey, m.ChannelKey)
	m.ChannelSignature, err = key.Sign(crypto.PurposeGenesis, binding)
	return m, err
}

// writeHome writes a replica's node.toml and its copy of the genesis file.
func writeHome(r Replica, peers []string, g *messages.Genesis, genesis []byte) error {
	cfg := nodeconfig.Default()
	cfg.Node.GenesisPath = GenesisFile
	cfg.Crypto.SignatureAlgorithm = g.Scheme
	cfg.Crypto.KeyPath = ConsensusKeyFile
	cfg.Crypto.ChannelKeyPath = ChannelKeyFile
	cfg.Network.Listen = r.Listen
	cfg.Network.Peers = peers
	cfg.API.Listen = r.API
	if err := errors.Join(cfg.Validate(), cfg.CheckAgainst(g)); err != nil {
		return err
	}
	return errors.Join(
		writeNew(filepath.Join(r.Home, GenesisFile), genesis),
		writeNew(filepath.Join(r.Home, ConfigFile), nodeconfig.Render(cfg)),
	)
}
