package actors

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/metrics"
)

// dripper is member 1 of four, and tries to keep member 0 late for ever: each time it
// is asked it brings one sequence after the other, each as late as it may.
const dripper messages.Index = 1

// drip is a late replica on virtual time. The other two bring each range whole.
type drip struct {
	nowhere
	liar    bool               // whether the dripper is one
	boasts  bool               // it claims to be far ahead of all, rather than beside them
	rate    float64            // what the others execute in a heartbeat
	latency int                // heartbeats until a range of theirs is there
	sync    *catchUp           // the late one
	clock   *runtime.Virtual   //
	head    float64            // where the others are
	message any                // that is handled
	system  *actor.ActorSystem // has nobody in it: rests end here
	beats   int
	answers []answer
	turns   int        // of the dripper's
	moods   *rand.Rand // if it is not always dripping
	mood    mood
}

// mood is what the dripper does with a request.
type mood int

const (
	dripping mood = iota
	silent
	quick // at once, before anybody else could
	moods
)

// answer is a range on its way.
type answer struct {
	due  int
	from messages.Index
	ask  *messages.FetchDecided
}

func (d *drip) Message() any                    { return d.message }
func (d *drip) Self() *actor.PID                { return d.system.NewLocalPID("nobody") }
func (d *drip) ActorSystem() *actor.ActorSystem { return d.system }

// Send is what the late one sends: its requests.
func (d *drip) Send(_ *actor.PID, m any) {
	s, ok := m.(*send)
	if !ok {
		return
	}
	ask, ok := s.message.(*messages.FetchDecided)
	if !ok {
		return
	}
	if s.to == dripper && d.liar {
		if d.turns++; d.moods != nil {
			d.mood = mood(d.moods.IntN(int(moods)))
		}
		return
	}
	d.answers = append(d.answers, answer{d.beats + d.latency, s.to, ask})
}

// quiet is an actor system that tells nobody of what goes nowhere.
func quiet() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
}

func newDrip(t *testing.T, d *drip) *drip {
	t.Helper()
	state := memoryState(t)
	genesis, _, keyring := testKeyring(t, 4)
	d.clock, d.system, d.head = runtime.NewVirtual(time.Unix(0, 0)), quiet(), 100
	tree := &Tree{n: 4, log: zerolog.Nop(), ledger: &Ledger{}, cfg: Config{
		Genesis: genesis, Keyring: keyring, Detection: true, Transport: connected{}, State: state,
		Clock: d.clock, Heartbeat: 100 * time.Millisecond, Metrics: metrics.New(metrics.Options{Members: 4}),
	}}
	tree.detector, tree.snapshots = newDetector(tree), &snapshots{t: tree}
	d.sync = &catchUp{
		t: tree, executed: 100, peers: make([]messages.Seq, 4), slow: make([]bool, 4),
		patience: newPatience(4, tree.cfg.Heartbeat), transfer: newTransfer(tree), serving: newServing(tree),
	}
	return d
}

func (d *drip) handle(m any) {
	d.message = m
	d.sync.Receive(d)
}

// beat is a heartbeat of all.
func (d *drip) beat() {
	s, now := d.sync, d.clock.Now()
	switch asked := d.liar && s.asked != 0 && s.from == dripper && s.executed < messages.Seq(d.head); {
	case asked && d.mood == quick:
		for seq := s.executed + 1; s.asks(dripper, seq) && seq <= messages.Seq(d.head); seq++ {
			d.handle(&executed{seq: seq})
		}
	case asked && d.mood == dripping && s.patience.deadline.Sub(now) <= s.t.cfg.Heartbeat:
		d.handle(&executed{seq: s.executed + 1})
	}
	d.deliver()
	d.clock.Advance(s.t.cfg.Heartbeat)
	d.beats++
	d.head += d.rate
	for m := messages.Index(1); m < 4; m++ {
		claim := messages.Seq(d.head)
		if m == dripper && d.liar && d.boasts {
			claim = 1 << 60
		}
		d.handle(&statusArrived{m, &messages.Status{Executed: claim}})
	}
	d.deliver()
	d.handle(&tick{})
	d.deliver()
	if s.rest != nil && s.asked == 0 && s.batches.left(d.clock.Now()) == 0 {
		d.handle(&rested{})
		d.deliver()
	}
}

// deliver brings what is due, if it is still asked for.
func (d *drip) deliver() {
	for len(d.answers) > 0 && d.answers[0].due <= d.beats {
		a := d.answers[0]
		d.answers = d.answers[1:]
		for seq := a.ask.From; seq <= a.ask.To && seq <= messages.Seq(d.head); seq++ {
			if d.sync.asks(a.from, seq) {
				d.handle(&executed{seq: seq})
			}
		}
	}
}

// behind is how far the late one is from the others.
func (d *drip) behind() messages.Seq { return messages.Seq(d.head) - d.sync.executed }

// Whoever brings one sequence now and then, each as late as it may, keeps nobody late:
// not after it has claimed for long to be ahead of all, and brought nothing, either.
func TestR3_NobodyIsKeptLateByDrips(t *testing.T) {
	for _, boasts := range []bool{false, true} {
		for _, prelude := range []int{0, 400} {
			for _, rate := range []float64{0.1, 1, 5} {
				t.Run(fmt.Sprintf("boasts %t, prelude %d, others at %v", boasts, prelude, rate), func(t *testing.T) {
					d := newDrip(t, &drip{liar: true, boasts: boasts})
					for range prelude {
						d.beat()
					}
					d.head, d.rate = d.head+2000, rate
					for range 1500 {
						d.beat()
					}
					if d.behind() > fetchRange {
						t.Errorf("2000 behind, after 1500 heartbeats it is behind by %d; the dripper was asked %d times", d.behind(), d.turns)
					}
				})
			}
		}
	}
}

// So it is where an answer takes longer than three heartbeats, and whatever a member
// does with each request. It costs little time but for the first range, of which nobody
// knows how long it takes others.
func TestR3_NorByWhimsOrOnASlowNetwork(t *testing.T) {
	took := func(d *drip) (beats int) {
		for d.head += 1000; d.behind() > fetchRange; beats++ {
			if d.beat(); beats > 10000 {
				t.Fatalf("latency %d: after %d heartbeats it is behind by %d", d.latency, beats, d.behind())
			}
		}
		return beats
	}
	for _, latency := range []int{0, 1, 4, 10, 20} {
		without := took(newDrip(t, &drip{latency: latency, rate: 0.1}))
		for seed := range uint64(10) {
			d := &drip{liar: true, boasts: seed%2 == 0, latency: latency, rate: 0.1}
			if seed > 1 {
				d.moods = rand.New(rand.NewPCG(seed, 1))
			}
			if with := took(newDrip(t, d)); with > without*3/2+fetchRange*fetchPatience {
				t.Errorf("latency %d, seed %d: it took %d heartbeats, and %d without the dripper", latency, seed, with, without)
			}
		}
	}
}

// What a single member claims makes nobody patient with others, and gives way to what
// more members claim.
func TestR3_ABoastGivesWay(t *testing.T) {
	d := newDrip(t, &drip{liar: true, boasts: true})
	for range 1000 {
		d.beat()
	}
	s := d.sync
	if d.turns < 3 || s.patience.failed != 0 || s.from != dripper {
		t.Fatalf("the boaster was asked %d times, and patience doubled %d times", d.turns, s.patience.failed)
	}
	for range 30 { // whatever the boaster is asked for just now
		d.head++
		if d.beat(); d.behind() > 2 {
			t.Fatalf("while the others go on it is behind by %d", d.behind())
		}
	}
	s.executed, s.asked, s.slow[dripper] = messages.Seq(d.head), 0, true
	if s.ask(d); s.from != dripper || !s.slow[dripper] {
		t.Error("that it boasts is a reason not to call it slow")
	}
	s.executed, s.slow = messages.Seq(d.head)-3, []bool{false, false, true, true}
	if s.ask(d); s.from != dripper || s.asked != s.executed+3 {
		t.Errorf("of three that are missing it asks member %d for %d", s.from, s.asked-s.executed)
	}
}
