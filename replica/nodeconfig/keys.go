package nodeconfig

import (
	"fmt"
	"strings"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// section is one table of the file.
type section struct {
	name string
	doc  string
	keys []key
}

// key is one key of a section.
type key struct {
	name string
	doc  string // for the operator: what it does, and what a wrong value does
	// allowed says what may stand there, in the file's comment as in an error.
	allowed string
	// field is where the value goes. It points to one of the types that
	// value.go knows.
	field func(*Config) any
	// check judges the value, in comparison with others where they are related.
	// It says what the problem is, or "".
	check func(*Config) string
	// relative: the value is a path, relative to the folder of the file.
	relative bool
	// required: there is no default, and the file must have the key.
	required bool
}

// Bounds of what node.toml may ask for. Those of the protocol are in messages.
const (
	nameBytesMax          = 64
	finalityTimeoutMsMin  = 250 // the floor of the protocol's own estimate
	timeoutMsMax          = 30_000
	maxPendingVerticesMax = 1_000_000
	pipelineDepthMax      = 64
	heartbeatMsMin        = 10
	heartbeatMsMax        = 5_000
	segmentBytesMin       = 8 << 20 // many of the largest batches: one flush group must fit
	segmentBytesMax       = 1 << 30
	ledgerRetainMax       = 1 << 40
	bodyBytesMin          = 1 << 10
	bodyBytesMax          = 64 << 20
)

// What may stand in keys of one kind.
const (
	addressAllowed = "host:port, port 1 to 65535"
	boolAllowed    = "true or false"
	pathAllowed    = "a path, absolute or relative to the folder of this file"
)

func numberAllowed(low, high int64) string {
	return fmt.Sprintf("a whole number from %d to %d", low, high)
}

func millisecondsAllowed(low, high int64) string {
	return fmt.Sprintf("a whole number of milliseconds from %d to %d", low, high)
}

// sections are all keys, in the order of the file.
var sections = []section{
	{
		name: "node",
		doc: `This replica. Its index among the members is not configured: it is the place
of its public key in the genesis file.`,
		keys: []key{
			{
				name:    "name",
				doc:     "A label for this replica's log lines. Empty: its name in the genesis file.",
				allowed: fmt.Sprintf("at most %d printable characters", nameBytesMax),
				field:   func(c *Config) any { return &c.Node.Name },
				check:   func(c *Config) string { return checkName(c.Node.Name) },
			},
			{
				name: "genesis_path",
				doc: `The genesis file: members, their keys and the parameters all agree on. It is
the same at every member; peers of another chain refuse this replica.`,
				allowed:  pathAllowed,
				field:    func(c *Config) any { return &c.Node.GenesisPath },
				check:    func(c *Config) string { return checkPath(c.Node.GenesisPath) },
				relative: true,
			},
		},
	},
	{
		name: "consensus",
		doc: `The local half of the protocol's parameters. Wrong values here cost speed or
availability; none of them can make two replicas disagree.`,
		keys: []key{
			{
				name:    "algorithm",
				doc:     "The consensus algorithm.",
				allowed: oneOf("bft"),
				field:   func(c *Config) any { return &c.Consensus.Algorithm },
				check:   func(c *Config) string { return checkOneOf(c.Consensus.Algorithm, "bft") },
			},
			{
				name: "state_machine",
				doc: `What executes finalised vertices: "ledger" keeps them in order, "kv" is a
key-value store, served under /v1/kv. All members must name the same; one that
differs halts at its first checkpoint. It is chosen once for a chain.`,
				allowed: oneOf(StateMachineLedger, StateMachineKV),
				field:   func(c *Config) any { return &c.Consensus.StateMachine },
				check: func(c *Config) string {
					return checkOneOf(c.Consensus.StateMachine, StateMachineLedger, StateMachineKV)
				},
			},
			{
				name: "quorum_threshold",
				doc: `The fraction of members you expect a quorum to be. It is compared with the
quorum that follows from the number of members and changes nothing: the
replica does not start on an expectation that would be unsafe, or that the
tolerated number of silent members could prevent.`,
				allowed: "a number above 0 and at most 1 that means the safe quorum; 0.67 does for any number of members",
				field:   func(c *Config) any { return &c.Consensus.QuorumThreshold },
				check:   func(c *Config) string { return checkFraction(c.Consensus.QuorumThreshold) },
			},
			{
				name: "finality_timeout_ms",
				doc: `The longest a vertex may wait to be final before the leader is suspected. The
replica waits for less when the cluster has shown to be faster. Too short
for your network, and sound leaders are replaced again and again.`,
				allowed: millisecondsAllowed(finalityTimeoutMsMin, timeoutMsMax),
				field:   func(c *Config) any { return &c.Consensus.FinalityTimeout },
				check: func(c *Config) string {
					return checkMilliseconds(c.Consensus.FinalityTimeout, finalityTimeoutMsMin, timeoutMsMax)
				},
			},
			{
				name: "max_pending_vertices",
				doc: `How many vertices may wait to become final at this replica. Whoever proposes
one more is told to retry. The pool takes the vertices' size in memory.`,
				allowed: numberAllowed(1, maxPendingVerticesMax),
				field:   func(c *Config) any { return &c.Consensus.MaxPendingVertices },
				check: func(c *Config) string {
					return checkRange(int64(c.Consensus.MaxPendingVertices), 1, maxPendingVerticesMax)
				},
			},
			{
				name: "byzantine_detection_enabled",
				doc: `Whether this replica bans members that are proven to lie. Without, their lies
are as harmless, but go on costing work.`,
				allowed: boolAllowed,
				field:   func(c *Config) any { return &c.Consensus.ByzantineDetectionEnabled },
			},
			{
				name: "pipeline_depth",
				doc: `How many batches this replica keeps in flight while it leads. 1 makes every
batch wait for the one before; many make batches small and votes dear.`,
				allowed: numberAllowed(1, pipelineDepthMax) + ", at most the window of the genesis",
				field:   func(c *Config) any { return &c.Consensus.PipelineDepth },
				check: func(c *Config) string {
					return checkRange(int64(c.Consensus.PipelineDepth), 1, pipelineDepthMax)
				},
			},
			{
				name: "heartbeat_ms",
				doc: `The time between two status messages to every peer. They are what finds and
repairs losses: longer means slower repair, shorter more idle traffic.`,
				allowed: millisecondsAllowed(heartbeatMsMin, heartbeatMsMax),
				field:   func(c *Config) any { return &c.Consensus.Heartbeat },
				check: func(c *Config) string {
					return checkMilliseconds(c.Consensus.Heartbeat, heartbeatMsMin, heartbeatMsMax)
				},
			},
			{
				name: "heartbeat_timeout_ms",
				doc: `The silence after which a leader is suspected. A member's heartbeat_ms must be
well below every other member's heartbeat_timeout_ms.`,
				allowed: millisecondsAllowed(2*heartbeatMsMin, timeoutMsMax) + ", at least twice heartbeat_ms",
				field:   func(c *Config) any { return &c.Consensus.HeartbeatTimeout },
				check:   checkHeartbeatTimeout,
			},
		},
	},
	{
		name: "crypto",
		doc:  "The keys of this replica. They are secret, and readable for their owner alone.",
		keys: []key{
			{
				name: "signature_algorithm",
				doc: `The signature scheme you expect. The genesis file decides; the replica does not
start if it names another.`,
				allowed: oneOf(crypto.SchemeNames()...),
				field:   func(c *Config) any { return &c.Crypto.SignatureAlgorithm },
				check: func(c *Config) string {
					return checkOneOf(c.Crypto.SignatureAlgorithm, crypto.SchemeNames()...)
				},
			},
			{
				name: "key_path",
				doc: `The key that signs this member's votes. Never run two processes with the same
one: they contradict each other, which is a lie with a proof.`,
				allowed:  pathAllowed,
				field:    func(c *Config) any { return &c.Crypto.KeyPath },
				check:    func(c *Config) string { return checkPath(c.Crypto.KeyPath) },
				relative: true,
			},
			{
				name:     "channel_key_path",
				doc:      "The key that authenticates this member's connections.",
				allowed:  pathAllowed + ", another file than key_path",
				field:    func(c *Config) any { return &c.Crypto.ChannelKeyPath },
				check:    checkChannelKeyPath,
				relative: true,
			},
		},
	},
	{
		name: "network",
		doc:  "The connections between members.",
		keys: []key{
			{
				name:    "listen",
				doc:     "Where this replica listens for its peers. An empty host means all interfaces.",
				allowed: addressAllowed,
				field:   func(c *Config) any { return &c.Network.Listen },
				check:   func(c *Config) string { return checkListen(c.Network.Listen, 1) },
			},
			{
				name: "peers",
				doc: `Where the members are reached, in the order of the genesis file, this replica
included. In another order nobody connects: each address is expected to
answer with its member's key.`,
				allowed:  fmt.Sprintf("%d to %d times host:port, all different", messages.MembersMin, messages.MembersMax),
				field:    func(c *Config) any { return &c.Network.Peers },
				check:    func(c *Config) string { return checkPeers(c.Network.Peers) },
				required: true,
			},
		},
	},
	{
		name: "storage",
		doc:  "What this replica must not forget.",
		keys: []key{
			{
				name: "path",
				doc: `The folder of journal, ledger and state. It belongs to this key and this chain.
A replica that lost it has forgotten how it voted: started with the same key it
observes until that cannot matter any more.`,
				allowed:  pathAllowed,
				field:    func(c *Config) any { return &c.Storage.Path },
				check:    func(c *Config) string { return checkPath(c.Storage.Path) },
				relative: true,
			},
			{
				name: "wal_sync",
				doc: `Whether a vote leaves only when it is on the disk ("always"). With "never" a
power failure, not a crash of the process, can turn this member into one of
the faulty ones. For experiments.`,
				allowed: oneOf(WALSyncAlways, WALSyncNever),
				field:   func(c *Config) any { return &c.Storage.WALSync },
				check: func(c *Config) string {
					return checkOneOf(c.Storage.WALSync, WALSyncAlways, WALSyncNever)
				},
			},
			{
				name: "segment_bytes",
				doc: `The size of a journal segment. Segments are filled with zeros before they are
used: larger ones take longer to start and to recover, smaller ones change
more often.`,
				allowed: numberAllowed(segmentBytesMin, segmentBytesMax) + ", a multiple of 4096",
				field:   func(c *Config) any { return &c.Storage.SegmentBytes },
				check:   func(c *Config) string { return checkSegmentBytes(c.Storage.SegmentBytes) },
			},
			{
				name: "ledger_retain",
				doc: `How many sequences the ledger keeps, at least; 0 keeps all. Older ones are given
up once a snapshot of the state is newer, and receipts of their vertices with
them. Who lacks them gets the snapshot.`,
				allowed: numberAllowed(0, ledgerRetainMax),
				field:   func(c *Config) any { return &c.Storage.LedgerRetain },
				check:   func(c *Config) string { return checkRange(c.Storage.LedgerRetain, 0, ledgerRetainMax) },
			},
		},
	},
	{
		name: "api",
		doc:  "The HTTP interface: proposing, status, health and metrics. It knows no passwords.",
		keys: []key{
			{
				name:    "listen",
				doc:     "Where the HTTP interface listens.",
				allowed: "host:port of this machine, as 127.0.0.1:7001, and others with allow_remote = true; port 0 takes any free one",
				field:   func(c *Config) any { return &c.API.Listen },
				check:   checkAPIListen,
			},
			{
				name: "allow_remote",
				doc: `Permits a listen address that other machines can reach. Everyone who can reach
it can propose vertices; put something in front that knows your users.`,
				allowed: boolAllowed,
				field:   func(c *Config) any { return &c.API.AllowRemote },
			},
			{
				name:    "max_body_bytes",
				doc:     `The largest request body. A vertex as JSON takes a third more than its bytes.`,
				allowed: numberAllowed(bodyBytesMin, bodyBytesMax),
				field:   func(c *Config) any { return &c.API.MaxBodyBytes },
				check:   func(c *Config) string { return checkRange(c.API.MaxBodyBytes, bodyBytesMin, bodyBytesMax) },
			},
		},
	},
	{
		name: "metrics",
		doc:  "Prometheus metrics, at /metrics of the HTTP interface.",
		keys: []key{
			{
				name:    "enabled",
				doc:     "Whether /metrics is served.",
				allowed: boolAllowed,
				field:   func(c *Config) any { return &c.Metrics.Enabled },
			},
		},
	},
	{
		name: "log",
		doc:  "The log, on standard error.",
		keys: []key{
			{
				name:    "level",
				doc:     `The lowest level that is logged. "debug" logs every message and costs speed.`,
				allowed: oneOf(logLevels...),
				field:   func(c *Config) any { return &c.Log.Level },
				check:   func(c *Config) string { return checkOneOf(c.Log.Level, logLevels...) },
			},
			{
				name:    "format",
				doc:     `"console" for people, "json" for machines.`,
				allowed: oneOf(logFormats...),
				field:   func(c *Config) any { return &c.Log.Format },
				check:   func(c *Config) string { return checkOneOf(c.Log.Format, logFormats...) },
			},
		},
	},
}

var (
	logLevels  = []string{"debug", "info", "warn", "error"}
	logFormats = []string{"console", "json"}
)

func oneOf(values ...string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	return strings.Join(quoted, ", ")
}

func sectionNames() []string {
	names := make([]string, len(sections))
	for i, s := range sections {
		names[i] = s.name
	}
	return names
}

func (s *section) keyNames() []string {
	names := make([]string, len(s.keys))
	for i, k := range s.keys {
		names[i] = k.name
	}
	return names
}
