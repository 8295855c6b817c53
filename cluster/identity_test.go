package cluster

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
)

var otherChain = messages.Digest(sha256.Sum256([]byte("another chain")))

// logged is a logger whose text can be read.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// about lists the lines with what in them.
func (l *logged) about(what string) (about []string) {
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, what) {
			about = append(about, line)
		}
	}
	return about
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// certificate makes the certificate a member of a chain would show.
func certificate(t *testing.T, key ed25519.PrivateKey, chain messages.Digest) tls.Certificate {
	t.Helper()
	ids, err := newIdentities(&RemoteConfig{Self: 1, Key: key, ChainHash: chain})
	if err != nil {
		t.Fatal(err)
	}
	return ids.own
}

// foreign makes a certificate of the usual kind: ECDSA, no chain.
func foreign(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Whoever is not another member of the chain, or speaks less than the channel
// demands, is refused, counted, and told apart in the log.
func TestDoorRefuses(t *testing.T) {
	cfg := members(t, 3)
	member := certificate(t, cfg[1].Key, testChain)
	ours := func(cert tls.Certificate) *tls.Config {
		return &tls.Config{
			Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"},
			CurvePreferences: []tls.CurveID{tls.X25519MLKEM768}, InsecureSkipVerify: true,
		}
	}
	noCertificate := ours(member)
	noCertificate.Certificates = nil
	tls12 := ours(member)
	tls12.MinVersion, tls12.MaxVersion, tls12.CurvePreferences = tls.VersionTLS12, tls.VersionTLS12, nil
	classical := ours(member)
	classical.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256}
	otherProtocol := ours(member)
	otherProtocol.NextProtos = []string{"http/1.1"}

	for _, c := range []struct {
		name, reason, log string
		config            *tls.Config // nil: no TLS at all
	}{
		{"plaintext", "handshake", "does not look like a TLS handshake", nil},
		{"TLS 1.2", "handshake", "unsupported versions", tls12},
		{"classical key exchange", "handshake", "key exchange", classical},
		{"other protocol", "handshake", "ALPN", otherProtocol},
		{"no certificate", "handshake", "didn't provide a certificate", noCertificate},
		{"other kind of key", refusedUnknownKey, "not Ed25519", ours(foreign(t))},
		{"unknown key", refusedUnknownKey, "not a member of this genesis (chain " + short(testChain.Hex()), ours(certificate(t, channelKey("stranger"), testChain))},
		{"other chain", refusedOtherChain, "belongs to chain " + short(otherChain.Hex()), ours(certificate(t, cfg[1].Key, otherChain))},
		{"own key", refusedSelf, "our own channel key", ours(certificate(t, cfg[0].Key, testChain))},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := new(logged)
			mine := cfg[0]
			mine.Logger = log.logger()
			got := count(&mine)
			victim := start(t, mine)
			got.attach(victim)
			if err := knockAt(t, mine.Listen, c.config); err == nil {
				t.Error("the connection was accepted")
			}
			victim.wait("the refusal to be counted", func() bool { return got.refusals(c.reason) == 1 })
			if text := log.String(); !strings.Contains(text, c.log) || !strings.Contains(text, "refused a connection") {
				t.Errorf("the log does not say %q:\n%s", c.log, text)
			}
		})
	}
	t.Run("member", func(t *testing.T) {
		start(t, cfg[0])
		if err := knockAt(t, cfg[0].Listen, ours(member)); err != nil {
			t.Errorf("a member was refused: %v", err)
		}
	})
}

// knockAt opens a connection and reads: refusals of TLS 1.3 come after the
// client believes to be done.
func knockAt(t *testing.T, address string, config *tls.Config) error {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(waitMax)); err != nil {
		t.Fatal(err)
	}
	if config != nil {
		conn = tls.Client(conn, config)
	}
	if _, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, 9)) // the header of the server's settings
	return err
}

// What is wrong between two members is readable where it can be mended.
func TestDialerSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(cfg []RemoteConfig)
		wants  []string // what member 0 is told of peer 1
	}{
		{"nobody there", func(cfg []RemoteConfig) { cfg[1].Listen = "127.0.0.1:0" }, []string{"peer 1", "does not answer"}},
		{"other chain", func(cfg []RemoteConfig) { cfg[1].ChainHash = otherChain },
			[]string{"peer 1", "not the pinned member", "belongs to chain " + short(otherChain.Hex()), "compare the genesis files"}},
		{"addresses in another order", func(cfg []RemoteConfig) {
			a, b := cfg[0].Peers[1].Address, cfg[0].Peers[2].Address
			cfg[0].Peers = append([]Peer(nil), cfg[0].Peers...)
			cfg[0].Peers[1].Address, cfg[0].Peers[2].Address = b, a
		}, []string{"peer 1", "it is member 2", "order of the genesis"}},
		{"it does not know us", func(cfg []RemoteConfig) {
			cfg[1].Peers = append([]Peer(nil), cfg[1].Peers...)
			cfg[1].Peers[0].ChannelKey = channelKey("an older key").Public().(ed25519.PublicKey)
		}, []string{"peer 1", "refused us", "bad certificate", "compare the genesis files and channel keys"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := members(t, 3)
			c.change(cfg)
			n := start(t, cfg[0])
			start(t, cfg[1])
			start(t, cfg[2])
			var reason string
			n.wait("a reason", func() bool {
				for _, p := range n.peer {
					// A peer that starts after us does not answer at first.
					if p.Peer == 1 && p.Reason != "" && (c.name == "nobody there" || !strings.Contains(p.Reason, "does not answer")) {
						reason = p.Reason
					}
				}
				return reason != ""
			})
			for _, want := range c.wants {
				if !strings.Contains(reason, want) {
					t.Errorf("%q does not say %q", reason, want)
				}
			}
			if n.Connected(1) {
				t.Error("connected all the same")
			}
		})
	}
}

func TestRemoteConfigComplains(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(*RemoteConfig)
	}{
		{"no logger", func(c *RemoteConfig) { c.Logger = nil }},
		{"flight of", func(c *RemoteConfig) { c.Limits.FlightBytes = messages.FrameBytesMax + 1 }},
		{"listen address", func(c *RemoteConfig) { c.Listen = "localhost" }},
		{"not a number below 65536", func(c *RemoteConfig) { c.Listen = "localhost:http" }},
		{"address of peer 1", func(c *RemoteConfig) { c.Peers[1].Address = "" }},
		{"same address", func(c *RemoteConfig) { c.Peers[1].Address = c.Peers[0].Address }},
		{"channel key of peer 1", func(c *RemoteConfig) { c.Peers[1].ChannelKey = nil }},
		{"we are member 7 of 2", func(c *RemoteConfig) { c.Self = 7 }},
		{"has 0 bytes", func(c *RemoteConfig) { c.Key = nil }},
		{"not the one the genesis lists for member 0", func(c *RemoteConfig) { c.Key = channelKey("stranger") }},
	} {
		cfg := members(t, 2)[0]
		c.change(&cfg)
		if _, err := NewRemote(cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v does not say %q", err, c.want)
		}
	}
	for address, host := range map[string]string{":1": "", "h:2": "h", "[::1]:3": "[::1]", "10.0.0.1:4": "10.0.0.1"} {
		if got, port, err := hostPort(address); err != nil || got != host || port == 0 {
			t.Errorf("%s is split into %q, %d, %v", address, got, port, err)
		}
	}
}
