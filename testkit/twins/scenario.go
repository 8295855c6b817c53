package twins

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cretoai/consensus/messages"
)

// groupsMax bounds into how many groups a round splits the network.
const groupsMax = 3

// Space are all scenarios of so many members and rounds.
type Space struct {
	Members, Rounds int
	partitions      [][]int // of the replicas: the group of each
	doubled         [][]int // who has a twin: f members each
}

// NewSpace lists what scenarios are made of.
func NewSpace(members, rounds int) (*Space, error) {
	if members < messages.MembersMin || members > 7 || rounds < 1 || rounds > 20 {
		return nil, fmt.Errorf("twins among %d members in %d rounds: 4 to 7 members and 1 to 20 rounds can be run", members, rounds)
	}
	f := messages.MaxFaulty(members)
	return &Space{members, rounds, partitions(members + f), choices(members, f)}, nil
}

// partitions lists all ways to put replicas into at most groupsMax groups.
func partitions(replicas int) (all [][]int) {
	var extend func(groups []int, used int)
	extend = func(groups []int, used int) {
		if len(groups) == replicas {
			all = append(all, slices.Clone(groups))
			return
		}
		for g := range min(used+1, groupsMax) {
			extend(append(groups, g), max(used, g+1))
		}
	}
	extend(nil, 0)
	return all
}

// choices lists all sets of so many members.
func choices(members, count int) (all [][]int) {
	var extend func(set []int, from int)
	extend = func(set []int, from int) {
		if len(set) == count {
			all = append(all, slices.Clone(set))
			return
		}
		for m := from; m < members; m++ {
			extend(append(set, m), m+1)
		}
	}
	extend(nil, 0)
	return all
}

// Size is how many scenarios there are.
func (s *Space) Size() *big.Int {
	perRound := big.NewInt(int64(len(s.partitions) * (s.Members + 1)))
	return new(big.Int).Mul(big.NewInt(int64(len(s.doubled))), new(big.Int).Exp(perRound, big.NewInt(int64(s.Rounds)), nil))
}

// Scenario is one of a Space.
type Scenario struct {
	Members int
	Doubled []int // the members that have a twin
	Rounds  []Round
}

// Round splits the replicas into groups, twins behind all members, and has a
// member lead; -1 has nobody leave a view.
type Round struct {
	Group  []int
	Leader int
}

// At gives the scenario of a number below Size.
func (s *Space) At(number uint64) Scenario {
	pick := func(n int) int {
		i := number % uint64(n)
		number /= uint64(n)
		return int(i)
	}
	return s.compose(pick)
}

// Draw gives the scenario a seed draws, any of all with the same chance.
func (s *Space) Draw(seed uint64) Scenario { return s.compose(rand.New(rand.NewPCG(seed, 11)).IntN) }

func (s *Space) compose(pick func(int) int) Scenario {
	c := Scenario{Members: s.Members, Doubled: s.doubled[pick(len(s.doubled))]}
	for range s.Rounds {
		c.Rounds = append(c.Rounds, Round{s.partitions[pick(len(s.partitions))], pick(s.Members+1) - 1})
	}
	return c
}

// Identities gives the member that each replica is.
func (c Scenario) Identities() []messages.Index {
	var all []messages.Index
	for m := range c.Members {
		all = append(all, messages.Index(m))
	}
	for _, m := range c.Doubled {
		all = append(all, messages.Index(m))
	}
	return all
}

// String is how people read it: 0' is the twin of 0.
func (c Scenario) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d members, of whom %v have twins", c.Members, c.Doubled)
	names := c.names()
	for i, r := range c.Rounds {
		groups := make([]string, groupsMax)
		for replica, g := range r.Group {
			groups[g] += " " + names[replica]
		}
		who := "nobody leaves"
		if r.Leader >= 0 {
			who = fmt.Sprintf("all leave for a view of %d", r.Leader)
		}
		fmt.Fprintf(&b, "\n  round %d: %s; %s", i+1, strings.Trim(strings.Join(groups, " |"), " |"), who)
	}
	return b.String()
}

func (c Scenario) names() (names []string) {
	for i, m := range c.Identities() {
		name := fmt.Sprint(m)
		if i >= c.Members {
			name += "'"
		}
		names = append(names, name)
	}
	return names
}
