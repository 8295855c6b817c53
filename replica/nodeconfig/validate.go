package nodeconfig

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cretoai/consensus/messages"
)

// Validate checks every value by itself and against those it is related to. It
// changes nothing. The error is the joined Complaints. What only the genesis
// file can tell is CheckAgainst's.
func (c *Config) Validate() error {
	if complaints := c.complaints(); len(complaints) > 0 {
		return join(complaints)
	}
	return nil
}

func (c *Config) complaints() []*Complaint {
	var complaints []*Complaint
	for _, s := range sections {
		for _, k := range s.keys {
			if k.check == nil {
				continue
			}
			if problem := k.check(c); problem != "" {
				complaints = append(complaints, c.origin.complain(keyPath(s.name, k.name), k.allowed, "%s", problem))
			}
		}
	}
	return complaints
}

func checkOneOf(value string, allowed ...string) string {
	if slices.Contains(allowed, value) {
		return ""
	}
	return quote(value) + " is not known"
}

func checkRange(value, low, high int64) string {
	switch {
	case value < low:
		return fmt.Sprintf("%d is too small", value)
	case value > high:
		return fmt.Sprintf("%d is too large", value)
	}
	return ""
}

func checkMilliseconds(d time.Duration, low, high int64) string {
	if d%time.Millisecond != 0 {
		return fmt.Sprintf("%v is no whole number of milliseconds", d)
	}
	return checkRange(d.Milliseconds(), low, high)
}

func checkHeartbeatTimeout(c *Config) string {
	if problem := checkMilliseconds(c.Consensus.HeartbeatTimeout, 2*heartbeatMsMin, timeoutMsMax); problem != "" {
		return problem
	}
	if c.Consensus.HeartbeatTimeout < 2*c.Consensus.Heartbeat {
		return fmt.Sprintf("%d is less than two heartbeats of %d, so one late message would be a suspicion",
			c.Consensus.HeartbeatTimeout.Milliseconds(), c.Consensus.Heartbeat.Milliseconds())
	}
	return ""
}

// checkFraction refuses what is no fraction of members, NaN too.
func checkFraction(f float64) string {
	if f > 0 && f <= 1 {
		return ""
	}
	return fmt.Sprintf("%v is no fraction of the members", f)
}

func checkName(name string) string {
	switch {
	case utf8.RuneCountInString(name) > nameBytesMax:
		return "the name is too long"
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }):
		return fmt.Sprintf("%q is not printable", name)
	}
	return ""
}

func checkPath(path string) string {
	switch {
	case path == "":
		return "no path given"
	case strings.ContainsRune(path, 0):
		return "a path has no zero bytes"
	}
	return ""
}

func checkChannelKeyPath(c *Config) string {
	if c.Crypto.ChannelKeyPath == c.Crypto.KeyPath {
		return "the same file as key_path: each purpose has a key of its own"
	}
	return checkPath(c.Crypto.ChannelKeyPath)
}

func checkSegmentBytes(size int64) string {
	if problem := checkRange(size, segmentBytesMin, segmentBytesMax); problem != "" {
		return problem
	}
	if size%4096 != 0 {
		return fmt.Sprintf("%d is not a multiple of 4096", size)
	}
	return ""
}

// checkListen checks an address to listen on; the host may be empty.
func checkListen(address string, portMin int) string {
	_, problem := splitAddress(address, portMin)
	return problem
}

// splitAddress gives the host of a host:port, or says what is wrong with it.
func splitAddress(address string, portMin int) (host, problem string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", quote(address) + " is not host:port"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n < uint64(portMin) {
		return "", fmt.Sprintf("%s has no port from %d to 65535", quote(address), portMin)
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '/' || r == '@' }) {
		return "", quote(address) + " has no host name or IP address"
	}
	return host, ""
}

func checkAPIListen(c *Config) string {
	host, problem := splitAddress(c.API.Listen, 0)
	switch {
	case problem != "":
		return problem
	case !c.API.AllowRemote && !isLoopback(host):
		return quote(c.API.Listen) + " can be reached from other machines"
	case c.API.Listen == c.Network.Listen:
		return quote(c.API.Listen) + " is where this replica listens for its peers, see network.listen"
	}
	return ""
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

func checkPeers(peers []string) string {
	switch n := len(peers); {
	case n == 0:
		return "no peers given"
	case n < messages.MembersMin || n > messages.MembersMax:
		return fmt.Sprintf("%d addresses", n)
	}
	for i, address := range peers {
		host, problem := splitAddress(address, 1)
		if problem != "" {
			return fmt.Sprintf("address %d: %s", i, problem)
		}
		if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
			return fmt.Sprintf("address %d: %s is an address to listen on, not to connect to", i, quote(address))
		}
		if first := slices.Index(peers, address); first < i {
			return fmt.Sprintf("address %d: %s is address %d already", i, quote(address), first)
		}
	}
	return ""
}
