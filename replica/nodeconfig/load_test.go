package nodeconfig

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// peers is the least a node.toml must say.
const peers = `[network]
peers = ["10.0.0.1:7000", "10.0.0.2:7000", "10.0.0.3:7000", "10.0.0.4:7000"]
`

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "node.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadFillsInDefaultsAndResolvesPaths(t *testing.T) {
	path := write(t, peers+`
[consensus]
finality_timeout_ms = 750
quorum_threshold = 1
[storage]
path = "/var/lib/replica"
[crypto]
key_path = "../keys/consensus.key"
`)
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(path)
	want := Default()
	want.Node.GenesisPath = filepath.Join(folder, "genesis.json")
	want.Consensus.FinalityTimeout = 750 * time.Millisecond
	want.Consensus.QuorumThreshold = 1 // a whole number is a fraction too
	want.Crypto.KeyPath = filepath.Join(filepath.Dir(folder), "keys", "consensus.key")
	want.Crypto.ChannelKeyPath = filepath.Join(folder, "channel.key")
	want.Storage.Path = "/var/lib/replica"
	want.Network.Peers = []string{"10.0.0.1:7000", "10.0.0.2:7000", "10.0.0.3:7000", "10.0.0.4:7000"}
	if g, w := string(Render(got)), string(Render(want)); g != w {
		t.Errorf("loaded\n%s\nwant\n%s", g, w)
	}
}

// TestLoadComplaints holds every kind of mistake to its complaint, which names
// file, line, key, problem and what is allowed.
func TestLoadComplaints(t *testing.T) {
	tests := []struct {
		name string
		toml string
		want []string // complete complaints after "<path>", in order
	}{
		{"not TOML", "[consensus]\nalgorithm = bft\n", []string{
			`:2: not valid TOML: `,
		}},
		{"unclosed string", "\n\n[consensus]\nalgorithm = \"bft\n", []string{
			`:4: not valid TOML: `,
		}},
		{"key twice", peers + "[log]\nlevel = \"info\"\nlevel = \"warn\"\n", []string{
			`:5: not valid TOML: `,
		}},
		{"table twice", peers + "[log]\n[log]\n", []string{
			`:4: not valid TOML: `,
		}},
		{"unknown key", peers + "[consensus]\n\npipeline = 4\n", []string{
			`:5: consensus.pipeline: unknown key; allowed: algorithm, state_machine, quorum_threshold, finality_timeout_ms, max_pending_vertices, byzantine_detection_enabled, pipeline_depth, heartbeat_ms, heartbeat_timeout_ms`,
		}},
		{"misspelt key", peers + "[log]\nlevl = \"info\"\n", []string{
			`:4: log.levl: unknown key, did you mean level?; allowed: level, format`,
		}},
		{"key of another table", peers + "[log]\nquorum_threshold = 0.67\n", []string{
			`:4: log.quorum_threshold: unknown key, quorum_threshold belongs into [consensus]; allowed: level, format`,
		}},
		{"key above all tables", "algorithm = \"bft\"\n" + peers, []string{
			`:1: algorithm: unknown table, algorithm belongs into [consensus]; allowed: node, consensus, crypto, network, storage, api, metrics, log`,
		}},
		{"misspelt table", peers + "[consenus]\nalgorithm = \"bft\"\n", []string{
			`:3: consenus: unknown table, did you mean consensus?; allowed: node, consensus, crypto, network, storage, api, metrics, log`,
		}},
		{"strange key", peers + "[log]\n\"a.b\\u001b\" = 1\n", []string{
			`:4: log."a.b\u001B": unknown key; allowed: level, format`,
		}},
		{"table below a key", peers + "[log.level]\nx = 1\n", []string{
			`:3: log.level: a table does not fit; allowed: "debug", "info", "warn", "error"`,
		}},
		{"array of tables", peers + "[[log]]\nlevel = \"info\"\n", []string{
			`:3: log: an array, not a table; allowed: [log] with keys below it`,
		}},
		{"wrong types", peers + `[consensus]
algorithm = 1
finality_timeout_ms = "500ms"
byzantine_detection_enabled = "yes"
pipeline_depth = 4.0
heartbeat_ms = 1979-05-27
quorum_threshold = "two thirds"
`, []string{
			`:4: consensus.algorithm: a whole number does not fit; allowed: "bft"`,
			`:5: consensus.finality_timeout_ms: a string does not fit; allowed: a whole number of milliseconds from 250 to 30000`,
			`:6: consensus.byzantine_detection_enabled: a string does not fit; allowed: true or false`,
			`:7: consensus.pipeline_depth: a fraction does not fit; allowed: a whole number from 1 to 64, at most the window of the genesis`,
			`:8: consensus.heartbeat_ms: a date or time does not fit; allowed: a whole number of milliseconds from 10 to 5000`,
			`:9: consensus.quorum_threshold: a string does not fit; allowed: a number above 0 and at most 1 that means the safe quorum; 0.67 does for any number of members`,
		}},
		{"impossible values", peers + `[consensus]
algorithm = "raft"
quorum_threshold = nan
finality_timeout_ms = 9223372036854775807
max_pending_vertices = 0
pipeline_depth = 65
heartbeat_ms = -1
`, []string{
			`:4: consensus.algorithm: "raft" is not known; allowed: "bft"`,
			`:5: consensus.quorum_threshold: NaN is no fraction of the members; allowed: `,
			`:6: consensus.finality_timeout_ms: 9223372036854775807 is out of range; allowed: `,
			`:7: consensus.max_pending_vertices: 0 is too small; allowed: a whole number from 1 to 1000000`,
			`:8: consensus.pipeline_depth: 65 is too large; allowed: `,
			`:9: consensus.heartbeat_ms: -1 is too small; allowed: `,
		}},
		{"dotted keys and inline tables have lines too", "log.level = \"loud\"\napi = { listen = \"127.0.0.1:1\",\n  max_body_bytes = 0 }\n" + peers, []string{
			`:1: log.level: "loud" is not known; allowed: "debug", "info", "warn", "error"`,
			`:3: api.max_body_bytes: 0 is too small; allowed: `,
		}},
		{"no peers", "", []string{
			`: network.peers: no peers given; allowed: 4 to 64 times host:port, all different`,
		}},
		{"what is missing comes last", "[log]\nlevel = \"\"\n", []string{
			`:2: log.level: "" is not known; allowed: "debug", "info", "warn", "error"`,
			`: network.peers: no peers given; allowed: `,
		}},
		{"peers of a wrong type", "[network]\npeers = [\"a:1\", 2]\n", []string{
			`:2: network.peers: element 1 is a whole number, not a string; allowed: `,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.toml)
			cfg, err := Load(path)
			if err == nil {
				t.Fatalf("accepted as\n%s", Render(cfg))
			}
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(test.want) {
				t.Fatalf("got %d complaints, want %d:\n%v", len(got), len(test.want), err)
			}
			for i, want := range test.want {
				// A want that ends in "; allowed: " or a colon leaves the rest open.
				open := strings.HasSuffix(want, ": ")
				if rest, ok := strings.CutPrefix(got[i], path); !ok || !strings.HasPrefix(rest, want) || !open && rest != want {
					t.Errorf("complaint %d is\n%s, want\n%s%s", i, got[i], path, want)
				}
			}
			if listed := Complaints(err); len(listed) != len(got) {
				t.Errorf("Complaints lists %d of %d", len(listed), len(got))
			}
		})
	}
}

func TestLoadWithoutAFile(t *testing.T) {
	folder := t.TempDir()
	_, err := Load(filepath.Join(folder, "node.toml"))
	if err == nil || !strings.Contains(err.Error(), "read configuration: open "+folder) {
		t.Errorf("got %v", err)
	}
	if listed := Complaints(err); len(listed) != 0 {
		t.Errorf("a missing file is no complaint about its contents: %v", listed)
	}
}

func TestLoadRefusesHugeFiles(t *testing.T) {
	text := peers + strings.Repeat("# padding\n", configBytesMax/10+1)
	if _, err := Load(write(t, text)); err == nil || !strings.Contains(err.Error(), "more than the 1048576 bytes that are read") {
		t.Errorf("got %v", err)
	}
}

// TestDeepNesting: a file of brackets must not exhaust the stack.
func TestDeepNesting(t *testing.T) {
	for _, text := range []string{
		"a = " + strings.Repeat("[", 400_000) + strings.Repeat("]", 400_000),
		"a = " + strings.Repeat("{a=", 200_000) + "1" + strings.Repeat("}", 200_000),
		strings.Repeat("a.", 400_000) + "a = 1",
	} {
		if _, err := parse([]byte(text), "node.toml"); len(Complaints(err)) == 0 {
			t.Errorf("%.8s… was accepted", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(peers))
	f.Add(Render(Default()))
	f.Add([]byte("log.level = 1\n[[log]]\n\"\" = {a.b = []}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := parse(data, "node.toml")
		if err != nil {
			listed := Complaints(err)
			if len(listed) == 0 {
				t.Fatalf("an error without complaints: %v", err)
			}
			last := 1 + strings.Count(string(data), "\n")
			for _, c := range listed {
				if c.Line < 0 || c.Line > last {
					t.Errorf("%v: the file has %d lines", c, last)
				}
			}
			return
		}
		// What was accepted is valid, and survives being written and read again.
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		written := Render(cfg)
		again, err := parse(written, "node.toml")
		if err != nil {
			t.Fatalf("%v in\n%s", err, written)
		}
		if !slices.Equal(written, Render(again)) {
			t.Errorf("written as\n%s\nread as\n%s", written, Render(again))
		}
	})
}
