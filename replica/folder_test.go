package replica_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/storage"
	"github.com/cretoai/consensus/testkit"
)

// elsewhere is how replica i would be started once more.
func elsewhere(t *testing.T, c *testkit.Cluster, i int, home string) error {
	t.Helper()
	cfg := replica.DefaultConfig()
	cfg.Genesis, cfg.Key, cfg.Home, cfg.SegmentBytes = c.Genesis, c.Key(i), home, 1<<20
	r, err := replica.Start(t.Context(), cfg, replica.WithStorage(c.Disk(i)),
		replica.WithTransport(c.Network.Transport(0)), replica.WithLogger(zerolog.Nop()))
	if err == nil {
		t.Error(r.Stop(t.Context()), "it was started")
	}
	return err
}

func TestASecondReplicaOnAFolderIsRefused(t *testing.T) {
	c := testkit.New(t, 4)
	c.Start(1)
	if err := elsewhere(t, c, 1, c.Home(1)); !errors.Is(err, storage.ErrLocked) || !strings.Contains(err.Error(), "stop it first") {
		t.Errorf("a second replica on a folder: %v", err)
	}
}

func TestAnothersFolderIsRefusedReadably(t *testing.T) {
	c := testkit.New(t, 4)
	c.Start(1)
	c.Kill(1)
	c.SetDisk(2, c.Disk(1))
	var foreign *storage.IdentityError
	if err := elsewhere(t, c, 2, c.Home(1)); !errors.As(err, &foreign) || foreign.Field != "member" || !strings.Contains(err.Error(), "its own folder") {
		t.Errorf("another member's folder: %v", err)
	}
}

// TestLazyFlushingIsSeen in the log and in a metric.
func TestLazyFlushingIsSeen(t *testing.T) {
	for _, policy := range []storage.SyncPolicy{storage.SyncAlways, storage.SyncNever} {
		var log strings.Builder
		c := testkit.New(t, 4)
		cfg := replica.DefaultConfig()
		cfg.Genesis, cfg.Key, cfg.Home, cfg.SegmentBytes, cfg.WALSync = c.Genesis, c.Key(0), c.Home(0), 1<<20, policy
		r, err := replica.Start(t.Context(), cfg, replica.WithStorage(c.Disk(0)),
			replica.WithTransport(c.Network.Transport(0)), replica.WithLogger(zerolog.New(zerolog.SyncWriter(&log))))
		if err != nil {
			t.Fatal(err)
		}
		families, err := r.Metrics().Gather()
		if err != nil {
			t.Fatal(err)
		}
		want := 0.0
		if policy == storage.SyncNever {
			want = 1
		}
		for _, f := range families {
			if f.GetName() == "cretoai_consensus_wal_sync_disabled" && f.GetMetric()[0].GetGauge().GetValue() != want {
				t.Errorf("wal_sync %v: the metric says %v", policy, f.GetMetric()[0])
			}
		}
		if err := r.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if warned := strings.Contains(log.String(), "counts as a faulty member"); warned != (policy == storage.SyncNever) {
			t.Errorf("wal_sync %v: warned: %v", policy, warned)
		}
	}
}
