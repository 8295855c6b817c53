package nodeconfig

import (
	"bytes"
	"flag"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/node.toml anew")

// TestRenderGolden shows in a diff what operators will see change.
func TestRenderGolden(t *testing.T) {
	const path = "testdata/node.toml"
	got := Render(valid())
	if *rewrite {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("Render differs from %s; if that is meant, run this test with -rewrite\n%s", path, got)
	}
}

// TestRenderReadsBack uses other values than the defaults throughout, so that a
// key that is written but not read, or the other way round, shows.
func TestRenderReadsBack(t *testing.T) {
	c := Default()
	c.Node = Node{Name: `a "quoted" \ name`, GenesisPath: "/g\t\n\"é\u007f"}
	c.Consensus = Consensus{"bft", StateMachineKV, 1, 1e9, 7, false, 9, 3e7, 6e8}
	c.Crypto = Crypto{"ml-dsa-65", "/k", "/c"}
	c.Network = Network{":1", []string{"a:1", "b:1", "c:1", "[::1]:65535"}}
	c.Storage = Storage{"/s", WALSyncNever, 16 << 20, 9}
	c.API = API{"0.0.0.0:0", true, 4096}
	c.Metrics = Metrics{false}
	c.Log = Log{"debug", "json"}
	written := Render(c)
	read, err := parse(written, "/etc/node.toml")
	if err != nil {
		t.Fatalf("%v in\n%s", err, written)
	}
	if again := Render(read); !bytes.Equal(written, again) {
		t.Errorf("written\n%s\nread\n%s", written, again)
	}
}

// TestRenderLineWidth keeps the file readable in a terminal.
func TestRenderLineWidth(t *testing.T) {
	for i, line := range strings.Split(string(Render(valid())), "\n") {
		if len(line) > 120 {
			t.Errorf("line %d has %d bytes: %s", i+1, len(line), line)
		}
	}
}

func TestRenderFloat(t *testing.T) {
	for _, f := range []float64{0, 1, -1, 0.67, 2.0 / 3, 1e300, 1e-7, math.Inf(1), math.Inf(-1)} {
		var v struct{ F any }
		if err := toml.Unmarshal([]byte("F = "+renderFloat(f)), &v); err != nil || v.F != f {
			t.Errorf("%v is written %s and read %v, %v", f, renderFloat(f), v.F, err)
		}
	}
	var nan struct{ F float64 }
	if err := toml.Unmarshal([]byte("F = "+renderFloat(math.NaN())), &nan); err != nil || !math.IsNaN(nan.F) {
		t.Errorf("NaN is read %v, %v", nan.F, err)
	}
}
