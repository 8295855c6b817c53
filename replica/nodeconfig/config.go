package nodeconfig

import "time"

// Config is what node.toml says. The fields are named like the keys of the file,
// whose table of keys (Render writes it out) tells at length what they do.
type Config struct {
	Node      Node
	Consensus Consensus
	Crypto    Crypto
	Network   Network
	Storage   Storage
	API       API
	Metrics   Metrics
	Log       Log

	origin origin // where the file says what; empty for a Config made in Go
}

// Node says who the replica is. Its index is not configured: it is where its
// public key stands in the genesis file.
type Node struct {
	// Name labels this replica's log lines. Default "", which stands for its
	// name in the genesis file. It has no other effect.
	Name string
	// GenesisPath is the genesis file. Default "genesis.json". Another chain's
	// genesis makes every peer refuse this replica.
	GenesisPath string
}

// Consensus holds the local half of the protocol's parameters. None of them
// can endanger safety; wrong ones cost liveness or memory.
type Consensus struct {
	// Algorithm is the consensus algorithm. Default and only value "bft".
	Algorithm string
	// StateMachine is what finalised vertices are executed by: "ledger", which
	// keeps them, or "kv", a key-value store. Default "ledger". All members must
	// name the same: one that does not halts at its first checkpoint.
	StateMachine string
	// QuorumThreshold is the fraction of members the operator expects a quorum
	// to be, above 0 and at most 1. Default 0.67. The quorum follows from the
	// number of members alone; an expectation that contradicts it is refused.
	QuorumThreshold float64
	// FinalityTimeout is the longest a vertex may wait for execution before the
	// leader is suspected, in milliseconds in the file. Default 500 ms. Too
	// short, and sound leaders are replaced; too long, and failed ones stay.
	FinalityTimeout time.Duration
	// MaxPendingVertices bounds the pool of vertices that are not final yet.
	// Default 10000. Beyond it a proposer is told to retry.
	MaxPendingVertices int
	// ByzantineDetectionEnabled makes the replica ban members that are proven to
	// lie. Default true. Without, liars are as harmless, but go on costing work.
	ByzantineDetectionEnabled bool
	// PipelineDepth is the number of sequences a leader keeps in flight.
	// Default 4. At 1, batches wait for one another; far above 4, they get small.
	PipelineDepth int
	// Heartbeat is the time between two Status messages, in milliseconds in the
	// file. Default 100 ms. Longer delays the recovery of lost messages.
	Heartbeat time.Duration
	// HeartbeatTimeout is the silence after which a leader is suspected, in
	// milliseconds in the file. Default 400 ms, at least two heartbeats. Too
	// short, and one lost message replaces the leader.
	HeartbeatTimeout time.Duration
}

// Crypto names the replica's keys.
type Crypto struct {
	// SignatureAlgorithm is the scheme the operator expects the genesis file to
	// name. Default "ml-dsa-87". A different one there is refused.
	SignatureAlgorithm string
	// KeyPath is the file of the key that signs votes. Default "consensus.key".
	// Two processes with one key are a member that lies, and get banned.
	KeyPath string
	// ChannelKeyPath is the file of the key that authenticates connections.
	// Default "channel.key". With a wrong one every peer refuses this replica.
	ChannelKeyPath string
}

// Network says where this replica and its peers are reached.
type Network struct {
	// Listen is the host:port peers connect to. Default "127.0.0.1:7000". An
	// empty host means all interfaces.
	Listen string
	// Peers are the members' host:port addresses in the order of the genesis
	// file, this replica's own included. No default. In the wrong order, every
	// connection fails, for the pinned key at that address is another's.
	Peers []string
}

// Storage says where and how the replica keeps what it must not forget.
type Storage struct {
	// Path is the folder of journal, ledger and state. Default "data". Losing it
	// and starting again with the same key can make this member contradict
	// votes it has forgotten.
	Path string
	// WALSync says whether a vote waits until it is on the disk: "always" or
	// "never". Default "always". With "never" a power failure makes this member
	// a faulty one.
	WALSync string
	// SegmentBytes is the size of a journal segment in bytes. Default 64 MiB.
	// Larger ones take longer to recover and to recycle, smaller ones are
	// exchanged more often.
	SegmentBytes int64
	// LedgerRetain is how many sequences the ledger keeps, at least. Default 0,
	// which keeps all. What is trimmed is gone, with its receipts.
	LedgerRetain int64
}

// The values of Consensus.StateMachine.
const (
	StateMachineLedger = "ledger"
	StateMachineKV     = "kv"
)

// The values of Storage.WALSync.
const (
	WALSyncAlways = "always"
	WALSyncNever  = "never"
)

// API is the HTTP interface for clients. It has no authentication of its own.
type API struct {
	// Listen is the API's host:port. Default "127.0.0.1:7001". Port 0 takes any
	// free port. A host beyond this machine needs AllowRemote.
	Listen string
	// AllowRemote permits a Listen that other machines can reach. Default false.
	// Whoever reaches the API can propose vertices.
	AllowRemote bool
	// MaxBodyBytes bounds the body of one request in bytes. Default 1 MiB.
	// Below the size of a vertex, that vertex cannot be proposed over HTTP.
	MaxBodyBytes int64
}

// Metrics switches /metrics of the API.
type Metrics struct {
	// Enabled serves the replica's Prometheus metrics at /metrics of the API.
	// Default true.
	Enabled bool
}

// Log says what is logged, and how. Logs go to standard error.
type Log struct {
	// Level is the lowest level that is logged: "debug", "info", "warn" or
	// "error". Default "info". "debug" logs every message and costs throughput.
	Level string
	// Format is "console" for people or "json" for machines. Default "console".
	Format string
}

// Default is the configuration of a file that says nothing. It lacks the one
// thing that has no default, Network.Peers.
func Default() *Config {
	return &Config{
		Node: Node{GenesisPath: "genesis.json"},
		Consensus: Consensus{
			Algorithm:                 "bft",
			StateMachine:              StateMachineLedger,
			QuorumThreshold:           0.67,
			FinalityTimeout:           500 * time.Millisecond,
			MaxPendingVertices:        10000,
			ByzantineDetectionEnabled: true,
			PipelineDepth:             4,
			Heartbeat:                 100 * time.Millisecond,
			HeartbeatTimeout:          400 * time.Millisecond,
		},
		Crypto: Crypto{
			SignatureAlgorithm: "ml-dsa-87",
			KeyPath:            "consensus.key",
			ChannelKeyPath:     "channel.key",
		},
		Network: Network{Listen: "127.0.0.1:7000"},
		Storage: Storage{Path: "data", WALSync: WALSyncAlways, SegmentBytes: 64 << 20},
		API:     API{Listen: "127.0.0.1:7001", MaxBodyBytes: 1 << 20},
		Metrics: Metrics{Enabled: true},
		Log:     Log{Level: "info", Format: "console"},
	}
}
