package raftpeer

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/metadb"
)

// journal is a member's log, with what is written to it counted. raft-wal flushes
// once for each call.
type journal struct {
	*wal.WAL
	meta                        *metadb.BoltMetaDB
	flushes, nanoseconds, bytes atomic.Int64
}

// openJournal opens the log in a folder.
func openJournal(dir string) (*journal, error) {
	meta := &metadb.BoltMetaDB{}
	log, err := wal.Open(dir, wal.WithLogger(hclog.NewNullLogger()), wal.WithMetaStore(meta))
	if err != nil {
		return nil, err
	}
	return &journal{WAL: log, meta: meta}, nil
}

// Close closes the log, and with it its database of segments, which the log leaves open.
func (j *journal) Close() error { return errors.Join(j.WAL.Close(), j.meta.Close()) }

// StoreLog implements raft.LogStore.
func (j *journal) StoreLog(entry *raft.Log) error { return j.StoreLogs([]*raft.Log{entry}) }

// StoreLogs implements raft.LogStore.
func (j *journal) StoreLogs(entries []*raft.Log) error {
	begin := time.Now()
	err := j.WAL.StoreLogs(entries)
	j.nanoseconds.Add(int64(time.Since(begin)))
	j.flushes.Add(1)
	bytes := 0
	for _, e := range entries {
		bytes += len(e.Data)
	}
	j.bytes.Add(int64(bytes))
	return err
}
