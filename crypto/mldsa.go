package crypto

import (
	"bytes"
	"fmt"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"
)

// mldsa is one parameter set of ML-DSA (FIPS 204) as circl implements it. P and
// S are circl's key types. Only the package-level entry points that take a
// context and hedge are used: the methods sign deterministically and without
// a context.
type mldsa[P, S any] struct {
	name              string
	public, signature int
	fromSeed          func(*[mldsaSeedBytes]byte) (*P, *S)
	unmarshal         func(*P, []byte) error
	marshal           func(*P) []byte
	sign              func(sk *S, msg, ctx []byte, randomized bool, sig []byte) error
	verify            func(pk *P, msg, ctx, sig []byte) bool
}

var mldsa87Scheme = &mldsa[mldsa87.PublicKey, mldsa87.PrivateKey]{
	name: "ml-dsa-87", public: mldsa87.PublicKeySize, signature: mldsa87.SignatureSize,
	fromSeed: mldsa87.NewKeyFromSeed, unmarshal: (*mldsa87.PublicKey).UnmarshalBinary, marshal: (*mldsa87.PublicKey).Bytes,
	sign: mldsa87.SignTo, verify: mldsa87.Verify,
}

var mldsa65Scheme = &mldsa[mldsa65.PublicKey, mldsa65.PrivateKey]{
	name: "ml-dsa-65", public: mldsa65.PublicKeySize, signature: mldsa65.SignatureSize,
	fromSeed: mldsa65.NewKeyFromSeed, unmarshal: (*mldsa65.PublicKey).UnmarshalBinary, marshal: (*mldsa65.PublicKey).Bytes,
	sign: mldsa65.SignTo, verify: mldsa65.Verify,
}

var mldsa44Scheme = &mldsa[mldsa44.PublicKey, mldsa44.PrivateKey]{
	name: "ml-dsa-44", public: mldsa44.PublicKeySize, signature: mldsa44.SignatureSize,
	fromSeed: mldsa44.NewKeyFromSeed, unmarshal: (*mldsa44.PublicKey).UnmarshalBinary, marshal: (*mldsa44.PublicKey).Bytes,
	sign: mldsa44.SignTo, verify: mldsa44.Verify,
}

const mldsaSeedBytes = 32

func (m *mldsa[P, S]) Name() string       { return m.name }
func (m *mldsa[P, S]) SeedSize() int      { return mldsaSeedBytes }
func (m *mldsa[P, S]) PublicKeySize() int { return m.public }
func (m *mldsa[P, S]) SignatureSize() int { return m.signature }

func (m *mldsa[P, S]) NewKey(seed []byte) (PrivateKey, error) {
	if len(seed) != mldsaSeedBytes {
		return nil, fmt.Errorf("a seed of %s has %d bytes, not %d", m.name, mldsaSeedBytes, len(seed))
	}
	pk, sk := m.fromSeed((*[mldsaSeedBytes]byte)(seed))
	// The public key is parsed from its bytes: circl's pair shares one expanded
	// matrix between its halves, ours shares nothing with the secret.
	public, err := m.ParsePublicKey(m.marshal(pk))
	if err != nil {
		return nil, err
	}
	return &mldsaPrivate[P, S]{scheme: m, key: sk, public: public}, nil
}

func (m *mldsa[P, S]) ParsePublicKey(b []byte) (PublicKey, error) {
	if len(b) != m.public {
		return nil, fmt.Errorf("a public key of %s has %d bytes, not %d", m.name, m.public, len(b))
	}
	key := new(P)
	if err := m.unmarshal(key, b); err != nil {
		return nil, fmt.Errorf("public key of %s: %w", m.name, err)
	}
	return &mldsaPublic[P, S]{scheme: m, key: key, encoded: bytes.Clone(b)}, nil
}

type mldsaPublic[P, S any] struct {
	scheme  *mldsa[P, S]
	key     *P // expanded, and never unpacked into again
	encoded []byte
}

func (k *mldsaPublic[P, S]) Bytes() []byte { return bytes.Clone(k.encoded) }

func (k *mldsaPublic[P, S]) Verify(p Purpose, msg, sig []byte) bool {
	return len(sig) == k.scheme.signature && k.scheme.verify(k.key, msg, []byte(p), sig)
}

type mldsaPrivate[P, S any] struct {
	scheme *mldsa[P, S]
	key    *S
	public PublicKey
}

func (k *mldsaPrivate[P, S]) Public() PublicKey { return k.public }

func (k *mldsaPrivate[P, S]) Sign(p Purpose, msg []byte) ([]byte, error) {
	sig := make([]byte, k.scheme.signature)
	if err := k.scheme.sign(k.key, msg, []byte(p), true, sig); err != nil {
		return nil, fmt.Errorf("sign with %s: %w", k.scheme.name, err)
	}
	return sig, nil
}

// String and Format keep the key out of whatever prints it.
func (k *mldsaPrivate[P, S]) String() string { return k.scheme.name + " private key (redacted)" }

// Format implements fmt.Formatter, for every verb.
func (k *mldsaPrivate[P, S]) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.String()) }
