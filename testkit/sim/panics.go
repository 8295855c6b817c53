package sim

import (
	"math/rand/v2"
	"path"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
)

// panics makes actors of one process fail. They are restarted and live on, but
// for one, which takes its replica down.
type panics struct {
	rng      *rand.Rand
	tracker  int            // of 1000 messages to trackers, how many panic
	struck   map[string]int // by actor
	target   string         // the actor to panic at its next message, as path.Match has it; "" for none
	expected bool           // the replica will end by itself
}

// panicsMax keeps below what exhausts an actor's restarts.
const panicsMax = 3

func (p *panics) middleware(next actor.ReceiverFunc) actor.ReceiverFunc {
	return func(c actor.ReceiverContext, envelope *actor.MessageEnvelope) {
		if p.strikes(short(c.Self().Id), envelope.Message) {
			panic("injected")
		}
		next(c, envelope)
	}
}

func (p *panics) strikes(name string, message any) bool {
	switch message.(type) {
	case actor.SystemMessage, actor.AutoReceiveMessage:
		return false // the library's own, whose loss no restart survives
	}
	if _, tracker, _ := strings.Cut(name, "/"); strings.HasPrefix(tracker, "phase-") {
		if p.struck[tracker] < panicsMax && p.rng.IntN(1000) < p.tracker {
			p.struck[tracker]++
			return true
		}
		return false
	}
	if hit, _ := path.Match(p.target, name); !hit || p.target == "" || p.struck[name] == panicsMax {
		return false
	}
	p.struck[name]++
	p.target, p.expected = "", name == fatal
	return true
}
