package messages

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Bundle is one member's signature over a group of its votes: those that
// became durable in one flush. A bundle is kept and passed on whole, for its
// signature covers all its votes. Two bundles are compared by what they sign,
// never by their signatures: signing is hedged, so the same votes signed twice
// give two signatures. [protocol §2]
//
// A Bundle from the network is a claim. Package crypto turns it into verified
// votes.
type Bundle struct {
	Epoch     Epoch
	From      Index
	Votes     []Vote
	Signature []byte
}

// SigningVersion is the first byte of what is signed.
const SigningVersion = 1

// SigningBytes is the fixed-layout byte string a bundle's signature covers:
// version 1 ‖ chain 32 ‖ epoch 8 ‖ from 2 ‖ count 2 ‖ votes 49 each, big-endian.
// chain is the genesis hash. The count and the fixed sizes make it injective.
func (b *Bundle) SigningBytes(chain Digest) []byte {
	out := make([]byte, 0, 1+len(chain)+8+2+2+len(b.Votes)*VoteBytes)
	out = append(out, SigningVersion)
	out = append(out, chain[:]...)
	out = binary.BigEndian.AppendUint64(out, uint64(b.Epoch))
	out = binary.BigEndian.AppendUint16(out, uint16(b.From))
	out = binary.BigEndian.AppendUint16(out, uint16(len(b.Votes)))
	for _, v := range b.Votes {
		out = v.AppendTo(out)
	}
	return out
}

// Validate checks a bundle's shape: everything that can be judged without
// keys, membership or state.
func (b *Bundle) Validate() error {
	switch {
	case b == nil:
		return errors.New("no bundle")
	case len(b.Votes) == 0:
		return errors.New("a bundle holds at least one vote")
	case len(b.Votes) > BundleVotesMax:
		return fmt.Errorf("a bundle holds at most %d votes, not %d", BundleVotesMax, len(b.Votes))
	case len(b.Signature) == 0:
		return errors.New("a bundle is signed")
	case len(b.Signature) > SignatureBytesMax:
		return fmt.Errorf("a signature has at most %d bytes, not %d", SignatureBytesMax, len(b.Signature))
	}
	for i, v := range b.Votes {
		if err := v.Validate(); err != nil {
			return fmt.Errorf("vote %d: %w", i, err)
		}
	}
	return nil
}
