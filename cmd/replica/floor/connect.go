package floor

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

// connect makes one connection for each pair of members; the one with the lower
// number dials.
func (f *Floor) connect(ctx context.Context, keys []ed25519.PrivateKey) error {
	certificates := make([]tls.Certificate, len(keys))
	for i, key := range keys {
		var err error
		if certificates[i], err = certificateOf(key); err != nil {
			return err
		}
	}
	for i := range keys {
		for j := i + 1; j < len(keys); j++ {
			dialled, accepted, err := pair(ctx)
			if err != nil {
				return err
			}
			if f.cfg.TLS {
				client := tls.Client(dialled, f.tls(certificates[i], keys[j]))
				server := tls.Server(accepted, f.tls(certificates[j], keys[i]))
				if err := handshake(ctx, client, server); err != nil {
					return errors.Join(err, dialled.Close(), accepted.Close())
				}
				dialled, accepted = client, server
			}
			f.members[i].links[j], f.members[j].links[i] = newLink(dialled), newLink(accepted)
		}
	}
	for _, m := range f.members {
		for _, l := range m.links {
			if l != nil {
				f.running.Go(func() { m.writeLoop(l) })
				f.running.Go(func() { m.readLoop(l) })
			}
		}
	}
	return nil
}

// pair makes a connection over loopback.
func pair(ctx context.Context) (dialled, accepted net.Conn, err error) {
	var listening net.ListenConfig
	l, err := listening.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listen: %w", err)
	}
	defer l.Close()
	if dialled, err = new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String()); err != nil {
		return nil, nil, fmt.Errorf("connect: %w", err)
	}
	for {
		if accepted, err = l.Accept(); err != nil {
			return nil, nil, errors.Join(err, dialled.Close())
		}
		if accepted.RemoteAddr().String() == dialled.LocalAddr().String() {
			return dialled, accepted, nil
		}
		_ = accepted.Close() // a stranger's
	}
}

// handshakeTimeout bounds both sides' proving who they are.
const handshakeTimeout = 10 * time.Second

func handshake(ctx context.Context, client, server *tls.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- server.HandshakeContext(ctx) }()
	return errors.Join(client.HandshakeContext(ctx), <-served)
}

// tls is what members demand of each other's connections: TLS 1.3 both ways, a
// key exchange that withstands quantum computers, and the peer's pinned key.
func (f *Floor) tls(own tls.Certificate, peer ed25519.PrivateKey) *tls.Config {
	return &tls.Config{
		Certificates:           []tls.Certificate{own},
		MinVersion:             tls.VersionTLS13,
		CurvePreferences:       []tls.CurveID{tls.X25519MLKEM768},
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // no authority exists: VerifyConnection pins the key
		SessionTicketsDisabled: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if key, ok := state.PeerCertificates[0].PublicKey.(ed25519.PublicKey); !ok || !key.Equal(peer.Public()) {
				return errors.New("another member's certificate")
			}
			return nil
		},
	}
}

func certificateOf(key ed25519.PrivateKey) (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
