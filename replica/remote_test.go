//go:build !race

// Several replicas with a network in one process set gRPC's global logger
// several times, which the race detector objects to; cluster's own tests run
// with that one race excepted.

package replica_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/cluster/clustertest"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/replica"
)

// networked makes the configurations of n members on loopback, for the start of
// their chain.
func networked(t *testing.T, n int) []replica.Config {
	t.Helper()
	scheme, err := crypto.SchemeByName("ml-dsa-44")
	if err != nil {
		t.Fatal(err)
	}
	genesis, keys, channels := cryptotest.NewMembers(n, 1, scheme)
	peers := make([]string, n)
	for i := range peers {
		peers[i] = clustertest.FreeAddress(t)
	}
	configs := make([]replica.Config, n)
	for i := range configs {
		cfg := replica.DefaultConfig()
		cfg.Genesis, cfg.Key, cfg.ChannelKey = genesis, keys[i], channels[i]
		cfg.Home, cfg.Listen, cfg.Peers, cfg.SegmentBytes, cfg.FirstStart = "replica", peers[i], peers, 1<<20, true
		configs[i] = cfg
	}
	return configs
}

// Four replicas that know of each other only what a genesis and a configuration
// say finalise over mutual TLS, and one that comes late catches up.
func TestReplicasMeetOverTheNetwork(t *testing.T) {
	replicas := make([]*replica.Replica, 4)
	startOne := func(i int, cfg replica.Config) {
		r, err := replica.Start(t.Context(), cfg, replica.WithStorage(vfs.NewMem()))
		if err != nil {
			t.Fatal(err)
		}
		replicas[i] = r
		t.Cleanup(func() {
			if err := r.Stop(context.Background()); err != nil {
				t.Errorf("stop replica %d: %v", i, err)
			}
		})
	}
	configs := networked(t, 4)
	for i := range 3 {
		startOne(i, configs[i])
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := replicas[1].Propose(ctx, replica.Vertex{Payload: []byte("over the network")}); err != nil {
		t.Fatal(err)
	}
	startOne(3, configs[3])
	receipt, err := replicas[3].Propose(ctx, replica.Vertex{Payload: []byte("from the one that came late")})
	if err != nil || receipt.Seq < 2 {
		t.Fatalf("the late replica's vertex has receipt %+v, %v", receipt, err)
	}
}

func TestReplicaRefusesAnIncompleteNetwork(t *testing.T) {
	for want, change := range map[string]func(*replica.Config){
		"3 peer addresses for 4 members": func(c *replica.Config) { c.Peers = c.Peers[:3] },
		"listen address":                 func(c *replica.Config) { c.Listen = "" },
		"not the one the genesis lists":  func(c *replica.Config) { c.ChannelKey = networked(t, 4)[1].ChannelKey },
	} {
		cfg := networked(t, 4)[0]
		change(&cfg)
		if _, err := replica.Start(t.Context(), cfg, replica.WithStorage(vfs.NewMem())); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
