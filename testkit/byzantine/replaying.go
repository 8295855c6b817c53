package byzantine

import (
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
)

// Replaying sends again what it sent or heard long ago, others' messages too, to
// whomever.
func Replaying() Behaviour { return &replaying{} }

type replaying struct{ heard []messages.Message }

// heardMax bounds what is remembered.
const heardMax = 256

func (r *replaying) keep(m *Member, message messages.Message) {
	if len(r.heard) < heardMax {
		r.heard = append(r.heard, message)
	} else if m.Often(200) {
		r.heard[m.IntN(heardMax)] = message
	}
}

// Send implements Behaviour.
func (r *replaying) Send(m *Member, f Frame, pass func(Frame)) {
	r.keep(m, f.Message)
	pass(f)
	for m.Often(300) {
		pass(Frame{m.Peer(), cluster.LaneVotes, r.heard[m.IntN(len(r.heard))]})
	}
}

// Receive implements Behaviour.
func (r *replaying) Receive(m *Member, _ messages.Index, message messages.Message) bool {
	r.keep(m, message)
	return true
}
