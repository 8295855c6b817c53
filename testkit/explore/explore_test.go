package explore_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/explore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const memory = 256 << 20

// explored explores a world in which nothing may go wrong.
func explored(t *testing.T, cfg explore.Config) *explore.Report {
	t.Helper()
	cfg.Memory = memory
	r, err := explore.Explore(t.Context(), cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range r.Steps {
		t.Log(step)
	}
	if r.Violation != "" {
		t.Fatal(r.Violation)
	}
	return r
}

// TestAllStatesOfTwoViews visits every state of a world, the liar leading the first
// view or none: the numbers are those of the protocol, and change only with it, or
// with what is taken for one state. Where the liar leads the second there are many
// more; replica explore visits them.
func TestAllStatesOfTwoViews(t *testing.T) {
	cfg := explore.Config{Sequences: 1, Views: 2, Digests: 1, Time: time.Hour, Jobs: 2}
	for liar, want := range map[messages.Index]uint64{0: 28522, 2: 22012, 3: 22012} {
		cfg.Liar = liar
		if r := explored(t, cfg); !r.Complete || r.States != want {
			t.Errorf("with member %d as the liar there are %d states (complete: %v), want %d", liar, r.States, r.Complete, want)
		}
	}
}

// TestF2_AllStatesOfTwoViews is the same in optimistic mode, where the liar's word makes
// the acceptance of all correct members a decision.
func TestF2_AllStatesOfTwoViews(t *testing.T) {
	cfg := explore.Config{Sequences: 1, Views: 2, Digests: 1, Optimistic: true, Time: time.Hour, Jobs: 2}
	for liar, want := range map[messages.Index]uint64{0: 42726, 2: 35192, 3: 35192} {
		cfg.Liar = liar
		if r := explored(t, cfg); !r.Complete || r.States != want {
			t.Errorf("with member %d as the liar there are %d states (complete: %v), want %d", liar, r.States, r.Complete, want)
		}
	}
}

// TestManagersRememberNothingWrong visits a part of what managers come to, the
// same part every time as far as it goes: views are joined and entered in it.
func TestManagersRememberNothingWrong(t *testing.T) {
	cfg := explore.Config{Sequences: 1, Views: 3, Digests: 1, Deaf: true, Managed: true, Crashes: 1, Time: time.Second, Jobs: 1}
	for cfg.Liar = range messages.Index(4) {
		if r := explored(t, cfg); r.States < 100 || r.Depth < 10 {
			t.Errorf("with member %d as the liar there are %d states, %d steps deep", cfg.Liar, r.States, r.Depth)
		}
	}
}

// TestTheSameStatesHoweverManySearch: who finds a state first decides nothing.
func TestTheSameStatesHoweverManySearch(t *testing.T) {
	cfg := explore.Config{Liar: 2, Sequences: 1, Views: 2, Digests: 1, Crashes: 1, Deaf: true, Time: time.Hour, Jobs: 1}
	one := explored(t, cfg)
	cfg.Jobs = 4
	if four := explored(t, cfg); one.States != four.States || one.Transitions != four.Transitions || !one.Complete || !four.Complete {
		t.Errorf("alone %+v, in fours %+v", *one, *four)
	}
}

// TestBoundsAreKept: a search that ends early says why, and that it is not all.
func TestBoundsAreKept(t *testing.T) {
	cfg := explore.Config{Liar: 1, Sequences: 2, Views: 3, Digests: 2, Checkpoints: true, Jobs: 2, Memory: memory}
	cfg.Time = time.Millisecond
	r, err := explore.Explore(t.Context(), cfg, nil)
	if err != nil || r.Complete || r.Bound != "time" {
		t.Errorf("after a millisecond: %+v, %v", r, err)
	}
	cfg.Time, cfg.Memory = time.Hour, 3<<20
	if r, err = explore.Explore(t.Context(), cfg, nil); err != nil || r.Complete || r.Bound != "memory" || r.States > 3<<20/16 {
		t.Errorf("within three MiB: %+v, %v", r, err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := explore.Explore(over, cfg, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a search whose context had ended gave %v", err)
	}
}

func TestExploreSaysWhatIsWrongWithBounds(t *testing.T) {
	good := explore.Config{Sequences: 1, Views: 2, Digests: 1, Time: time.Second, Memory: memory, Jobs: 1}
	for what, spoil := range map[string]func(*explore.Config){
		"no member lies":       func(c *explore.Config) { c.Liar = 4 },
		"three sequences":      func(c *explore.Config) { c.Sequences = 3 },
		"no views":             func(c *explore.Config) { c.Views = 0 },
		"no digests":           func(c *explore.Config) { c.Digests = 0 },
		"fewer than no crash":  func(c *explore.Config) { c.Crashes = -1 },
		"nobody searches":      func(c *explore.Config) { c.Jobs = 0 },
		"no time":              func(c *explore.Config) { c.Time = 0 },
		"no memory":            func(c *explore.Config) { c.Memory = 0 },
		"managers at two":      func(c *explore.Config) { c.Managed, c.Sequences = true, 2 },
		"the deaf checkpoints": func(c *explore.Config) { c.Deaf, c.Checkpoints = true, true },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := explore.Explore(t.Context(), cfg, nil); err == nil {
			t.Errorf("%s: it was explored", what)
		}
	}
}

// TestTour: every world has its turn with every liar, and all share the time.
func TestTour(t *testing.T) {
	var told []explore.Outcome
	all, err := explore.Tour(t.Context(), explore.Worlds(), explore.Config{Time: time.Second, Memory: memory, Jobs: 2}, func(o explore.Outcome) { told = append(told, o) })
	if err != nil || len(all) != 4*len(explore.Worlds()) || !slices.Equal(all, told) {
		t.Fatalf("%d outcomes, %d told, %v", len(all), len(told), err)
	}
	for _, o := range all {
		if o.Report.Violation != "" || o.Report.States == 0 {
			t.Errorf("%s, liar %d: %+v", o.World, o.Liar, *o.Report)
		}
	}
}
