package messages

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// View numbers the reigns of leaders; view v is led by members[v mod n].
// [PBFT99 §4.1, where the leader is called primary]
type View uint64

// Seq is the sequence number of a batch. The first batch has Seq 1; Seq 0 is
// the genesis state, stable by definition.
type Seq uint64

// Epoch numbers the memberships of one chain. Genesis is epoch 0.
type Epoch uint64

// Index is a member's place in the genesis file, 0 ≤ Index < n. On the wire it
// is never trusted before it was compared with n.
type Index uint16

// Digest is a SHA-256 hash.
type Digest [sha256.Size]byte

// NullDigest is the reserved digest of the null batch, which only a NewView
// may list. It is the hash of no batch: batch digests hash a domain tag first.
var NullDigest = Digest(sha256.Sum256([]byte("cretoai-consensus/v1/null-batch")))

// IsZero reports whether d is the zero value, which stands for "absent" and is
// the digest of nothing.
func (d Digest) IsZero() bool { return d == Digest{} }

// String gives the first four bytes in hexadecimal: enough to tell digests
// apart in a log line.
func (d Digest) String() string { return hex.EncodeToString(d[:4]) }

// Format implements fmt.Formatter: %v and %s are String, %x is all 32 bytes.
func (d Digest) Format(f fmt.State, verb rune) { formatHash(f, verb, d, d.String()) }

// formatHash writes a hash as its short text, where a text is asked for, and else as
// the bytes it is.
func formatHash(f fmt.State, verb rune, hash [sha256.Size]byte, text string) {
	if (verb == 'v' && !f.Flag('#')) || verb == 's' || verb == 'q' {
		fmt.Fprintf(f, fmt.FormatString(f, verb), text)
		return
	}
	fmt.Fprintf(f, fmt.FormatString(f, verb), hash)
}

// Hex gives all 32 bytes in hexadecimal.
func (d Digest) Hex() string { return hex.EncodeToString(d[:]) }

// MarshalText implements encoding.TextMarshaler with the whole digest.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.Hex()), nil }

// UnmarshalText implements encoding.TextUnmarshaler for 64 hexadecimal digits.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != 2*len(d) {
		return fmt.Errorf("a digest has %d hexadecimal digits, not %d", 2*len(d), len(text))
	}
	if _, err := hex.Decode(d[:], text); err != nil {
		return fmt.Errorf("a digest is written in hexadecimal: %w", err)
	}
	return nil
}

// MemberID is the fingerprint of a member's ML-DSA public key, see
// NewMemberID. It identifies a member across chains and epochs; within one
// epoch its Index does.
type MemberID [sha256.Size]byte

// NewMemberID is SHA-256 over a domain tag, the scheme's name and the public key.
func NewMemberID(scheme string, publicKey []byte) MemberID {
	return keyID("cretoai-consensus/v1/member\x00", scheme, publicKey)
}

func keyID(tag, scheme string, publicKey []byte) (id [32]byte) {
	h := sha256.New()
	h.Write([]byte(tag))
	h.Write([]byte(scheme))
	h.Write([]byte{0})
	h.Write(publicKey)
	h.Sum(id[:0])
	return id
}

// String gives the first four bytes in hexadecimal.
func (id MemberID) String() string { return hex.EncodeToString(id[:4]) }

// Format implements fmt.Formatter: %v and %s are String, %x is all 32 bytes.
func (id MemberID) Format(f fmt.State, verb rune) { formatHash(f, verb, id, id.String()) }

// Hex gives all 32 bytes in hexadecimal.
func (id MemberID) Hex() string { return hex.EncodeToString(id[:]) }

// MarshalText implements encoding.TextMarshaler with the whole fingerprint.
func (id MemberID) MarshalText() ([]byte, error) { return []byte(id.Hex()), nil }
