package cometpeer

import (
	"math"
	"path/filepath"
	"time"

	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/types"
)

// blockBytesMax bounds a block. Four times the default; the outstanding payloads
// decide how large blocks are.
const blockBytesMax = 16 << 20

// seenTransactions is how many transactions a mempool remembers. One that is gossiped
// after it was forgotten would be executed twice.
const seenTransactions = 1 << 18

// settings are those of a fresh node but for what is named here: nothing that keeps
// it safe is left out.
func settings(root string, outstanding int) *config.Config {
	c := config.DefaultConfig()
	c.SetRoot(root)
	c.DBPath = filepath.Join(root, config.DefaultDataDir)
	c.RPC.ListenAddress, c.GRPC.ListenAddress = "", "" // clients are in this process

	// Transactions are not gossiped: Leader has each submitted to the validator that
	// proposes next, and nobody else needs it before its block. Gossip, a message for
	// each transaction and peer, takes half of the throughput. What misses its block
	// waits until the validator has its turn again, and so that turns go round, there are
	// empty blocks. A height follows the one before it at once; the timeouts of its steps
	// matter when one fails, and stay.
	c.Mempool.Broadcast = false
	c.Consensus.CreateEmptyBlocks = true
	c.Consensus.TimeoutCommit = 0
	// What to tell a peer is looked for every 100 ms otherwise, and sent every 10.
	c.Consensus.PeerGossipSleepDuration = time.Millisecond
	c.P2P.FlushThrottleTimeout = 100 * time.Microsecond
	c.P2P.MaxPacketMsgPayloadSize = 64 << 10                      // a part of a block
	c.P2P.SendRate, c.P2P.RecvRate = math.MaxInt32, math.MaxInt32 // 5 MB/s otherwise

	c.P2P.ListenAddress = "tcp://127.0.0.1:0"
	c.P2P.AllowDuplicateIP, c.P2P.AddrBookStrict, c.P2P.PexReactor = true, false, false // all are on this machine, and known

	// A place for all that is outstanding, and no second check after each block: the
	// key-value store never finds that a transaction has become invalid.
	c.Mempool.Size = max(c.Mempool.Size, 4*outstanding)
	c.Mempool.MaxTxsBytes = math.MaxInt32
	c.Mempool.CacheSize = seenTransactions
	c.Mempool.Recheck = false

	// Nobody searches for transactions or asks for results later.
	c.TxIndex.Indexer = "null"
	c.Storage.DiscardABCIResponses = true
	return c
}

// parameters are those all validators share.
func parameters() *types.ConsensusParams {
	p := types.DefaultConsensusParams()
	p.Block.MaxBytes = blockBytesMax
	return p
}
