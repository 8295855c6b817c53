package crypto

import (
	"fmt"

	"github.com/cretoai/consensus/messages"
)

// Verified is a value one member signed, checked. Only this package makes one;
// the zero value is none.
type Verified[T any] struct {
	value  T
	bundle *messages.Bundle
}

// Valid reports whether there is a value.
func (v Verified[T]) Valid() bool { return v.bundle != nil }

// Value is what was signed.
func (v Verified[T]) Value() T { return v.value }

// From is who signed it. The zero value was signed by nobody and panics.
func (v Verified[T]) From() messages.Index { return v.bundle.From }

// Bundle is the bundle it came in, whole; it is not to be changed.
func (v Verified[T]) Bundle() *messages.Bundle { return v.bundle }

// BundleReason says why a bundle was not opened.
type BundleReason uint8

// The reasons.
const (
	Malformed BundleReason = iota + 1
	WrongEpoch
	NotAMember
	BadSignature
)

func (r BundleReason) String() string {
	switch r {
	case Malformed:
		return "malformed"
	case WrongEpoch:
		return "wrong epoch"
	case NotAMember:
		return "not a member"
	case BadSignature:
		return "bad signature"
	}
	return "unknown reason"
}

// BundleError is why a bundle was not opened.
type BundleError struct {
	Reason BundleReason
	From   messages.Index // as claimed
	Err    error          // details of Malformed
}

func (e *BundleError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("bundle of member %d: %v: %v", e.From, e.Reason, e.Err)
	}
	return fmt.Sprintf("bundle of member %d: %v", e.From, e.Reason)
}

func (e *BundleError) Unwrap() error { return e.Err }

// Open checks a bundle: its shape, its epoch, that its sender is a member, and
// last and once its signature. The error is a *BundleError.
func (k *Keyring) Open(b *messages.Bundle) ([]Verified[messages.Vote], error) {
	if err := k.check(b); err != nil {
		return nil, err
	}
	if err := k.checkSignature(b); err != nil {
		return nil, err
	}
	return verified(b), nil
}

// Restore gives the votes of a bundle read back from the own journal, which
// held it only because it had been opened or sealed.
func (k *Keyring) Restore(b *messages.Bundle) ([]Verified[messages.Vote], error) {
	if err := k.check(b); err != nil {
		return nil, err
	}
	return verified(b), nil
}

func (k *Keyring) check(b *messages.Bundle) error {
	if err := b.Validate(); err != nil {
		e := &BundleError{Reason: Malformed, Err: err}
		if b != nil {
			e.From = b.From
		}
		return e
	}
	switch {
	case b.Epoch != k.epoch:
		return &BundleError{Reason: WrongEpoch, From: b.From}
	case int(b.From) >= len(k.keys):
		return &BundleError{Reason: NotAMember, From: b.From}
	}
	return nil
}

func (k *Keyring) checkSignature(b *messages.Bundle) error {
	signed := b.SigningBytes(k.chain)
	var id [32]byte
	if k.memory != nil {
		if id = k.memory.id(PurposeBundle, k.ids[b.From][:], signed, b.Signature); k.memory.has(b.From, id) {
			return nil
		}
	}
	if !k.keys[b.From].Verify(PurposeBundle, signed, b.Signature) {
		return &BundleError{Reason: BadSignature, From: b.From}
	}
	if k.memory != nil {
		k.memory.keep(b.From, id)
	}
	return nil
}

func verified(b *messages.Bundle) []Verified[messages.Vote] {
	out := make([]Verified[messages.Vote], len(b.Votes))
	for i, v := range b.Votes {
		out[i] = Verified[messages.Vote]{v, b}
	}
	return out
}

// Seal signs votes as one bundle with the key of member self. Whoever calls it
// has the voter's grant for each vote. The bundle keeps votes, which must not
// change afterwards.
func Seal(k *Keyring, self messages.Index, key PrivateKey, votes []messages.Vote) (*messages.Bundle, []Verified[messages.Vote], error) {
	if i, ok := k.IndexOfKey(key.Public()); !ok || i != self {
		return nil, nil, fmt.Errorf("seal: the key is not member %d's", self)
	}
	b := &messages.Bundle{Epoch: k.epoch, From: self, Votes: votes}
	sig, err := key.Sign(PurposeBundle, b.SigningBytes(k.chain))
	if err != nil {
		return nil, nil, fmt.Errorf("seal: %w", err)
	}
	b.Signature = sig
	if err := k.check(b); err != nil {
		return nil, nil, fmt.Errorf("seal: %w", err)
	}
	return b, verified(b), nil
}
