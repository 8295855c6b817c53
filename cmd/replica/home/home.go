package home

import (
	"fmt"
	"path/filepath"

	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/keyfile"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/kvstore"
	"github.com/cretoai/consensus/replica/nodeconfig"
	"github.com/cretoai/consensus/replica/testnet"
	"github.com/cretoai/consensus/storage"
)

// Home is what the folder of a replica holds, read and checked.
type Home struct {
	Path     string // of the folder
	Config   *nodeconfig.Config
	Genesis  *messages.Genesis
	Identity *nodeconfig.Identity
	Unused   bool // its key has never signed
}

// Load reads everything a replica is started with and complains about all
// that does not belong together.
func Load(path string) (*Home, error) {
	config, genesis, err := load(path)
	if err != nil {
		return nil, err
	}
	identity, err := config.LoadIdentity(genesis)
	if err != nil {
		return nil, err
	}
	unused, err := keyfile.IsUnused(config.Crypto.KeyPath)
	if err != nil {
		return nil, err
	}
	return &Home{path, config, genesis, identity, unused}, nil
}

// LoadPublic reads what needs no secret key, for who looks at the data of a stopped
// replica: of the identity only the index is there, of the member whose data they are.
func LoadPublic(path string) (*Home, error) {
	config, genesis, err := load(path)
	if err != nil {
		return nil, err
	}
	member, err := replica.WhoseFolder(config.Storage.Path, genesis)
	if err != nil {
		return nil, err
	}
	return &Home{Path: path, Config: config, Genesis: genesis, Identity: &nodeconfig.Identity{Index: member}}, nil
}

// load reads the configuration and the genesis.
func load(path string) (*nodeconfig.Config, *messages.Genesis, error) {
	config, err := nodeconfig.Load(filepath.Join(path, testnet.ConfigFile))
	if err != nil {
		return nil, nil, err
	}
	genesis, err := config.LoadGenesis()
	if err != nil {
		return nil, nil, err
	}
	if _, err := crypto.NewKeyring(genesis); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", config.Node.GenesisPath, err)
	}
	if err := config.CheckAgainst(genesis); err != nil {
		return nil, nil, err
	}
	return config, genesis, nil
}

// MarkUsed is called once the replica's folder says that it votes: should the folder
// be lost after that, the replica may have voted.
func (h *Home) MarkUsed() error { return keyfile.MarkUsed(h.Config.Crypto.KeyPath) }

// Name is what the replica is called.
func (h *Home) Name() string {
	if h.Config.Node.Name != "" {
		return h.Config.Node.Name
	}
	return h.Genesis.Members[h.Identity.Index].Name
}

// StateMachine is the application the configuration names.
func (h *Home) StateMachine(log zerolog.Logger) replica.StateMachine {
	if h.Config.Consensus.StateMachine != nodeconfig.StateMachineKV {
		return &actors.VertexLedger{}
	}
	m := kvstore.New()
	m.OnPanic(func(op replica.Operation, value any) {
		log.Error().Stringer("vertex", op.Hash).Any("panic", value).Msg("an operation of the key-value store panicked and failed")
	})
	return m
}

// ReplicaConfig is the home as package replica wants it.
func (h *Home) ReplicaConfig() replica.Config {
	c, r := h.Config, replica.DefaultConfig()
	r.Genesis, r.Key, r.ChannelKey = h.Genesis, h.Identity.Key, h.Identity.ChannelKey
	r.Home, r.FirstStart = c.Storage.Path, h.Unused
	r.Listen, r.Peers = c.Network.Listen, c.Network.Peers
	r.PipelineDepth = c.Consensus.PipelineDepth
	r.MaxPendingVertices = c.Consensus.MaxPendingVertices
	r.FinalityTimeout = c.Consensus.FinalityTimeout
	r.Heartbeat = c.Consensus.Heartbeat
	r.HeartbeatTimeout = c.Consensus.HeartbeatTimeout
	r.QuorumThreshold = c.Consensus.QuorumThreshold
	r.ByzantineDetection = c.Consensus.ByzantineDetectionEnabled
	r.SegmentBytes = c.Storage.SegmentBytes
	r.LedgerRetain = messages.Seq(c.Storage.LedgerRetain)
	r.WALSync = storage.SyncAlways
	if c.Storage.WALSync == nodeconfig.WALSyncNever {
		r.WALSync = storage.SyncNever
	}
	return r
}
