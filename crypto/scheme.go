package crypto

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Purpose is the FIPS 204 context string of a signature. It names what the key
// is used for, so that no signature made for one purpose verifies for another.
type Purpose string

// The purposes.
const (
	PurposeBundle  Purpose = "cretoai-consensus/v1/bundle"
	PurposeVertex  Purpose = "cretoai-consensus/v1/vertex"
	PurposeGenesis Purpose = "cretoai-consensus/v1/genesis"
)

// Scheme is a signature scheme. Sizes are in bytes.
type Scheme interface {
	Name() string
	SeedSize() int
	PublicKeySize() int
	SignatureSize() int
	// NewKey derives the private key of a seed.
	NewKey(seed []byte) (PrivateKey, error)
	// ParsePublicKey expands an encoded public key, once; what it returns is
	// immutable and safe for concurrent use.
	ParsePublicKey(b []byte) (PublicKey, error)
}

// PublicKey verifies. It is immutable and safe for concurrent use.
type PublicKey interface {
	Bytes() []byte
	// Verify reports whether sig is a signature over msg for the purpose. Any
	// other length than the scheme's is refused first.
	Verify(p Purpose, msg, sig []byte) bool
}

// PrivateKey signs. It is immutable, safe for concurrent use, and prints
// nothing of itself.
type PrivateKey interface {
	Public() PublicKey
	// Sign is hedged: signing the same twice gives two signatures.
	Sign(p Purpose, msg []byte) ([]byte, error)
}

// DefaultScheme is the scheme of a new chain.
const DefaultScheme = "ml-dsa-87"

// schemes are those a configuration can name.
var schemes = []Scheme{mldsa87Scheme, mldsa65Scheme, mldsa44Scheme}

// SchemeNames lists the known schemes, strongest first.
func SchemeNames() []string {
	names := make([]string, len(schemes))
	for i, s := range schemes {
		names[i] = s.Name()
	}
	return names
}

// SchemeByName finds a scheme; the error lists the known ones.
func SchemeByName(name string) (Scheme, error) {
	if i := slices.IndexFunc(schemes, func(s Scheme) bool { return s.Name() == name }); i >= 0 {
		return schemes[i], nil
	}
	return nil, fmt.Errorf("unknown signature algorithm %q: known are %s", name, strings.Join(SchemeNames(), ", "))
}

// GenerateSeed draws the seed of a new key.
func GenerateSeed(rand io.Reader, s Scheme) ([]byte, error) {
	seed := make([]byte, s.SeedSize())
	if _, err := io.ReadFull(rand, seed); err != nil {
		return nil, fmt.Errorf("draw a key seed: %w", err)
	}
	return seed, nil
}
