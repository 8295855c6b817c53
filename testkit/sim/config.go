package sim

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// Config says what to simulate. Seed alone decides everything that is left to
// chance.
type Config struct {
	Seed uint64
	// Replicas is the number of members; 4 if 0.
	Replicas int
	// Vertices is how many are proposed while there are faults; 60 if 0.
	Vertices int
	// OptimisticMode simulates a chain in optimistic mode.
	OptimisticMode bool
	// Faults replaces those drawn from the seed, all of them; nil leaves them to it.
	// What is no fault in there has a default, as has this: see Faults.
	Faults *Faults
	// Without names kinds of faults that are switched off, drawn or not: the
	// rest of the run is drawn as ever. See FaultKinds.
	Without []string
	// Script replaces the faults of chance by splits of the network, one after the
	// other; Faults still says who misbehaves. Only when it is over may the run end.
	Script []Split
	// Configure changes the configuration of a replica before each start: to
	// show that a wrong one is found out. One that no replica starts with is an error
	// of Run, and no violation.
	Configure func(member int, cfg *replica.Config)
	// Trace gets a line for every step; nil for none.
	Trace io.Writer
}

// Validate says what is wrong with a configuration, as Run does. Zero fields have
// their defaults and are right.
func (c Config) Validate() error {
	_, err := c.withDefaults()
	return err
}

func (c Config) withDefaults() (Config, error) {
	if c.Replicas == 0 {
		c.Replicas = messages.MembersMin
	}
	if c.Vertices == 0 {
		c.Vertices = 60
	}
	if c.Replicas < messages.MembersMin || c.Replicas > messages.MembersMax {
		return c, fmt.Errorf("%d replicas: simulate %d to %d", c.Replicas, messages.MembersMin, messages.MembersMax)
	}
	if c.Vertices < 0 {
		return c, errors.New("fewer than no vertices")
	}
	if c.Faults != nil {
		faults := c.Faults.withDefaults()
		c.Faults = &faults
		if err := faults.validate(c.Replicas); err != nil {
			return c, err
		}
	}
	if err := c.validateScript(); err != nil {
		return c, err
	}
	for _, name := range c.Without {
		if !slices.Contains(FaultKinds(), name) {
			return c, fmt.Errorf("no faults are called %q: there are %s", name, strings.Join(FaultKinds(), ", "))
		}
	}
	return c, nil
}
