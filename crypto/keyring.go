package crypto

import (
	"bytes"
	"fmt"

	"github.com/cretoai/consensus/messages"
)

// Keyring holds the members' public keys of one chain and epoch, expanded
// once: expanding a key for each verification would cost three times the
// verification. It is safe for concurrent use, and immutable but
// for what it remembers.
type Keyring struct {
	chain   messages.Digest
	epoch   messages.Epoch
	scheme  Scheme
	keys    []PublicKey
	encoded [][]byte
	ids     []messages.MemberID // of keys, for the memory: a key is long to hash each time
	memory  *memory             // nil: every signature is verified
	// optimistic: what all members accepted is decided, see OpenDecision.
	optimistic bool
}

// NewKeyring checks a genesis, expands its members' keys and checks that every
// member vouches for its channel key. The error names the member.
func NewKeyring(g *messages.Genesis) (*Keyring, error) {
	scheme, err := SchemeByName(g.Scheme)
	if err != nil {
		return nil, err
	}
	return NewKeyringWithScheme(g, scheme)
}

// NewKeyringWithScheme is NewKeyring with a scheme no configuration can name:
// it is for tests and the simulator.
func NewKeyringWithScheme(g *messages.Genesis, scheme Scheme) (*Keyring, error) {
	if scheme.Name() != g.Scheme {
		return nil, fmt.Errorf("the genesis names the signature algorithm %q, not %q", g.Scheme, scheme.Name())
	}
	if err := g.Validate(); err != nil {
		return nil, err
	}
	k := &Keyring{
		chain: g.Hash(), scheme: scheme, optimistic: g.Params.OptimisticMode,
		keys: make([]PublicKey, g.N()), encoded: make([][]byte, g.N()), ids: make([]messages.MemberID, g.N()),
	}
	for i, m := range g.Members {
		key, err := scheme.ParsePublicKey(m.PublicKey)
		if err != nil {
			return nil, fmt.Errorf("member %d (%s): %w", i, m.Name, err)
		}
		binding := messages.ChannelBinding(g.ChainID, m.Name, m.PublicKey, m.ChannelKey)
		if !key.Verify(PurposeGenesis, binding, m.ChannelSignature) {
			return nil, fmt.Errorf("member %d (%s): channel_signature is not the member's signature over its channel key", i, m.Name)
		}
		k.keys[i], k.encoded[i], k.ids[i] = key, key.Bytes(), g.MemberID(messages.Index(i))
	}
	return k, nil
}

// N is the number of members.
func (k *Keyring) N() int { return len(k.keys) }

// Quorum is how many members make a certificate.
func (k *Keyring) Quorum() int { return messages.Quorum(k.N()) }

// Weak is how many members hold a correct one.
func (k *Keyring) Weak() int { return messages.Weak(k.N()) }

// MaxFaulty is how many members may be Byzantine.
func (k *Keyring) MaxFaulty() int { return messages.MaxFaulty(k.N()) }

// Optimistic reports whether what all members accepted is decided on this chain, as
// its genesis says.
func (k *Keyring) Optimistic() bool { return k.optimistic }

// Chain is the genesis hash.
func (k *Keyring) Chain() messages.Digest { return k.chain }

// Epoch is the epoch whose membership this is.
func (k *Keyring) Epoch() messages.Epoch { return k.epoch }

// IndexOfKey finds the member with this public key.
func (k *Keyring) IndexOfKey(public PublicKey) (messages.Index, bool) {
	encoded := public.Bytes()
	for i, e := range k.encoded {
		if bytes.Equal(e, encoded) {
			return messages.Index(i), true
		}
	}
	return 0, false
}
