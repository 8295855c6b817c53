package cryptotest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cretoai/consensus/crypto"
)

// HMAC is a stand-in for a signature scheme: fast, and the same in every run.
// Whoever verifies must know the secret, so the secrets of all keys made by one
// HMAC lie in it, out of reach of everybody else: a simulated member that holds
// the others' public keys cannot sign for them. Keys of one HMAC are unknown to
// another.
//
// Signing the same twice gives two signatures, as hedged signing does, so that
// whoever compares signatures is found out; the n-th signature of a key is the
// same in every run.
type HMAC struct {
	mu      sync.RWMutex
	secrets map[[hmacPublicBytes]byte][]byte
}

const (
	hmacSeedBytes   = 32
	hmacPublicBytes = sha256.Size
	hmacNonceBytes  = 8
)

// NewHMAC makes a scheme without keys.
func NewHMAC() *HMAC { return &HMAC{secrets: make(map[[hmacPublicBytes]byte][]byte)} }

// Name is no name crypto.SchemeByName knows.
func (h *HMAC) Name() string { return "test-hmac" }

// SeedSize implements crypto.Scheme.
func (h *HMAC) SeedSize() int { return hmacSeedBytes }

// PublicKeySize implements crypto.Scheme.
func (h *HMAC) PublicKeySize() int { return hmacPublicBytes }

// SignatureSize implements crypto.Scheme.
func (h *HMAC) SignatureSize() int { return hmacNonceBytes + sha256.Size }

// NewKey implements crypto.Scheme. A key made again starts counting again.
func (h *HMAC) NewKey(seed []byte) (crypto.PrivateKey, error) {
	if len(seed) != hmacSeedBytes {
		return nil, fmt.Errorf("a seed of %s has %d bytes, not %d", h.Name(), hmacSeedBytes, len(seed))
	}
	secret := sha256.Sum256(append([]byte("secret"), seed...))
	public := hmacPublic{encoded: sha256.Sum256(append([]byte("public"), seed...)), secret: secret[:]}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.secrets[public.encoded] = public.secret
	return &hmacPrivate{public: &public}, nil
}

// ParsePublicKey implements crypto.Scheme, for keys made by h only.
func (h *HMAC) ParsePublicKey(b []byte) (crypto.PublicKey, error) {
	if len(b) != hmacPublicBytes {
		return nil, fmt.Errorf("a public key of %s has %d bytes, not %d", h.Name(), hmacPublicBytes, len(b))
	}
	public := hmacPublic{encoded: [hmacPublicBytes]byte(b)}
	h.mu.RLock()
	defer h.mu.RUnlock()
	var ok bool
	if public.secret, ok = h.secrets[public.encoded]; !ok {
		return nil, errors.New("a public key of test-hmac that was not made here")
	}
	return &public, nil
}

type hmacPublic struct {
	encoded [hmacPublicBytes]byte
	secret  []byte
}

func (k *hmacPublic) Bytes() []byte {
	b := k.encoded // a copy
	return b[:]
}

func (k *hmacPublic) Verify(p crypto.Purpose, msg, sig []byte) bool {
	return len(sig) == hmacNonceBytes+sha256.Size &&
		hmac.Equal(sig[hmacNonceBytes:], k.mac(p, sig[:hmacNonceBytes], msg))
}

// mac is HMAC(secret, length of p 1 ‖ p ‖ nonce 8 ‖ msg).
func (k *hmacPublic) mac(p crypto.Purpose, nonce, msg []byte) []byte {
	h := hmac.New(sha256.New, k.secret)
	h.Write([]byte{byte(len(p))})
	h.Write([]byte(p))
	h.Write(nonce)
	h.Write(msg)
	return h.Sum(nil)
}

func (k *hmacPublic) String() string { return fmt.Sprintf("test-hmac public key %x", k.encoded[:4]) }

// Format implements fmt.Formatter, for every verb.
func (k *hmacPublic) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.String()) }

type hmacPrivate struct {
	public *hmacPublic
	signed atomic.Uint64
}

func (k *hmacPrivate) Public() crypto.PublicKey { return k.public }

func (k *hmacPrivate) Sign(p crypto.Purpose, msg []byte) ([]byte, error) {
	if len(p) > 255 {
		return nil, errors.New("a purpose has at most 255 bytes")
	}
	nonce := binary.BigEndian.AppendUint64(nil, k.signed.Add(1))
	return append(nonce, k.public.mac(p, nonce, msg)...), nil
}

func (k *hmacPrivate) String() string { return "test-hmac private key (redacted)" }

// Format implements fmt.Formatter, for every verb.
func (k *hmacPrivate) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.String()) }
