package byzantine

import "github.com/cretoai/consensus/messages"

// Emptying is a leader that has null batches ordered in place of those it is asked
// to order: something happens, and nobody is served.
func Emptying() Behaviour { return emptying{} }

type emptying struct{ honest }

// Send implements Behaviour.
func (emptying) Send(m *Member, f Frame, pass func(Frame)) {
	message, ok := f.Message.(*messages.Bundles)
	if !ok {
		pass(f)
		return
	}
	out := revote(m, message, func(v messages.Vote) (messages.Vote, bool) {
		if v.Kind == messages.PrePrepare || v.Kind == messages.Commit {
			v.Digest = messages.NullDigest
		}
		return v, true
	})
	if out != nil {
		f.Message = out
		pass(f)
	}
}
