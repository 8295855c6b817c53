package sim

import (
	"fmt"
	"time"
)

// Split puts replicas into groups for a while: members first, then twins in the
// order of their roles. Frames pass within a group alone.
type Split struct {
	Group []int
	Lasts time.Duration
}

func (c Config) validateScript() error {
	if len(c.Script) == 0 {
		return nil
	}
	if c.Faults == nil {
		return fmt.Errorf("a script needs faults that say who misbehaves, if only nobody")
	}
	replicas := len(c.Faults.identities(c.Replicas))
	for i, s := range c.Script {
		if len(s.Group) != replicas || s.Lasts <= 0 {
			return fmt.Errorf("split %d puts %d replicas of %d into groups, for %v", i, len(s.Group), replicas, s.Lasts)
		}
	}
	return nil
}

// play has the network split as the script says, from one of its splits on.
func (s *simulation) play(split int) {
	if split == len(s.cfg.Script) {
		s.network.heal()
		s.played = true
		return
	}
	now := s.cfg.Script[split]
	s.trace.tell("the network splits into %v", now.Group)
	s.network.cutOff(now.Group, false, false)
	s.clock.AfterFunc(now.Lasts, func() { s.play(split + 1) })
}
