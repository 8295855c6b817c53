package kvstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cretoai/consensus/replica"
)

// Operation is what the key-value store executes; Put, Get, Delete and
// CompareAndSwap make one.
type Operation struct {
	kind   kind
	key    string
	expect *string // of a CompareAndSwap; nil expects the key to be absent
	value  string
}

type kind byte

// The kinds. Their numbers are in every ledger.
const (
	put kind = iota + 1
	get
	remove
	compareAndSwap
)

// Put writes a key, whatever it was.
func Put(key, value string) Operation { return Operation{kind: put, key: key, value: value} }

// Get reads a key.
func Get(key string) Operation { return Operation{kind: get, key: key} }

// Delete removes a key.
func Delete(key string) Operation { return Operation{kind: remove, key: key} }

// CompareAndSwap writes a key if it has the value expected, or, with nil, if it
// is absent.
func CompareAndSwap(key string, expect *string, value string) Operation {
	return Operation{kind: compareAndSwap, key: key, expect: expect, value: value}
}

// Encode makes the payload of the vertex that orders the operation: kind 1 ‖ key
// bytes 2 ‖ key ‖ what the kind has, big-endian. Of Put that is the value, of
// CompareAndSwap 0, or 1 ‖ value bytes 4 ‖ the expected value, and then the new
// one.
func (o Operation) Encode() ([]byte, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	b := append(make([]byte, 0, 1+2+1+4+len(o.key)+len(o.value)), byte(o.kind))
	b = binary.BigEndian.AppendUint16(b, uint16(len(o.key)))
	b = append(b, o.key...)
	if o.kind == compareAndSwap {
		if o.expect == nil {
			b = append(b, 0)
		} else {
			b = append(b, 1)
			b = binary.BigEndian.AppendUint32(b, uint32(len(*o.expect)))
			b = append(b, *o.expect...)
		}
	}
	return append(b, o.value...), nil
}

func (o Operation) validate() error {
	switch {
	case len(o.key) == 0 || len(o.key) > KeyBytesMax:
		return fmt.Errorf("a key has 1 to %d bytes, not %d", KeyBytesMax, len(o.key))
	case len(o.value) > ValueBytesMax, o.expect != nil && len(*o.expect) > ValueBytesMax:
		return fmt.Errorf("a value has at most %d bytes", ValueBytesMax)
	}
	return nil
}

var errNoOperation = errors.New("the payload is no operation of the key-value store")

// Parse reads what Encode made, and keeps nothing of payload.
func Parse(payload []byte) (Operation, error) {
	if len(payload) < 1+2 {
		return Operation{}, errNoOperation
	}
	o := Operation{kind: kind(payload[0])}
	keyBytes, rest := int(binary.BigEndian.Uint16(payload[1:])), payload[1+2:]
	if o.kind < put || o.kind > compareAndSwap || keyBytes > len(rest) {
		return Operation{}, errNoOperation
	}
	o.key, rest = string(rest[:keyBytes]), rest[keyBytes:]
	switch o.kind {
	case get, remove:
		if len(rest) > 0 {
			return Operation{}, errNoOperation
		}
	case compareAndSwap:
		if len(rest) == 0 || rest[0] > 1 {
			return Operation{}, errNoOperation
		}
		expects := rest[0] == 1
		if rest = rest[1:]; expects {
			if len(rest) < 4 || uint64(binary.BigEndian.Uint32(rest)) > uint64(len(rest)-4) {
				return Operation{}, errNoOperation
			}
			n := int(binary.BigEndian.Uint32(rest))
			expect := string(rest[4 : 4+n])
			o.expect, rest = &expect, rest[4+n:]
		}
	}
	o.value = string(rest)
	return o, o.validate()
}

// Answer is what an operation did.
type Answer struct {
	// Done: a Get found the key, a Delete removed it, a CompareAndSwap swapped.
	// A Put is always done.
	Done bool
	// Value is the key's value, if Present: what a Get found, and what a
	// CompareAndSwap found instead of what it expected.
	Value   string
	Present bool
}

// An answer's bytes: flags 1 ‖ the value, if present.
const (
	flagDone    = 1
	flagPresent = 2
)

func (a Answer) encode() string {
	flags := byte(0)
	if a.Done {
		flags |= flagDone
	}
	if a.Present {
		return string([]byte{flags | flagPresent}) + a.Value
	}
	return string([]byte{flags})
}

// ParseAnswer reads the data of a result.
func ParseAnswer(data string) (Answer, error) {
	if data == "" || data[0] > flagDone|flagPresent || data[0]&flagPresent == 0 && len(data) > 1 {
		return Answer{}, fmt.Errorf("%.20q is no answer of the key-value store: do all replicas run it?", data)
	}
	return Answer{Done: data[0]&flagDone != 0, Present: data[0]&flagPresent != 0, Value: data[1:]}, nil
}

// execute is the Execute of the key-value store.
func execute(tx *Tx, op replica.Operation) (string, error) {
	o, err := Parse(op.Vertex.Payload())
	if err != nil {
		return "", err
	}
	value, present := tx.Get(o.key)
	switch o.kind {
	case put:
		tx.Put(o.key, o.value)
		return Answer{Done: true}.encode(), nil
	case get:
		return Answer{Done: present, Value: value, Present: present}.encode(), nil
	case remove:
		tx.Delete(o.key)
		return Answer{Done: present}.encode(), nil
	default: // compareAndSwap: Parse knows no other
		if present != (o.expect != nil) || present && value != *o.expect {
			return Answer{Value: value, Present: present}.encode(), nil
		}
		tx.Put(o.key, o.value)
		return Answer{Done: true}.encode(), nil
	}
}

// Proposer is where operations are proposed: a *replica.Replica.
type Proposer interface {
	Propose(context.Context, replica.Vertex) (replica.Receipt, error)
}

// ErrAnswerGone says that the operation was executed before and what it answered
// then is not kept. Who reads needs only ask again, under a fresh nonce.
var ErrAnswerGone = errors.New("the operation was executed before, and its answer is not kept")

// Do has an operation executed, in the vertex given: payload aside, as whom and
// how is the caller's to say. The zero Vertex will do for an operation that is not
// tried again, or may be executed twice: each call makes another vertex of it. With
// Creator, Nonce and Expires set, the same call again never executes the operation
// twice; see package replica on proposing again. While the error is one of waiting,
// the operation may yet be executed.
func Do(ctx context.Context, at Proposer, v replica.Vertex, o Operation) (Answer, replica.Receipt, error) {
	var err error
	if v.Payload, err = o.Encode(); err != nil {
		return Answer{}, replica.Receipt{}, err
	}
	receipt, err := at.Propose(ctx, v)
	if err != nil {
		return Answer{}, receipt, err
	}
	if receipt.Result.Data == "" {
		return Answer{}, receipt, ErrAnswerGone
	}
	a, err := ParseAnswer(receipt.Result.Data)
	return a, receipt, err
}
