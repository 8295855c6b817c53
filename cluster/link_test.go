package cluster

import (
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
)

// stoppedClock notes the timers it is asked for and never fires. It stands
// where a test puts it.
type stoppedClock struct {
	asked []time.Duration
	at    time.Duration
}

func (c *stoppedClock) Now() time.Time { return time.Unix(0, 0).Add(c.at) }

func (c *stoppedClock) AfterFunc(d time.Duration, _ func()) runtime.Timer {
	c.asked = append(c.asked, d)
	return stoppedTimer{}
}

type stoppedTimer struct{}

func (stoppedTimer) Stop() bool { return true }

// half draws the middle, so that jitter changes nothing.
type half struct{}

func (half) Uint64() uint64             { return 1 << 63 }
func (half) Read(p []byte) (int, error) { return len(p), nil }

// The pause before the next attempt doubles up to its bound and starts anew
// with a connection.
func TestLinkBacksOff(t *testing.T) {
	clock := new(stoppedClock)
	cfg := members(t, 2)[0]
	cfg.Clock, cfg.Rand = clock, half{}
	cfg.Limits.BackoffMin, cfg.Limits.BackoffMax = 100*time.Millisecond, time.Second
	r, err := NewRemote(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.deliver = func(any) {}
	l := r.links[1]
	fail := func() {
		s := &session{link: l, cancel: func() {}}
		if !l.begin(s) {
			t.Fatal("an open link refuses an attempt")
		}
		l.ended(s, errReplaced)
	}
	for range 6 {
		fail()
	}
	s := &session{link: l, cancel: func() {}}
	l.begin(s)
	l.greeted(s)
	l.ended(s, errReplaced)
	var got []int64
	for _, d := range clock.asked {
		got = append(got, d.Milliseconds())
	}
	if want := []int64{100, 200, 400, 800, 1000, 1000, 100}; !slices.Equal(got, want) {
		t.Errorf("pauses of %v ms, want %v", got, want)
	}
	for range 100 { // far beyond what a duration can be shifted by
		fail()
	}
	if last := clock.asked[len(clock.asked)-1]; last != time.Second {
		t.Errorf("after a hundred failures the pause is %v", last)
	}
	l.close()
	if l.begin(s) {
		t.Error("a closed link takes an attempt")
	}
}

// A peer that connects ends the pause before the next attempt, yet cannot make
// us dial faster than a pause at its shortest allows.
func TestLinkReturned(t *testing.T) {
	clock := new(stoppedClock)
	cfg := members(t, 2)[0]
	cfg.Clock, cfg.Rand = clock, half{}
	cfg.Limits.BackoffMin, cfg.Limits.BackoffMax = 100*time.Millisecond, time.Hour
	r, err := NewRemote(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.deliver = func(any) {}
	l := r.links[1]
	expect := func(when string, after time.Duration, want ...time.Duration) {
		t.Helper()
		clock.asked, clock.at = nil, clock.at+after
		l.returned()
		if !slices.Equal(clock.asked, want) {
			t.Errorf("%s: timers of %v, want %v", when, clock.asked, want)
		}
	}
	expect("before the first attempt", 0)
	s := &session{link: l, cancel: func() {}}
	for range 10 {
		l.begin(s)
		l.ended(s, errReplaced)
	}
	expect("at once", 0, 50*time.Millisecond)
	expect("a moment later", 30*time.Millisecond, 20*time.Millisecond)
	expect("well into the pause", time.Second, 0)
	l.begin(s)
	expect("during an attempt", time.Second)
	l.greeted(s)
	expect("while connected", time.Second)
	l.ended(s, errReplaced)
	l.close()
	expect("once closed", time.Second)
}

// A reason is told once, not at every attempt.
func TestLinkTellsAReasonOnce(t *testing.T) {
	cfg := members(t, 2)[0]
	cfg.Clock, cfg.Rand = new(stoppedClock), half{}
	r, err := NewRemote(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var told []PeerChange
	r.deliver = func(m any) { told = append(told, *m.(*PeerChange)) }
	l := r.links[1]
	attempt := func(up bool, err error) {
		s := &session{link: l, cancel: func() {}}
		l.begin(s)
		if up {
			l.greeted(s)
		}
		l.ended(s, err)
		l.ended(s, err) // a connection ends once
	}
	from := func(port int) error {
		return &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{Port: port}, Err: syscall.ECONNRESET}
	}
	attempt(false, from(40001))
	attempt(false, from(40002))
	attempt(false, errTooManyHandshakes)
	attempt(true, errReplaced)
	attempt(false, errTooManyHandshakes)
	kinds := make([]string, len(told))
	for i, p := range told {
		switch {
		case p.Connected:
			kinds[i] = "up"
		case p.Reason == "":
			kinds[i] = "down"
		default:
			kinds[i] = "reason"
		}
	}
	if want := []string{"reason", "reason", "up", "down", "reason"}; !slices.Equal(kinds, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

func TestRefusalsAreToldAtAPace(t *testing.T) {
	var r refusals
	now := time.Unix(100, 0)
	for i, c := range []struct {
		after   time.Duration
		reason  string
		skipped int
		ok      bool
	}{
		{0, "a", 0, true}, {0, "a", 0, false}, {0, "b", 0, true}, {refusalPause / 2, "a", 0, false},
		{refusalPause / 2, "a", 2, true}, {refusalPause, "a", 0, true},
	} {
		now = now.Add(c.after)
		if skipped, ok := r.due(c.reason, now); skipped != c.skipped || ok != c.ok {
			t.Errorf("%d: %d skipped, due %v; want %d, %v", i, skipped, ok, c.skipped, c.ok)
		}
	}
}
