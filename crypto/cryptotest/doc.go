// Package cryptotest makes memberships for tests and the simulator, with real
// keys or with a stand-in that costs a microsecond. Nothing a configuration can
// name comes from here.
package cryptotest
