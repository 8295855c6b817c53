package detector

import (
	"fmt"

	"github.com/cretoai/consensus/messages"
)

// Type is what a member did. Its name is the value of metric labels.
type Type uint8

// The types of violations.
const (
	TypeEquivocation     Type = iota // two digests signed for one place
	TypeInvalidSignature             // sent a bundle whose signature is not its signer's
	TypeMalformed                    // sent bytes that are no message
	TypeOversized                    // sent more bytes than a bound allows
	TypeFlooding                     // sent more than its share
	TypeProtocol                     // sent a well-formed message no correct member sends
	TypeTimeout                      // was too late
	TypeNonParticipation             // did not take part
	TypeInvalidNewView               // signed a NewView that does not follow from its ViewChanges

	types = iota
)

// Types lists all types in ascending order.
var Types = [types]Type{
	TypeEquivocation, TypeInvalidSignature, TypeMalformed, TypeOversized,
	TypeFlooding, TypeProtocol, TypeTimeout, TypeNonParticipation, TypeInvalidNewView,
}

var typeNames = [types]string{
	"equivocation", "invalid_signature", "malformed", "oversized",
	"flooding", "protocol", "timeout", "non_participation", "invalid_new_view",
}

func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("type(%d)", uint8(t))
}

// Class is how much a violation proves.
type Class uint8

// The classes.
const (
	Provable      Class = iota // to everyone, by the member's own signatures: convicts
	Attributable               // to this replica, by the member's channel: costs reputation
	SuspicionOnly              // may be the network's fault: decays, never bans
)

var classNames = [...]string{"provable", "attributable", "suspicion"}

func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("class(%d)", uint8(c))
}

// Class is the type's class.
func (t Type) Class() Class {
	switch t {
	case TypeEquivocation, TypeInvalidNewView:
		return Provable
	case TypeTimeout, TypeNonParticipation:
		return SuspicionOnly
	}
	return Attributable
}

// Violation is one charge, with what came of it.
type Violation struct {
	Member messages.Index
	Type   Type
	// Score is the member's reputation after the charge, in thousandths.
	Score int
	// Banned: the member is banned after the charge.
	Banned bool
	// Evidence is the proof of an equivocation, nil otherwise.
	Evidence *Evidence
	// NewView is the proof of an invalid NewView, not valid otherwise.
	NewView ProvenNewView
	// Bans are the changes the charge made.
	Bans Bans
}

// Bans are the changes of the set of banned members, ascending. Charging one
// member can end another's ban, since a replica bans at most f.
type Bans struct{ Added, Ended []messages.Index }
