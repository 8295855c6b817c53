package nodeconfig

import (
	"math"
	"strings"
	"testing"
	"time"
)

// valid is Default with the peers it lacks.
func valid() *Config {
	c := Default()
	c.Network.Peers = []string{"10.0.0.1:7000", "10.0.0.2:7000", "10.0.0.3:7000", "10.0.0.4:7000"}
	return c
}

func TestDefaultLacksOnlyPeers(t *testing.T) {
	if err := valid().Validate(); err != nil {
		t.Error(err)
	}
	if got := Complaints(Default().Validate()); len(got) != 1 || got[0].Key != "network.peers" {
		t.Errorf("complaints about the defaults: %v", got)
	}
}

// TestValidate changes one value at a time and names the key complained about,
// "" where the value is at its bound and fine.
func TestValidate(t *testing.T) {
	replacePeer := func(address string) func(*Config) {
		return func(c *Config) { c.Network.Peers[2] = address }
	}
	tests := []struct {
		name   string
		change func(*Config)
		key    string
	}{
		{"name with control character", func(c *Config) { c.Node.Name = "a\x1b[31m" }, "node.name"},
		{"name not UTF-8", func(c *Config) { c.Node.Name = "a\xff" }, "node.name"},
		{"longest name", func(c *Config) { c.Node.Name = strings.Repeat("ä", nameBytesMax) }, ""},
		{"name too long", func(c *Config) { c.Node.Name = strings.Repeat("a", nameBytesMax+1) }, "node.name"},
		{"no genesis", func(c *Config) { c.Node.GenesisPath = "" }, "node.genesis_path"},
		{"path with zero byte", func(c *Config) { c.Storage.Path = "a\x00b" }, "storage.path"},

		{"threshold 0", func(c *Config) { c.Consensus.QuorumThreshold = 0 }, "consensus.quorum_threshold"},
		{"threshold 1", func(c *Config) { c.Consensus.QuorumThreshold = 1 }, ""},
		{"threshold above 1", func(c *Config) { c.Consensus.QuorumThreshold = 67 }, "consensus.quorum_threshold"},
		{"threshold NaN", func(c *Config) { c.Consensus.QuorumThreshold = math.NaN() }, "consensus.quorum_threshold"},
		{"finality timeout at the floor", func(c *Config) { c.Consensus.FinalityTimeout = 250 * time.Millisecond }, ""},
		{"finality timeout below the floor", func(c *Config) { c.Consensus.FinalityTimeout = 249 * time.Millisecond }, "consensus.finality_timeout_ms"},
		{"finality timeout above the cap", func(c *Config) { c.Consensus.FinalityTimeout = 30_001 * time.Millisecond }, "consensus.finality_timeout_ms"},
		{"finality timeout of half a millisecond more", func(c *Config) { c.Consensus.FinalityTimeout += time.Millisecond / 2 }, "consensus.finality_timeout_ms"},
		{"heartbeat timeout of two heartbeats", func(c *Config) { c.Consensus.HeartbeatTimeout = 200 * time.Millisecond }, ""},
		{"heartbeat timeout below two heartbeats", func(c *Config) { c.Consensus.HeartbeatTimeout = 199 * time.Millisecond }, "consensus.heartbeat_timeout_ms"},
		{"pool too large", func(c *Config) { c.Consensus.MaxPendingVertices = 1_000_001 }, "consensus.max_pending_vertices"},

		{"unknown scheme", func(c *Config) { c.Crypto.SignatureAlgorithm = "ed25519" }, "crypto.signature_algorithm"},
		{"weaker scheme", func(c *Config) { c.Crypto.SignatureAlgorithm = "ml-dsa-44" }, ""},
		{"one file for two keys", func(c *Config) { c.Crypto.ChannelKeyPath = c.Crypto.KeyPath }, "crypto.channel_key_path"},

		{"listen on all interfaces", func(c *Config) { c.Network.Listen = ":7000" }, ""},
		{"listen on IPv6", func(c *Config) { c.Network.Listen = "[::1]:7000" }, ""},
		{"listen without port", func(c *Config) { c.Network.Listen = "127.0.0.1" }, "network.listen"},
		{"listen on any port", func(c *Config) { c.Network.Listen = "127.0.0.1:0" }, "network.listen"},
		{"listen on a named port", func(c *Config) { c.Network.Listen = "127.0.0.1:http" }, "network.listen"},
		{"listen on port 65536", func(c *Config) { c.Network.Listen = "127.0.0.1:65536" }, "network.listen"},
		{"listen at a URL", func(c *Config) { c.Network.Listen = "http://127.0.0.1:7000" }, "network.listen"},
		{"host with a path", func(c *Config) { c.Network.Listen = "host/path:7000" }, "network.listen"},

		{"three peers", func(c *Config) { c.Network.Peers = c.Network.Peers[:3] }, "network.peers"},
		{"too many peers", func(c *Config) { c.Network.Peers = make([]string, 65) }, "network.peers"},
		{"peer by name", replacePeer("replica-2.example:7000"), ""},
		{"peer twice", replacePeer("10.0.0.1:7000"), "network.peers"},
		{"peer without host", replacePeer(":7000"), "network.peers"},
		{"peer at an unspecified address", replacePeer("0.0.0.0:7000"), "network.peers"},
		{"peer at an unspecified IPv6 address", replacePeer("[::]:7000"), "network.peers"},
		{"peer with port 0", replacePeer("10.0.0.3:0"), "network.peers"},

		{"wal_sync", func(c *Config) { c.Storage.WALSync = "sometimes" }, "storage.wal_sync"},
		{"never synced", func(c *Config) { c.Storage.WALSync = WALSyncNever }, ""},
		{"smallest segment", func(c *Config) { c.Storage.SegmentBytes = segmentBytesMin }, ""},
		{"segment not of pages", func(c *Config) { c.Storage.SegmentBytes = segmentBytesMin + 1 }, "storage.segment_bytes"},
		{"all of the ledger", func(c *Config) { c.Storage.LedgerRetain = 0 }, ""},
		{"less than nothing of the ledger", func(c *Config) { c.Storage.LedgerRetain = -1 }, "storage.ledger_retain"},
		{"segment too large", func(c *Config) { c.Storage.SegmentBytes = segmentBytesMax + 4096 }, "storage.segment_bytes"},

		{"API on any port", func(c *Config) { c.API.Listen = "127.0.0.1:0" }, ""},
		{"API at localhost", func(c *Config) { c.API.Listen = "localhost:7001" }, ""},
		{"API at another loopback", func(c *Config) { c.API.Listen = "[::ffff:127.0.0.9]:7001" }, ""},
		{"API on all interfaces", func(c *Config) { c.API.Listen = ":7001" }, "api.listen"},
		{"API elsewhere", func(c *Config) { c.API.Listen = "192.0.2.1:7001" }, "api.listen"},
		{"API elsewhere on purpose", func(c *Config) { c.API.Listen, c.API.AllowRemote = "192.0.2.1:7001", true }, ""},
		{"API where peers connect", func(c *Config) { c.API.Listen = c.Network.Listen }, "api.listen"},
		{"small bodies", func(c *Config) { c.API.MaxBodyBytes = 1023 }, "api.max_body_bytes"},

		{"log level", func(c *Config) { c.Log.Level = "trace" }, "log.level"},
		{"log format", func(c *Config) { c.Log.Format = "logfmt" }, "log.format"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := valid()
			test.change(c)
			got := Complaints(c.Validate())
			switch {
			case test.key == "" && len(got) != 0:
				t.Errorf("refused: %v", got)
			case test.key != "" && (len(got) != 1 || got[0].Key != test.key):
				t.Errorf("got %v, want one complaint about %s", got, test.key)
			}
		})
	}
}

// TestValidateJoinsAll: an operator should not find the mistakes one by one.
func TestValidateJoinsAll(t *testing.T) {
	var empty Config
	var keys []string
	for _, c := range Complaints(empty.Validate()) {
		keys = append(keys, c.Key)
	}
	// Everything but what an empty value is right for.
	var want []string
	for _, s := range sections {
		for _, k := range s.keys {
			if name := s.name + "." + k.name; k.check != nil && name != "node.name" && name != "storage.ledger_retain" {
				want = append(want, name)
			}
		}
	}
	if got, want := sorted(keys), sorted(want); got != want {
		t.Errorf("complaints about\n%s\nwant\n%s", got, want)
	}
}
