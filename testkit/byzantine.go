package testkit

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// Byzantine has a member misbehave from now on, in all of the given ways, one
// after the other; without any it is honest again. Of at most f = ⌊(n−1)/3⌋ members, 1
// of 4 and 2 of 7, the others must not take harm, whatever these do. Of more nothing
// is promised: two replicas may finalise different batches, which AwaitEqual finds.
// The timeline says so when a test goes beyond. Who lied once counts, though it is honest
// again: its votes are out there, and its replica stops if it hears of them.
//
// A behaviour keeps state: give each member its own. Those that only the simulator
// performs are refused: kill the member instead (byzantine.Dead), give it an empty
// disk (byzantine.Amnesiac), or see package sim (byzantine.Twins).
func (c *Cluster) Byzantine(i int, behaviours ...byzantine.Behaviour) {
	c.t.Helper()
	c.check(i)
	names := make([]string, len(behaviours))
	for k, b := range behaviours {
		if name, only := byzantine.SimulatedOnly(b); only {
			c.t.Fatalf("only the simulator makes a member %q: Kill, SetDisk and Start do it here, or use testkit/sim", name)
		}
		names[k] = strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", b), "*"), "byzantine.")
	}
	c.members[i].Behave(behaviours...)
	if len(behaviours) == 0 {
		c.timeline.tell("member %d is honest again", i)
		return
	}
	c.timeline.tell("member %d misbehaves: %s", i, strings.Join(names, ", "))
	c.lied[i].Store(true)
	liars := 0
	for m := range c.lied {
		if c.lied[m].Load() {
			liars++
		}
	}
	if most := messages.MaxFaulty(len(c.members)); liars > most {
		c.timeline.tell("%d members have misbehaved, of %d at most %d may: nothing is promised any more", liars, len(c.members), most)
	}
}

// newMembers makes members that are honest until told otherwise.
func (c *Cluster) newMembers(scheme crypto.Scheme) []*byzantine.Member {
	keyring, err := crypto.NewKeyringWithScheme(c.Genesis, scheme)
	if err != nil {
		c.t.Fatal(err)
	}
	members := make([]*byzantine.Member, len(c.keys))
	for i, key := range c.keys {
		creator, err := scheme.NewKey(bytes.Repeat([]byte{0xbb - byte(i)}, scheme.SeedSize()))
		if err != nil {
			c.t.Fatal(err)
		}
		members[i] = byzantine.New(byzantine.Config{
			Self: messages.Index(i), Genesis: c.Genesis, Keyring: keyring, Key: key,
			Clock: runtime.RealClock(), Rand: rand.NewChaCha8([32]byte{byte(i)}),
			Creator: creator,
		})
	}
	return members
}
