package cometpeer

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/store"
)

// TestCluster: what is answered was executed by all validators alike, and is in every
// validator's blocks when it has stopped. No goleak here: nodes leave goroutines behind.
func TestCluster(t *testing.T) {
	const members, groups, each = 4, 12, 25
	dir := t.TempDir()
	c, err := Start(t.Context(), members, dir, each)
	if err != nil {
		t.Fatal(err)
	}
	leaders := map[int]bool{}
	for k := range groups {
		var payloads [][]byte
		for i := range each {
			payloads = append(payloads, fmt.Appendf(nil, "payload=%d of:group %d", i, k))
		}
		leader := c.Leader()
		leaders[leader] = true
		heights, err := c.Submit(t.Context(), leader, payloads)
		if err != nil || len(heights) != each || heights[0] == 0 {
			t.Fatalf("group %d: executed at heights %v, %v", k, heights, err)
		}
	}
	if len(leaders) < 2 {
		t.Errorf("only %v proposed", leaders)
	}
	vertices, err := c.Agree(t.Context())
	if err != nil || vertices != groups*each {
		t.Errorf("all validators have executed %d transactions, %v", vertices, err)
	}
	spent, err := c.Count()
	if err != nil || spent.Sequences < groups || spent.CPUSeconds <= 0 {
		t.Errorf("spent %+v on %d groups, one after the other, %v", spent, groups, err)
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	for i := range members {
		if got := stored(t, filepath.Join(dir, fmt.Sprintf("comet-%d", i))); got != groups*each {
			t.Errorf("the blocks of validator %d have %d transactions, submitted were %d", i, got, groups*each)
		}
	}
}

// stored is how many transactions the blocks in a validator's folder have.
func stored(t *testing.T, root string) (transactions int) {
	t.Helper()
	db, err := config.DefaultDBProvider(&config.DBContext{ID: "blockstore", Config: settings(root, 1)})
	if err != nil {
		t.Fatal(err)
	}
	blocks := store.NewBlockStore(db)
	defer blocks.Close()
	for height := int64(1); height <= blocks.Height(); height++ {
		block, _ := blocks.LoadBlock(height)
		transactions += len(block.Txs)
	}
	return transactions
}

// TestTransaction: the store takes a transaction with one separator, and no two are
// alike.
func TestTransaction(t *testing.T) {
	payload := make([]byte, 256)
	for i := range payload {
		payload[i] = byte(i)
	}
	tx := transaction(3, 7, 1, payload)
	if n := bytes.Count(tx, []byte("=")) + bytes.Count(tx, []byte(":")); n != 1 || tx[keyLength] != '=' || len(tx) != keyLength+1+len(payload) {
		t.Errorf("%d separators in %d bytes: %q", n, len(tx), tx)
	}
	for _, other := range [][]byte{transaction(2, 7, 1, payload), transaction(3, 8, 1, payload), transaction(3, 7, 2, payload)} {
		if bytes.Equal(tx, other) {
			t.Errorf("two alike: %q", other)
		}
	}
}
