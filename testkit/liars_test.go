package testkit

import (
	"strings"
	"testing"
	"time"

	"github.com/cretoai/consensus/testkit/byzantine"
)

func TestByzantineRefusesWhatOnlyTheSimulatorDoes(t *testing.T) {
	c := New(t, 4)
	for _, name := range []string{byzantine.Dead, byzantine.Amnesiac, byzantine.Twins} {
		b, ok := byzantine.ByName(name)
		if !ok {
			t.Fatalf("no behaviour is called %q", name)
		}
		message, at := fails(c, func() { c.Byzantine(1, byzantine.Mute(), b.New(500)) })
		if !strings.Contains(message, `only the simulator makes a member "`+name+`"`) || at != "liars_test.go" {
			t.Errorf("%s: fails with %q in %s", name, message, at)
		}
	}
}

// The timeline names behaviours, and says when there are more liars than the others
// can bear.
func TestTheTimelineTellsOfLiars(t *testing.T) {
	c := New(t, 7)
	beyond := func() bool {
		r := &recorder{TB: t, failed: true}
		c.timeline.tellFailure(r)
		return strings.Contains(strings.Join(r.log, "\n"), "nothing is promised any more")
	}
	c.Byzantine(0, byzantine.Equivocating(), byzantine.Slow(time.Millisecond))
	c.Byzantine(0)
	c.Byzantine(1, byzantine.Mute())
	if beyond() {
		t.Error("of seven, two may lie")
	}
	c.Byzantine(2, byzantine.Mute())
	if !beyond() {
		t.Error("nothing is said of three of seven that lied")
	}
	r := &recorder{TB: t, failed: true}
	c.timeline.tellFailure(r)
	story := strings.Join(r.log, "\n")
	for _, want := range []string{"member 0 misbehaves: equivocating, slow", "member 0 is honest again", "3 members have misbehaved, of 7 at most 2 may"} {
		if !strings.Contains(story, want) {
			t.Errorf("%q is missing in:\n%s", want, story)
		}
	}
}
