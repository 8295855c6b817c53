package byzantine

import "github.com/cretoai/consensus/messages"

// Mute says nothing at all: a member that is dead for ever, seen from outside.
func Mute() Behaviour { return mute{} }

type mute struct{ honest }

// Send implements Behaviour.
func (mute) Send(*Member, Frame, func(Frame)) {}

// Vague shows signs of life and answers what it is asked for, but neither votes
// nor proposes.
func Vague() Behaviour { return vague{} }

type vague struct{ honest }

// Send implements Behaviour.
func (vague) Send(_ *Member, f Frame, pass func(Frame)) {
	switch f.Message.(type) {
	case *messages.Bundles, *messages.BatchBody, *messages.Forward, *messages.ViewChangeMessage, *messages.NewViewMessage:
	default:
		pass(f)
	}
}
