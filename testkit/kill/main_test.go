package main

import (
	"bytes"
	"flag"
	"testing"
)

var kills = flag.Int("kill.kills", 12, "how many kills TestKills makes")

// TestKills: processes that are killed at any moment lose nothing they
// acknowledged, execute nothing twice, and sign nothing else than before.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs processes")
	}
	var out bytes.Buffer
	err := run(t.Context(), options{kills: *kills, seed: 1, dir: t.TempDir(), out: &out})
	t.Log(out.String())
	if err != nil {
		t.Fatal(err)
	}
}
