package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
)

// egress encodes what leaves, once, and gives the same bytes to every peer's
// lane. The lanes are bounded by the transport; what they drop, Status brings
// again.
type egress struct{ t *Tree }

func (e *egress) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *broadcast:
		if frame := e.encode(m.message); frame != nil {
			for i := range e.t.n {
				if to := messages.Index(i); to != e.t.cfg.Self {
					e.t.cfg.Transport.Send(to, m.lane, frame)
				}
			}
		}
	case *send:
		if frame := e.encode(m.message); frame != nil {
			e.t.cfg.Transport.Send(m.to, m.lane, frame)
		}
	}
}

func (e *egress) encode(m messages.Message) []byte {
	frame, err := messages.EncodeFrame(m)
	if err != nil {
		// Only a bug of ours makes what may not travel.
		e.t.cfg.Metrics.Dropped("encode failed", 1)
		e.t.log.Error().Err(err).Msg("a message could not be encoded")
		return nil
	}
	return frame
}

// hello introduces this replica to a peer whose channel came up.
func (t *Tree) hello() *messages.Hello {
	return &messages.Hello{Genesis: t.cfg.Keyring.Chain(), Instance: t.instance, Software: t.cfg.Version}
}
