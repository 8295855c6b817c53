package raftpeer

import (
	"fmt"
	"hash/crc32"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestCluster: what is answered was applied by all members alike, was flushed by a
// quorum, and is in every member's log when it has stopped.
func TestCluster(t *testing.T) {
	const members, groups, each = 3, 20, 16
	dir := t.TempDir()
	c, err := Start(t.Context(), members, dir, groups*each)
	if err != nil {
		t.Fatal(err)
	}
	for k := range groups {
		var payloads [][]byte
		for i := range each {
			payloads = append(payloads, fmt.Appendf(nil, "payload %d of group %d", i, k))
		}
		batches, err := c.Submit(t.Context(), c.Leader(), payloads)
		if err != nil || len(batches) != each || batches[0] == 0 {
			t.Fatalf("group %d: applied in batches %v, %v", k, batches, err)
		}
	}
	vertices, err := c.Agree(t.Context())
	if err != nil || vertices != groups*each {
		t.Errorf("all members have applied %d payloads, %v", vertices, err)
	}
	spent, err := c.Count()
	if err != nil || spent.Flushes < 2*groups || spent.Sequences < groups || spent.CPUSeconds <= 0 {
		t.Errorf("spent %+v on %d groups, one after the other, %v", spent, groups, err)
	}
	want, _ := c.members[0].machine.now()
	if _, err := c.Submit(t.Context(), (c.Leader()+1)%members, [][]byte{{1}}); err == nil {
		t.Error("a follower took a payload")
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	for i := range members {
		if got := logged(t, filepath.Join(dir, fmt.Sprintf("raft-%d", i))); got != want {
			t.Errorf("the log of member %d has %+v, applied was %+v", i, got, want)
		}
	}
}

// logged is what the log in a folder would have a member apply.
func logged(t *testing.T, dir string) (s state) {
	t.Helper()
	log, err := openJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	last, err := log.LastIndex()
	if err != nil {
		t.Fatal(err)
	}
	for i := uint64(1); i <= last; i++ {
		var entry raft.Log
		if err := log.GetLog(i, &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Type == raft.LogCommand {
			s.Vertices++
			s.Sum = crc32.Update(s.Sum, castagnoli, entry.Data)
		}
	}
	return s
}
