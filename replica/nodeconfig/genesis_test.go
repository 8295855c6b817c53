package nodeconfig

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cretoai/consensus/messages"
)

// genesisOf is a genesis as far as CheckAgainst looks at it.
func genesisOf(n int) *messages.Genesis {
	return &messages.Genesis{
		ChainID: "test", Scheme: "ml-dsa-87", Params: messages.DefaultParams(), Members: make([]messages.Member, n),
	}
}

func TestCheckAgainst(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config, *messages.Genesis)
		want   string // a part of the only complaint; "" without
	}{
		{"defaults", func(*Config, *messages.Genesis) {}, ""},
		{"the exact quorum", func(c *Config, _ *messages.Genesis) { c.Consensus.QuorumThreshold = 0.75 }, ""},
		{"a majority", func(c *Config, _ *messages.Genesis) { c.Consensus.QuorumThreshold = 0.5 },
			"consensus.quorum_threshold: quorum_threshold 0.5 is below the safe quorum: 4 members tolerate f=1 faulty ones and need a quorum of q=3"},
		{"everybody", func(c *Config, _ *messages.Genesis) { c.Consensus.QuorumThreshold = 1 },
			"could not be reached with f members silent"},
		{"another scheme", func(_ *Config, g *messages.Genesis) { g.Scheme = "ml-dsa-44" },
			`crypto.signature_algorithm: the members of chain "test" sign with "ml-dsa-44", not "ml-dsa-87"; allowed: "ml-dsa-44"`},
		{"a member more", func(_ *Config, g *messages.Genesis) { g.Members = make([]messages.Member, 5) },
			`network.peers: 4 addresses for the 5 members of chain "test"; allowed: 5 addresses, one a member`},
		{"a narrow window", func(_ *Config, g *messages.Genesis) { g.Params.Window = 2 },
			`consensus.pipeline_depth: 4 sequences do not fit into the window of 2 of chain "test"; allowed: 1 to 2`},
		{"a window as wide as the pipeline", func(_ *Config, g *messages.Genesis) { g.Params.Window = 4 }, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, g := valid(), genesisOf(4)
			test.change(c, g)
			err := c.CheckAgainst(g)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if len(Complaints(err)) != 1 || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// TestCheckAgainstKnowsTheFile: complaints about a loaded configuration have its
// lines, in the order of the file.
func TestCheckAgainstKnowsTheFile(t *testing.T) {
	path := write(t, peers+"[consensus]\nquorum_threshold = 0.51\n")
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	got := Complaints(c.CheckAgainst(genesisOf(7)))
	if len(got) != 2 {
		t.Fatalf("got %v", got)
	}
	for i, want := range []string{
		fmt.Sprintf("%s:2: network.peers: ", path),
		fmt.Sprintf("%s:4: consensus.quorum_threshold: ", path),
	} {
		if !strings.HasPrefix(got[i].Error(), want) {
			t.Errorf("complaint %d is %v, want %s…", i, got[i], want)
		}
	}
}
