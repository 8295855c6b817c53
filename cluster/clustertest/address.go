package clustertest

import (
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"testing"
)

// Ports of tests are below those that operating systems draw for outgoing connections:
// one of these, of any process, could take a port between its choice and its use.
const (
	portLow, portHigh = 3_000, 10_900
	portsOfOne        = 100 // until a process meets those of the next
)

// chosen counts the ports looked at. Processes of tests that run at the same time begin
// at different ones.
var chosen atomic.Int64

// FreeAddress finds a loopback address, host:port, nobody listens on, and no test of
// this process was given lately.
func FreeAddress(t testing.TB) string {
	t.Helper()
	var listening net.ListenConfig
	for range portHigh - portLow {
		next := int64(os.Getpid())*portsOfOne + chosen.Add(1)
		address := fmt.Sprintf("127.0.0.1:%d", portLow+next%(portHigh-portLow))
		if l, err := listening.Listen(t.Context(), "tcp", address); err == nil && l.Close() == nil {
			return address
		}
	}
	t.Fatalf("no port between %d and %d is free", portLow, portHigh)
	return ""
}
