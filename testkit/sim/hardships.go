package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// Hardships are faults of whole runs rather than of moments. They are drawn apart,
// and by some seeds only: what the others draw stays as it was.
type Hardships struct {
	// Rough networks lose up to every third frame and deliver up to every second
	// one twice, in any order.
	Rough bool
	// Blackouts are the mean time between two moments from which on the network
	// carries nothing, or all pass through one member that does not pass on.
	Blackouts time.Duration
	// Silent clients propose nothing while there are faults, and then not for a
	// while: the ledger stays empty and views change all the same.
	Silent bool
	// Skew is by how much of 1000 a member's clock runs too fast or too slow, at
	// most; what time of day they show differs by hours.
	Skew int
	// Distant has one member's frames travel ten times as long, either way.
	Distant bool
	// DoubleSpends counts the vertices of 1000 whose client spends the same nonce on
	// another payload, elsewhere.
	DoubleSpends int
	// Impatient replicas suspect their leader after the shortest times that a
	// configuration allows.
	Impatient bool
}

// hardshipStream is the stream from which they are drawn, hardshipsStream the one
// from which they take what is left to chance, lateRolesStream that of lateRoles.
const (
	hardshipStream  = 1<<32 + 1
	hardshipsStream = 1<<32 + 2
	lateRolesStream = 1<<32 + 3
)

// drawHardships gives every second seed one or two.
func (f *Faults) drawHardships(rng *rand.Rand) {
	if rng.IntN(2) == 0 {
		return
	}
	for range 1 + rng.IntN(4)/3 {
		switch rng.IntN(7) {
		case 0:
			f.Rough = true
		case 1:
			f.Blackouts = time.Duration(400+rng.IntN(1200)) * time.Millisecond
		case 2:
			f.Silent = !f.Absent // who is away waits for the others to go on
		case 3:
			f.Skew = 1 + rng.IntN(skewMax)
		case 4:
			f.Distant = true
		case 5:
			f.DoubleSpends = 50 + rng.IntN(450)
		case 6:
			f.Impatient = f.DelayMin < slowerBy // or heartbeats are later than that by themselves
		}
	}
}

// lateRoles are combinations of behaviours that came after what seeds drew was
// settled, for one member, the leader of the first view as often as not.
var lateRoles = [][]string{
	{"skipping"}, {"emptying"}, {"overvoting"}, {"equivocating", "overvoting"}, {"selective", "skipping"}, {"slow", "emptying"},
}

// drawLateRoles gives one of them to some of the seeds in which nobody misbehaves.
func (f *Faults) drawLateRoles(rng *rand.Rand, n int) {
	if rng.IntN(4) > 0 || len(f.Byzantine) > 0 || f.Absent {
		return
	}
	f.Byzantine = []Role{{Member: rng.IntN(2) * rng.IntN(n), Behaviours: lateRoles[rng.IntN(len(lateRoles))], Strength: 1 + rng.IntN(999)}}
}

// What a rough network does to frames, of 1000, and how much longer those of a
// distant member travel.
const (
	roughLoss      = 300
	roughDuplicate = 500
	farther        = 10
	skewMax        = 200
)

// loss and duplicate are the shares of 1000 that hold.
func (f *Faults) loss() int {
	if f.Rough {
		return roughLoss
	}
	return f.Loss
}

func (f *Faults) duplicate() int {
	if f.Rough {
		return roughDuplicate
	}
	return f.Duplicate
}

// hardships lists them as kinds.
var hardships = []kind{
	toggle("rough", func(f *Faults) *bool { return &f.Rough }),
	often("blackouts", func(f *Faults) *time.Duration { return &f.Blackouts }),
	toggle("silence", func(f *Faults) *bool { return &f.Silent }),
	share("skew", func(f *Faults) *int { return &f.Skew }),
	toggle("distance", func(f *Faults) *bool { return &f.Distant }),
	share("double-spending", func(f *Faults) *int { return &f.DoubleSpends }),
	toggle("impatience", func(f *Faults) *bool { return &f.Impatient }),
}

// toggle is a kind that is there or not.
func toggle(name string, of func(*Faults) *bool) kind {
	return kind{name, func(f *Faults) string { return map[bool]string{true: name}[*of(f)] }, func(f *Faults) { *of(f) = false }}
}

// prepareHardships draws who is concerned.
func (s *simulation) prepareHardships() {
	s.rng.hardships = rand.New(rand.NewPCG(s.cfg.Seed, hardshipsStream))
	s.load.rivalry = s.rng.hardships
	s.load.doubleSpends = s.faults.DoubleSpends
	s.network.distant = -1
	if s.faults.Distant {
		s.network.distant = s.rng.hardships.IntN(s.cfg.Replicas)
	}
	for _, m := range s.members {
		m.clock = s.clock
		if s.faults.Skew > 0 {
			m.clock = newSkewed(s.clock, s.faults.Skew, s.rng.hardships)
		}
	}
}

// configure has a replica be impatient.
func (f *Faults) configure(cfg *replica.Config) {
	if f.Impatient {
		cfg.FinalityTimeout, cfg.HeartbeatTimeout = cfg.Heartbeat, 2*cfg.Heartbeat
		if cfg.Genesis.Params.OptimisticMode {
			cfg.FinalityTimeout *= 3 // the least there is
		}
	}
}

// blackout empties the network for a while: every member is alone, or all but one
// hear that one only.
func (s *simulation) blackout() {
	star := -1
	if s.rng.hardships.IntN(2) == 0 {
		star = s.rng.hardships.IntN(len(s.members))
		s.trace.tell("the members hear nobody but replica %d, and it hears all", star)
	} else {
		s.trace.tell("nobody hears anybody")
	}
	s.network.cut(func(from, to int) bool { return from != to && from != star && to != star }, s.rng.hardships.IntN(2) == 0)
	s.clock.AfterFunc(100*time.Millisecond+time.Duration(s.rng.hardships.Int64N(int64(2*time.Second))), func() {
		s.trace.tell("the network is back")
		s.network.heal()
	})
}

// How long silent clients stay silent when the faults have stopped, and the end of
// that time in which nobody may be suspected any more.
const (
	silenceMax = 32 * time.Second
	silenceEnd = 20 * time.Second
)

// endSilence has the clients propose at last. Until then there was nothing to
// do, and who suspects a leader for that turns views for ever.
func (s *simulation) endSilence() {
	before := messages.View(0)
	s.clock.AfterFunc(silenceMax-silenceEnd, func() { before = s.view })
	s.clock.AfterFunc(silenceMax, func() {
		if s.view > before && len(s.faults.Byzantine) == 0 {
			s.oracle.violated("idleness", "views changed from %d to %d though all was well and nothing was proposed", before, s.view)
		}
		s.spoken = true
		s.trace.tell("the clients propose at last")
		s.propose()
	})
}

// skewed is a clock that runs at its own rate, and shows another time of day.
type skewed struct {
	*runtime.Virtual
	begin, shown time.Time
	rate         int64 // of a true clock's 1000
}

func newSkewed(clock *runtime.Virtual, skew int, rng *rand.Rand) *skewed {
	offset := time.Duration(rng.Int64N(int64(8*time.Hour))) - 4*time.Hour
	return &skewed{clock, clock.Now(), clock.Now().Add(offset), int64(1000 - skew + rng.IntN(2*skew+1))}
}

// Now implements runtime.Clock.
func (c *skewed) Now() time.Time {
	since := c.Virtual.Now().Sub(c.begin)
	return c.shown.Add(since/1000*time.Duration(c.rate) + since%1000*time.Duration(c.rate)/1000)
}

// AfterFunc implements runtime.Clock: never before d has passed on this clock.
func (c *skewed) AfterFunc(d time.Duration, f func()) runtime.Timer {
	return c.Virtual.AfterFunc((d*1000+time.Duration(c.rate)-1)/time.Duration(c.rate), f)
}

func (c *skewed) String() string { return fmt.Sprintf("%d‰", c.rate) }
