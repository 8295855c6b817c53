package replica

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/storage"
)

// Config says which member a replica is, where its data lies and how it works.
// Start from DefaultConfig. What all members must agree on (window, batch
// bounds, signature scheme) is in the genesis, not here.
type Config struct {
	// Genesis is the chain's membership and parameters.
	Genesis *messages.Genesis
	// Key signs this member's votes. Its public key says which member this is.
	Key crypto.PrivateKey
	// ChannelKey authenticates this member's connections. Unused WithTransport.
	ChannelKey ed25519.PrivateKey
	// Home is the folder of the replica's data; it is made if missing, and
	// locked while the replica runs.
	Home string
	// Listen is the address, host:port, where other members connect. Unused
	// WithTransport.
	Listen string
	// Peers are the members' addresses in the order of the genesis, the own one
	// included. Unused WithTransport.
	Peers []string

	// PipelineDepth is how many sequences a leader has in flight; default 4.
	// More hides latency; the window bounds it.
	PipelineDepth int
	// MaxPendingVertices bounds this replica's vertices that are not final;
	// default 10000. Beyond, Propose fails with ErrPoolFull.
	MaxPendingVertices int
	// FinalityTimeout is how long a vertex may wait before its leader is
	// suspected, at most; default 500 ms. Too small, and slow networks are taken
	// for faulty leaders; large, and a dead leader costs as much.
	FinalityTimeout time.Duration
	// Heartbeat is the time between two Status messages; default 100 ms. Lost
	// messages are sent again after about two.
	Heartbeat time.Duration
	// HeartbeatTimeout is the silence after which a leader is suspected; default
	// 400 ms.
	HeartbeatTimeout time.Duration
	// QuorumThreshold is the fraction the operator believes to be a quorum;
	// default 0.67. It is compared with the safe quorum and never changes it.
	QuorumThreshold float64
	// ByzantineDetection charges members for what they do wrong; default true.
	ByzantineDetection bool
	// FirstStart says that this member has never run before on this chain, with
	// whatever disk. A replica with an empty disk asks the others otherwise, and
	// unless they all say that nothing was ever heard of it, observes for a while
	// before it votes. When a chain begins, give it to every member: one that asks
	// when the others vote already may have voted as well, and with one more away
	// nothing is finalised until that one is there. Never set it because a disk was
	// lost: the replica would vote a second time on what it has forgotten.
	FirstStart bool
	// WALSync says when the journal is flushed; default storage.SyncAlways.
	// Anything weaker forgets votes in a power cut, which makes this replica one
	// of the f faulty ones.
	WALSync storage.SyncPolicy
	// SegmentBytes is the size of a journal segment; default 64 MiB.
	SegmentBytes int64
	// LedgerRetain is how many sequences the ledger keeps at least; the default, 0,
	// keeps all. Older ones are given up, with the receipts of their vertices, once
	// there is a snapshot above them: who lacks them gets the snapshot instead. It
	// may differ from replica to replica.
	LedgerRetain messages.Seq
	// Signers is the number of actors that sign and verify; default 2.
	Signers int
}

// DefaultConfig gives the defaults above. Genesis, Key and Home remain to be
// set, and ChannelKey, Listen and Peers without a transport of one's own.
func DefaultConfig() Config {
	return Config{
		PipelineDepth:      4,
		MaxPendingVertices: 10000,
		FinalityTimeout:    500 * time.Millisecond,
		Heartbeat:          100 * time.Millisecond,
		HeartbeatTimeout:   400 * time.Millisecond,
		QuorumThreshold:    0.67,
		ByzantineDetection: true,
		WALSync:            storage.SyncAlways,
		SegmentBytes:       64 << 20,
		Signers:            2,
	}
}

// Validate joins every complaint about the configuration.
func (c *Config) Validate() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Genesis == nil {
		complain("no genesis: read one with messages.ParseGenesis")
	} else {
		if err := messages.CheckQuorumThreshold(c.QuorumThreshold, c.Genesis.N()); err != nil {
			errs = append(errs, err)
		}
		if window := int(c.Genesis.Params.Window); c.PipelineDepth > window {
			complain("pipeline depth %d exceeds the window of %d sequences", c.PipelineDepth, window)
		}
	}
	if c.Key == nil {
		complain("no key: load one with keyfile.LoadConsensus")
	}
	if c.Home == "" {
		complain("no home folder")
	}
	if c.PipelineDepth < 1 {
		complain("pipeline depth %d is not at least 1", c.PipelineDepth)
	}
	if c.MaxPendingVertices < 1 {
		complain("max pending vertices %d is not at least 1", c.MaxPendingVertices)
	}
	if c.Heartbeat < time.Millisecond {
		complain("heartbeat %v is not at least 1ms", c.Heartbeat)
	}
	if c.HeartbeatTimeout < 2*c.Heartbeat {
		complain("heartbeat timeout %v is not at least two heartbeats of %v", c.HeartbeatTimeout, c.Heartbeat)
	}
	if c.FinalityTimeout < c.Heartbeat {
		complain("finality timeout %v is below the heartbeat of %v", c.FinalityTimeout, c.Heartbeat)
	}
	if c.Genesis != nil && c.Genesis.Params.OptimisticMode && c.FinalityTimeout < 3*c.Heartbeat {
		complain("finality timeout %v is not at least three heartbeats of %v, as the genesis' optimistic_mode needs: a member that is down is waited for that long",
			c.FinalityTimeout, c.Heartbeat)
	}
	if c.Signers < 1 {
		complain("%d signers: at least 1 is needed", c.Signers)
	}
	return errors.Join(errs...)
}
