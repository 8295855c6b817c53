package raftpeer

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/hashicorp/raft"
)

// state is what a member has applied: how much, and a checksum over all of it in its
// order. It is as little as an application can do and still be compared.
type state struct {
	Vertices uint64
	Sum      uint32
}

// machine is a member's application.
type machine struct {
	mu      sync.Mutex
	state   state
	batches uint64
}

var _ raft.BatchingFSM = (*machine)(nil)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ApplyBatch implements raft.BatchingFSM. What was applied together answers with the
// number of its batch.
func (m *machine) ApplyBatch(entries []*raft.Log) []any {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.batches++
	answers, answer := make([]any, len(entries)), any(m.batches)
	for i, e := range entries {
		if e.Type == raft.LogCommand {
			m.state.Vertices++
			m.state.Sum = crc32.Update(m.state.Sum, castagnoli, e.Data)
			answers[i] = answer
		}
	}
	return answers
}

// Apply implements raft.FSM.
func (m *machine) Apply(entry *raft.Log) any { return m.ApplyBatch([]*raft.Log{entry})[0] }

func (m *machine) now() (state, uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state, m.batches
}

// Snapshot implements raft.FSM.
func (m *machine) Snapshot() (raft.FSMSnapshot, error) {
	s, _ := m.now()
	return s, nil
}

// Restore implements raft.FSM.
func (m *machine) Restore(from io.ReadCloser) error {
	defer from.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	return binary.Read(from, binary.BigEndian, &m.state)
}

// Persist implements raft.FSMSnapshot.
func (s state) Persist(sink raft.SnapshotSink) error {
	if err := binary.Write(sink, binary.BigEndian, s); err != nil {
		return fmt.Errorf("write a snapshot: %w, and giving it up: %w", err, sink.Cancel())
	}
	return sink.Close()
}

// Release implements raft.FSMSnapshot.
func (state) Release() {}
