package actors

import (
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
)

// The time for a range is that for each of its sequences, but not much longer than it
// took the quickest of the others; and never less than for one.
func TestR3_PatienceWithARange(t *testing.T) {
	const hb = time.Second
	now := time.Unix(100, 0)
	for _, c := range []struct {
		name      string
		failed    int
		took      []time.Duration // a sequence took
		sequences messages.Seq
		want      time.Duration
	}{
		{"nothing is known", 0, []time.Duration{0, 0, 0, 0}, 16, 16 * fetchPatience * hb},
		{"of one sequence", 0, []time.Duration{0, 0, 0, 0}, 1, fetchPatience * hb},
		{"others are quick", 0, []time.Duration{0, 0, 1, 2}, 16, fetchPatience * hb},
		{"others take a second", 0, []time.Duration{0, 0, hb, 2 * hb}, 16, fetchSlack * 16 * hb},
		{"it is the quickest itself", 0, []time.Duration{0, 1, hb, 0}, 10, fetchSlack * 10 * hb},
		{"others take very long", 0, []time.Duration{0, 0, 9 * hb, 0}, 16, 16 * fetchPatience * hb},
		{"some failed", 3, []time.Duration{0, 0, 1, 1}, 16, 8 * fetchPatience * hb},
	} {
		p := newPatience(4, hb)
		p.failed, p.took = c.failed, c.took
		p.begin(now, 1, c.sequences, true)
		at := now
		for p.progress(at); !p.over(at) && at.Sub(now) <= 2*c.want; p.progress(at) { // it drips
			at = at.Add(hb / 2)
		}
		if got := at.Sub(now); got != c.want {
			t.Errorf("%s: a member may take %v, want %v", c.name, got, c.want)
		}
		p.begin(now, 1, c.sequences, true)
		if step := fetchPatience * hb << c.failed; p.over(now.Add(step-1)) || !p.over(now.Add(step)) {
			t.Errorf("%s: a silent member may take anything but %v", c.name, step)
		}
	}
}

// Patience doubles with those that fail, and goes back as far as was not needed.
func TestR3_PatienceFollowsTheNetwork(t *testing.T) {
	const hb = time.Second
	p, now := newPatience(4, hb), time.Unix(100, 0)
	for range 2 * fetchDoublings {
		p.begin(now, 1, 16, true)
		p.fail()
	}
	if p.failed != fetchDoublings {
		t.Fatalf("patience doubled %d times", p.failed)
	}
	for _, c := range []struct {
		took   time.Duration
		quick  bool
		failed int
	}{{97 * hb, false, 5}, {96 * hb, true, 5}, {49 * hb, true, 5}, {48 * hb, true, 4}, {13 * hb, true, 3}, {13 * hb, true, 3}, {25 * hb, false, 3}, {0, true, 0}, {4 * hb, false, 0}} {
		p.begin(now, 1, 16, true)
		if quick := p.done(now.Add(c.took)); quick != c.quick || p.failed != c.failed {
			t.Errorf("a range took %v: quick is %t, doublings are %d", c.took, quick, p.failed)
		}
	}
	p.begin(now, 1, 16, false)
	p.fail()
	if p.failed != 0 || p.step() != 2*fetchPatience*hb {
		t.Errorf("a boast that came to nothing doubles patience %d times; with the boaster it is %v", p.failed, p.step())
	}
}
