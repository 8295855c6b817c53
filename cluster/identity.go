package cluster

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cretoai/consensus/messages"
)

// identities knows the members' channel keys and proves our own. The key alone
// says who a peer is; the chain in the certificate is there to give a member of
// another genesis a reason it can read.
type identities struct {
	self  messages.Index
	chain messages.Digest
	peers []Peer
	own   tls.Certificate
}

// newIdentities makes the certificate that names the member on its chain, for
// this run only: nobody looks at its dates, and its key is pinned.
func newIdentities(cfg *RemoteConfig) (*identities, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		URIs:         []*url.URL{{Scheme: uriScheme, Host: uriHost, Path: "/" + cfg.ChainHash.Hex() + "/" + strconv.Itoa(int(cfg.Self))}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, cfg.Key.Public(), cfg.Key)
	if err != nil {
		return nil, fmt.Errorf("make the channel certificate: %w", err)
	}
	return &identities{
		self: cfg.Self, chain: cfg.ChainHash, peers: cfg.Peers,
		own: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: cfg.Key},
	}, nil
}

// The name in a certificate is cretoai://chain/<chain hash>/<index>. The hash is
// not the host: it has 64 digits, and a label of a host name at most 63, which
// crypto/x509 means to enforce.
const (
	uriScheme = "cretoai"
	uriHost   = "chain"
)

// Reasons a peer's certificate is refused for, as Observer.Refused names them.
const (
	refusedNoCertificate = "no certificate"
	refusedUnknownKey    = "unknown key"
	refusedOtherMember   = "other member"
	refusedOtherChain    = "other chain"
	refusedSelf          = "own key"
)

// identityError says why a certificate is not the one that is asked for.
type identityError struct{ reason, text string }

func (e *identityError) Error() string { return e.text }

// member tells whose certificate was shown. TLS has checked that the peer holds
// its key.
func (id *identities) member(state *tls.ConnectionState) (messages.Index, error) {
	if len(state.PeerCertificates) != 1 {
		return 0, &identityError{refusedNoCertificate, fmt.Sprintf("%d certificates were shown instead of one", len(state.PeerCertificates))}
	}
	cert := state.PeerCertificates[0]
	key, ok := cert.PublicKey.(ed25519.PublicKey)
	if !ok {
		return 0, &identityError{refusedUnknownKey, fmt.Sprintf("its key is a %T, not Ed25519", cert.PublicKey)}
	}
	if chain, ok := chainOf(cert); ok && chain != id.chain {
		return 0, &identityError{refusedOtherChain, fmt.Sprintf(
			"it belongs to chain %s, we to chain %s: compare the genesis files", short(chain.Hex()), short(id.chain.Hex()))}
	} else if !ok {
		return 0, &identityError{refusedOtherChain, "its certificate names no chain: it is no replica of this program"}
	}
	for i, p := range id.peers {
		if !key.Equal(p.ChannelKey) {
			continue
		}
		if messages.Index(i) == id.self {
			return 0, &identityError{refusedSelf, "it shows our own channel key: the same member runs twice, or an address leads back to us"}
		}
		return messages.Index(i), nil
	}
	return 0, &identityError{refusedUnknownKey, fmt.Sprintf(
		"key %s is not a member of this genesis (chain %s)", short(hex.EncodeToString(key)), short(id.chain.Hex()))}
}

// chainOf reads the chain a certificate claims.
func chainOf(cert *x509.Certificate) (messages.Digest, bool) {
	var chain messages.Digest
	for _, u := range cert.URIs {
		hash, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
		if u.Scheme == uriScheme && u.Host == uriHost && chain.UnmarshalText([]byte(hash)) == nil {
			return chain, true
		}
	}
	return chain, false
}

// short keeps of a hash or key what tells it from others in a log.
func short(hex string) string { return hex[:min(16, len(hex))] }

// tls13 is what both sides demand: TLS 1.3, a key exchange that withstands
// quantum computers, no resumption, and the peer's certificate judged by check
// instead of by an authority.
func (id *identities) tls13(check func(tls.ConnectionState) error) *tls.Config {
	return &tls.Config{
		Certificates:           []tls.Certificate{id.own},
		MinVersion:             tls.VersionTLS13,
		CurvePreferences:       []tls.CurveID{tls.X25519MLKEM768},
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // no authority exists: VerifyConnection pins the key
		VerifyConnection:       check,
		SessionTicketsDisabled: true,
	}
}

// accept is the configuration of the side that is dialled: any other member.
func (id *identities) accept() *tls.Config {
	return id.tls13(func(state tls.ConnectionState) error {
		_, err := id.member(&state)
		return err
	})
}

// dial is the configuration of the side that dials: the member whose address it
// is, and nobody else.
func (id *identities) dial(peer messages.Index) *tls.Config {
	return id.tls13(func(state tls.ConnectionState) error {
		got, err := id.member(&state)
		if err == nil && got != peer {
			err = &identityError{refusedOtherMember, fmt.Sprintf("it is member %d: the addresses are not in the order of the genesis", got)}
		}
		return err
	})
}

// reasonOf names the reason of a failed handshake.
func reasonOf(err error) string {
	var refused *identityError
	if errors.As(err, &refused) {
		return refused.reason
	}
	return "handshake"
}
