package cryptotest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// NewMembers makes a genesis of n members with their signing and channel keys in
// order. All keys, and with them the chain, are the same for the same arguments;
// of the genesis only the channel signatures differ, which are hedged.
func NewMembers(n int, seed uint64, scheme crypto.Scheme) (*messages.Genesis, []crypto.PrivateKey, []ed25519.PrivateKey) {
	g := &messages.Genesis{ChainID: "test", Scheme: scheme.Name(), Params: messages.DefaultParams()}
	keys := make([]crypto.PrivateKey, n)
	channels := make([]ed25519.PrivateKey, n)
	for i := range n {
		key, err := scheme.NewKey(derive(seed, uint64(i), "signing")[:scheme.SeedSize()])
		if err != nil {
			panic(err)
		}
		keys[i] = key
		channels[i] = ed25519.NewKeyFromSeed(derive(seed, uint64(i), "channel"))
		m := messages.Member{
			Name:       fmt.Sprintf("replica-%d", i),
			PublicKey:  key.Public().Bytes(),
			ChannelKey: channels[i].Public().(ed25519.PublicKey),
		}
		m.ChannelSignature, err = key.Sign(crypto.PurposeGenesis, messages.ChannelBinding(g.ChainID, m.Name, m.PublicKey, m.ChannelKey))
		if err != nil {
			panic(err)
		}
		g.Members = append(g.Members, m)
	}
	return g, keys, channels
}

// derive gives 32 bytes that depend on all arguments.
func derive(seed, i uint64, what string) []byte {
	b := binary.BigEndian.AppendUint64([]byte(what), seed)
	b = binary.BigEndian.AppendUint64(b, i)
	sum := sha256.Sum256(b)
	return sum[:]
}
