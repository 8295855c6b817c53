package testkit

import (
	"strings"
	"testing"
)

// recorder is a test that failed, for the cluster: its log is kept.
type recorder struct {
	testing.TB
	failed bool
	log    []string
}

func (r *recorder) Failed() bool { return r.failed }
func (r *recorder) Log(args ...any) {
	r.log = append(r.log, args[0].(string))
}

func TestAFailureIsToldAsATimeline(t *testing.T) {
	c := NewCluster(t, 4)
	c.Kill(3)
	c.Propose(0, "something")
	r := &recorder{TB: t}
	c.timeline.tellFailure(r)
	if len(r.log) != 0 {
		t.Errorf("a test that passed tells %q", r.log)
	}
	r.failed = true
	c.AwaitEvent(0, nil, func() bool { return c.replicas[0].CurrentSequence() > 0 })
	c.stopAll() // every event was taken when it returns
	c.timeline.tellFailure(r)
	story := strings.Join(r.log, "\n")
	// What a replica tells is written down as it arrives, perhaps while the test
	// goes on to stop it.
	for _, order := range [][]string{{"replica 0 starts", "replica 3 stops", "replica 0 stops"}, {"replica 0 starts", "replica 0: sequence 1 is final"}} {
		last := 0
		for _, want := range order {
			at := strings.Index(story, want)
			if at < last {
				t.Fatalf("%q is missing, or too early, in:\n%s", want, story)
			}
			last = at
		}
	}
}
