package main

import (
	"fmt"
	"path/filepath"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

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

// home is what the folder of a replica holds, read and checked.
type home struct {
	path     string // of the folder
	config   *nodeconfig.Config
	genesis  *messages.Genesis
	identity *nodeconfig.Identity
	unused   bool // its key has never signed
}

func addHomeFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "home", "", "folder of the replica, with its "+testnet.ConfigFile)
	if err := cmd.MarkFlagRequired("home"); err != nil {
		panic(err) // the flag was defined in the line above
	}
	if err := cmd.MarkFlagDirname("home"); err != nil {
		panic(err)
	}
}

// loadHome reads everything a replica is started with and complains about all
// that does not belong together.
func loadHome(path string) (*home, error) {
	config, err := nodeconfig.Load(filepath.Join(path, testnet.ConfigFile))
	if err != nil {
		return nil, err
	}
	genesis, err := config.LoadGenesis()
	if err != nil {
		return nil, err
	}
	if _, err := crypto.NewKeyring(genesis); err != nil {
		return nil, fmt.Errorf("%s: %w", config.Node.GenesisPath, err)
	}
	if err := config.CheckAgainst(genesis); err != nil {
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
	return &home{path, config, genesis, identity, unused}, nil
}

// markUsed is called once the replica's folder says that it votes: should the folder
// be lost after that, the replica may have voted.
func (h *home) markUsed() error { return keyfile.MarkUsed(h.config.Crypto.KeyPath) }

// name is what the replica is called.
func (h *home) name() string {
	if h.config.Node.Name != "" {
		return h.config.Node.Name
	}
	return h.genesis.Members[h.identity.Index].Name
}

// stateMachine is the application the configuration names.
func (h *home) stateMachine(log zerolog.Logger) replica.StateMachine {
	if h.config.Consensus.StateMachine != nodeconfig.StateMachineKV {
		return &actors.VertexLedger{}
	}
	m := kvstore.New()
	m.OnPanic(func(op replica.Operation, value any) {
		log.Error().Stringer("vertex", op.Hash).Any("panic", value).Msg("an operation of the key-value store panicked and failed")
	})
	return m
}

// replicaConfig is the home as package replica wants it.
func (h *home) replicaConfig() replica.Config {
	c, r := h.config, replica.DefaultConfig()
	r.Genesis, r.Key, r.ChannelKey = h.genesis, h.identity.Key, h.identity.ChannelKey
	r.Home, r.FirstStart = c.Storage.Path, h.unused
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
