package keyfile

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// What a key is for.
const (
	PurposeConsensus = "consensus" // signs votes; the member's identity
	PurposeChannel   = "channel"   // authenticates connections
	PurposeCreator   = "creator"   // signs vertices; the creator's identity
)

// channelScheme is the one scheme of channel keys: TLS needs it.
const channelScheme = "ed25519"

// GenerateConsensus makes a new key for signing votes on a chain and writes it
// to path, which must not exist, with a word beside it that it is unused. scheme is a name crypto.SchemeByName knows.
func GenerateConsensus(path, scheme, chainID string) (crypto.PrivateKey, error) {
	key, err := generateSigning(path, PurposeConsensus, scheme, chainID)
	if err != nil {
		return nil, err
	}
	if err := markUnused(path); err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	return key, nil
}

// LoadConsensus reads the key GenerateConsensus wrote. A file that others may
// read, of another purpose or chain, or whose key does not work is refused.
func LoadConsensus(path, chainID string) (crypto.PrivateKey, error) {
	return loadSigning(path, PurposeConsensus, chainID)
}

// GenerateCreator makes a new key for signing vertices on a chain and writes it to
// path, which must not exist. scheme is the chain's.
func GenerateCreator(path, scheme, chainID string) (crypto.PrivateKey, error) {
	return generateSigning(path, PurposeCreator, scheme, chainID)
}

// LoadCreator reads the key GenerateCreator wrote, as strictly as LoadConsensus.
func LoadCreator(path, chainID string) (crypto.PrivateKey, error) {
	return loadSigning(path, PurposeCreator, chainID)
}

func generateSigning(path, purpose, scheme, chainID string) (crypto.PrivateKey, error) {
	s, err := crypto.SchemeByName(scheme)
	if err != nil {
		return nil, err
	}
	seed, err := crypto.GenerateSeed(rand.Reader, s)
	if err != nil {
		return nil, err
	}
	key, public, err := signingKey(s, seed)
	if err != nil {
		return nil, err
	}
	if err := generate(path, purpose, scheme, chainID, public, seed); err != nil {
		return nil, err
	}
	return key, nil
}

func loadSigning(path, purpose, chainID string) (crypto.PrivateKey, error) {
	f, err := load(path, purpose, chainID)
	if err != nil {
		return nil, err
	}
	s, err := crypto.SchemeByName(f.Scheme)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	key, public, err := signingKey(s, f.seed)
	if err == nil {
		err = f.checkPublic(public)
	}
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return key, nil
}

// GenerateChannel makes a new key for authenticating connections on a chain and
// writes it to path, which must not exist.
func GenerateChannel(path, chainID string) (ed25519.PrivateKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := rand.Read(seed); err != nil {
		return nil, fmt.Errorf("draw a key seed: %w", err)
	}
	key, public, err := channelKey(seed)
	if err != nil {
		return nil, err
	}
	if err := generate(path, PurposeChannel, channelScheme, chainID, public, seed); err != nil {
		return nil, err
	}
	return key, nil
}

// LoadChannel reads the key GenerateChannel wrote, as strictly as LoadConsensus.
func LoadChannel(path, chainID string) (ed25519.PrivateKey, error) {
	f, err := load(path, PurposeChannel, chainID)
	if err != nil {
		return nil, err
	}
	if f.Scheme != channelScheme {
		return nil, fmt.Errorf("key file %s: a channel key has the scheme %s, not %s", path, channelScheme, f.Scheme)
	}
	key, public, err := channelKey(f.seed)
	if err == nil {
		err = f.checkPublic(public)
	}
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return key, nil
}

// purposeSelfTest is the context of the one signature a new or loaded key makes
// here: it is good for nothing else.
const purposeSelfTest crypto.Purpose = "cretoai-consensus/v1/self-test"

var selfTestMessage = []byte(purposeSelfTest)

// signingKey derives a key, tries it, and gives its public half too.
func signingKey(s crypto.Scheme, seed []byte) (crypto.PrivateKey, []byte, error) {
	key, err := s.NewKey(seed)
	if err != nil {
		return nil, nil, err
	}
	sig, err := key.Sign(purposeSelfTest, selfTestMessage)
	if err != nil {
		return nil, nil, err
	}
	if !key.Public().Verify(purposeSelfTest, selfTestMessage, sig) {
		return nil, nil, errSelfTest
	}
	return key, key.Public().Bytes(), nil
}

func channelKey(seed []byte) (ed25519.PrivateKey, []byte, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, nil, fmt.Errorf("a seed of %s has %d bytes, not %d", channelScheme, ed25519.SeedSize, len(seed))
	}
	key := ed25519.NewKeyFromSeed(seed)
	public := key.Public().(ed25519.PublicKey)
	if !ed25519.Verify(public, selfTestMessage, ed25519.Sign(key, selfTestMessage)) {
		return nil, nil, errSelfTest
	}
	return key, public, nil
}

func generate(path, purpose, scheme, chainID string, public, seed []byte) error {
	if err := messages.CheckChainID(chainID); err != nil {
		return err
	}
	f := file{
		Description: Description{
			Purpose:     purpose,
			Scheme:      scheme,
			ChainID:     chainID,
			Fingerprint: fingerprint(purpose, scheme, public),
		},
		seed: seed,
	}
	if err := writeNew(path, f.encode()); err != nil {
		return fmt.Errorf("write key file %s: %w", path, err)
	}
	return nil
}

// load reads a file and checks what it is for.
func load(path, purpose, chainID string) (*file, error) {
	f, err := read(path)
	if err != nil {
		return nil, err
	}
	switch {
	case f.Purpose != purpose:
		return nil, fmt.Errorf("key file %s: it holds a %s key where a %s key is needed", path, f.Purpose, purpose)
	case f.ChainID != chainID:
		return nil, fmt.Errorf("key file %s: its key is for chain %q, not for %q; a key serves one chain", path, f.ChainID, chainID)
	}
	return f, nil
}
