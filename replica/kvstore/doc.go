// Package kvstore is a state machine that keeps keys with values, and the frame
// for state machines of one's own.
//
// The store executes Put, Get, Delete and CompareAndSwap, each in the order in
// which all replicas execute it, reads included: what Do answers is
// linearizable.
//
// NewMachine executes other operations over the same state. Each runs on a Tx,
// a set of writes that is thrown away when the operation returns an error or
// panics, which every replica does alike: it becomes a failed result in the
// receipt, and the next operation begins with the state as it was. All there is
// to lose must therefore be in the Tx. What no Go program survives is not
// survived here either: a stack without end, memory without end, a concurrent
// write to a map, and an operation that does not return.
//
// The state lies in memory, in buckets, so that a checkpoint hashes and writes
// what was written since the last one and not the whole.
package kvstore
