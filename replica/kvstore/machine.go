package kvstore

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// Execute executes one operation on tx and gives the answer to its caller, at
// most ResultBytesMax. With an error, or when it panics, the operation fails:
// its writes are thrown away, and the error's text, cut to reasonBytesMax, is
// what the caller is told. Everything it does, and the text too, must be a
// function of tx and op: the results are part of the state that replicas
// compare.
type Execute func(tx *Tx, op replica.Operation) (answer string, err error)

// ResultBytesMax bounds the answer of an operation; one that gives more fails.
const ResultBytesMax = 128 << 10

const reasonBytesMax = 256

// panicked is the reason of an operation that panicked. What it panicked with
// may differ from replica to replica.
const panicked = "the operation panicked"

// Machine is a replica.StateMachine that runs Execute for each operation.
type Machine struct {
	execute  Execute
	onPanic  func(op replica.Operation, value any)
	bytesMax int64
	store    *store
	tx       Tx
	results  messages.Digest // a hash chain over all results
	changed  bool            // results, since they were taken
}

// New makes the key-value store.
func New() *Machine { return NewMachine(execute) }

// NewMachine makes a state machine of operations of one's own.
func NewMachine(execute Execute) *Machine {
	m := &Machine{execute: execute, bytesMax: StateBytesMax}
	m.reset()
	return m
}

// OnPanic has f told of every operation that panics, with the value it panicked
// with, for a log: nothing f does may reach the state. Call it before the machine
// is in use.
func (m *Machine) OnPanic(f func(op replica.Operation, value any)) { m.onPanic = f }

func (m *Machine) reset() {
	m.store, m.results, m.changed = &store{}, messages.Digest{}, false
	m.tx = Tx{store: m.store}
}

// Apply implements replica.StateMachine.
func (m *Machine) Apply(_ messages.Seq, ops []replica.Operation) {
	if len(ops) == 0 {
		return
	}
	h := sha256.New()
	h.Write(m.results[:])
	for i := range ops {
		op := &ops[i]
		op.Result = m.run(*op)
		fixed := [32 + 1 + 4]byte(append(op.Hash[:], make([]byte, 5)...))
		if op.Result.Failed {
			fixed[32] = 1
		}
		binary.BigEndian.PutUint32(fixed[33:], uint32(len(op.Result.Data)))
		h.Write(fixed[:])
		_, _ = io.WriteString(h, op.Result.Data) // never fails
	}
	h.Sum(m.results[:0])
	m.changed = true
}

// run executes one operation and makes its writes part of the state if it
// succeeds. [X5]
func (m *Machine) run(op replica.Operation) (result replica.Result) {
	defer func() {
		if p := recover(); p != nil {
			result = replica.Result{Failed: true, Data: panicked}
			if m.onPanic != nil {
				m.onPanic(op, p)
			}
		}
	}()
	m.tx.reset()
	answer, err := m.execute(&m.tx, op)
	if err == nil && len(answer) > ResultBytesMax {
		err = fmt.Errorf("an answer has at most %d bytes, not %d", ResultBytesMax, len(answer))
	}
	if err == nil {
		err = m.tx.commit(m.bytesMax)
	}
	if err != nil {
		reason := err.Error()
		return replica.Result{Failed: true, Data: reason[:min(len(reason), reasonBytesMax)]}
	}
	return replica.Result{Data: answer}
}

// Digest implements replica.StateMachine.
func (m *Machine) Digest() messages.Digest { return m.store.digest(m.results) }

// Snapshot implements replica.StateMachine.
func (m *Machine) Snapshot(w io.Writer) error { return replica.WriteBuckets(w, m) }

// Restore implements replica.StateMachine.
func (m *Machine) Restore(r io.Reader) error { return replica.ReadBuckets(r, m) }

// Buckets implements replica.Bucketed. The last one holds the results' hash.
func (m *Machine) Buckets() int { return bucketCount + 1 }

// Changed implements replica.Bucketed.
func (m *Machine) Changed() []int {
	var list []int
	for i := range m.store.buckets {
		if b := &m.store.buckets[i]; b.changed {
			b.changed = false
			list = append(list, i)
		}
	}
	if m.changed {
		m.changed = false
		list = append(list, bucketCount)
	}
	return list
}

// Bucket implements replica.Bucketed.
func (m *Machine) Bucket(i int) []byte {
	if i == bucketCount {
		if m.results.IsZero() {
			return nil
		}
		return append([]byte(nil), m.results[:]...)
	}
	return m.store.buckets[i].take()
}

// RestoreBuckets implements replica.Bucketed.
func (m *Machine) RestoreBuckets(buckets iter.Seq2[int, []byte]) error {
	m.reset()
	for i, data := range buckets {
		switch {
		case i < 0 || i > bucketCount:
			return fmt.Errorf("a key-value state has no bucket %d", i)
		case i < bucketCount:
			if err := m.store.restore(i, data); err != nil {
				return fmt.Errorf("bucket %d of a key-value state: %w", i, err)
			}
		case len(data) != len(m.results):
			return fmt.Errorf("the hash of a key-value state's results has %d bytes", len(data))
		default:
			copy(m.results[:], data)
		}
	}
	return nil
}
