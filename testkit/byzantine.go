package testkit

import (
	"bytes"
	"math/rand/v2"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// Byzantine has a member misbehave from now on, in all of the given ways, one
// after the other; without any it is honest again. Of at most f members at a time
// the others must not take harm.
func (c *Cluster) Byzantine(i int, behaviours ...byzantine.Behaviour) {
	c.t.Helper()
	c.check(i)
	c.timeline.tell("member %d misbehaves in %d ways", i, len(behaviours))
	c.members[i].Behave(behaviours...)
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
