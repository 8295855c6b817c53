package leader

import (
	"math"
	"strings"
	"testing"
	"time"
)

const ms = time.Millisecond

func TestTimeout_BaseFollowsFinalityWithinBounds(t *testing.T) {
	tests := []struct {
		name      string
		p99, want time.Duration
	}{
		{"nothing measured", 0, 500 * ms},
		{"a clock that went back", -ms, 500 * ms},
		{"far below the floor", ms, 250 * ms},
		{"just below the floor", 62 * ms, 250 * ms},
		{"above the floor", 63 * ms, 252 * ms},
		{"at the ceiling", 125 * ms, 500 * ms},
		{"above the ceiling", 126 * ms, 500 * ms},
		{"four times wraps", math.MaxInt64/4 + 1, 500 * ms},
		{"the longest", math.MaxInt64, 500 * ms},
	}
	for _, tt := range tests {
		timeout := NewTimeout(DefaultTimeoutConfig())
		timeout.Measured(100 * ms) // the measurement before must not linger
		timeout.Measured(tt.p99)
		if got := timeout.Base(); got != tt.want {
			t.Errorf("%s: p99 %v gives base %v, want %v", tt.name, tt.p99, got, tt.want)
		}
	}
	if got := NewTimeout(DefaultTimeoutConfig()).Base(); got != 500*ms {
		t.Errorf("before any measurement the base is %v, want the ceiling", got)
	}
}

func TestTimeout_DoublesUpToTheCap(t *testing.T) {
	timeout := NewTimeout(DefaultTimeoutConfig())
	want := []time.Duration{500 * ms, 1000 * ms, 2000 * ms, 4000 * ms, 8000 * ms, 16000 * ms, 30000 * ms, 30000 * ms}
	for failed, w := range want {
		if got := timeout.Current(); got != w {
			t.Errorf("after %d failed views the timeout is %v, want %v", failed, got, w)
		}
		timeout.Failed()
	}
}

// However many views fail, shifts and counters must not wrap: a timeout that
// came back to nothing would turn views at network speed. [V13]
func TestTimeout_DoublingNeverWraps(t *testing.T) {
	for _, limit := range []time.Duration{30 * time.Second, math.MaxInt64} {
		timeout := NewTimeout(TimeoutConfig{Floor: 1, Ceiling: 3, Cap: limit})
		before := timeout.Current()
		for range 1000 {
			timeout.Failed()
			now := timeout.Current()
			if now < before || now > limit {
				t.Fatalf("cap %v: the timeout went from %v to %v", limit, before, now)
			}
			before = now
		}
		if before != limit {
			t.Errorf("cap %v: after 1000 failed views the timeout is %v", limit, before)
		}
	}
}

func TestTimeout_ScalesOtherWaitsAlike(t *testing.T) {
	timeout := NewTimeout(DefaultTimeoutConfig())
	timeout.Failed()
	timeout.Failed()
	if got := timeout.Scaled(400 * ms); got != 1600*ms {
		t.Errorf("400ms scaled by two failed views is %v", got)
	}
	if got := timeout.Scaled(8 * time.Second); got != 30*time.Second {
		t.Errorf("8s scaled by two failed views is %v, want the cap", got)
	}
	if got := timeout.Scaled(0); got != 0 {
		t.Errorf("0s scaled is %v", got)
	}
}

func TestTimeout_JitterIsAnEighthAtMost(t *testing.T) {
	tests := []struct {
		failed int
		random uint64
		want   time.Duration
	}{
		{0, 0, 500 * ms},
		{0, 1 << 63, 531250 * time.Microsecond},
		{0, math.MaxUint64, 562500 * time.Microsecond},
		{20, 0, 30 * time.Second},
		{20, math.MaxUint64, 33750 * ms},
	}
	for _, tt := range tests {
		timeout := NewTimeout(DefaultTimeoutConfig())
		for range tt.failed {
			timeout.Failed()
		}
		if got := timeout.Jittered(tt.random); got != tt.want {
			t.Errorf("%d failed views, random %#x: %v, want %v", tt.failed, tt.random, got, tt.want)
		}
	}
}

// Only progress under the present leader ends the doubling: what its NewView
// listed, empty batches, and a starved caller do not. [L1, L2, L4, P8]
func TestTimeout_FallsBackOnProgressOnly(t *testing.T) {
	tests := []struct {
		name string
		p    Progress
		want bool
	}{
		{"progress", Progress{Proposed: true, Fresh: true}, true},
		{"progress, a vertex as old as the base", Progress{true, true, 500 * ms}, true},
		{"a vertex older than the base", Progress{true, true, 500*ms + 1}, false},
		{"listed by the NewView", Progress{Fresh: true}, false},
		{"nothing executed for the first time", Progress{Proposed: true}, false},
		{"neither", Progress{}, false},
	}
	for _, tt := range tests {
		timeout := NewTimeout(DefaultTimeoutConfig())
		timeout.Failed()
		timeout.Failed()
		if got := timeout.Executed(tt.p); got != tt.want {
			t.Errorf("%s: ended the doubling: %t, want %t", tt.name, got, tt.want)
		}
		want := 2000 * ms
		if tt.want {
			want = 500 * ms
		}
		if got := timeout.Current(); got != want {
			t.Errorf("%s: the timeout is %v, want %v", tt.name, got, want)
		}
	}
	if NewTimeout(DefaultTimeoutConfig()).Executed(Progress{Proposed: true, Fresh: true}) {
		t.Error("progress ended a doubling that had not begun")
	}
}

func TestTimeoutConfig_Validate(t *testing.T) {
	if err := DefaultTimeoutConfig().Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	if err := (TimeoutConfig{time.Second, time.Second, time.Second}).Validate(); err != nil {
		t.Errorf("equal bounds are refused: %v", err)
	}
	tests := []struct {
		config TimeoutConfig
		want   []string
	}{
		{TimeoutConfig{0, 500 * ms, time.Second}, []string{"floor of 0s"}},
		{TimeoutConfig{250 * ms, 100 * ms, time.Second}, []string{"100ms, below the floor of 250ms"}},
		{TimeoutConfig{250 * ms, 500 * ms, 400 * ms}, []string{"500ms, above the timeout's cap of 400ms"}},
		{TimeoutConfig{-1, -2, -3}, []string{"not above zero", "below the floor", "above the timeout's cap"}},
	}
	for _, tt := range tests {
		err := tt.config.Validate()
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: error %v does not say %q", tt.config, err, want)
			}
		}
	}
}
