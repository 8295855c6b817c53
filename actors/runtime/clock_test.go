package runtime_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
)

// TestRealClockIsMonotonic would fail if somebody rounded or converted the
// time on the way: setting the machine's clock would then fire view changes.
func TestRealClockIsMonotonic(t *testing.T) {
	if now := runtime.RealClock().Now(); !strings.Contains(now.String(), " m=") {
		t.Fatalf("%v carries no monotonic reading", now)
	}
}

func TestRealClockCallsBack(t *testing.T) {
	clock := runtime.RealClock()
	before := clock.Now()
	fired := make(chan time.Time, 1)
	timer := clock.AfterFunc(time.Millisecond, func() { fired <- clock.Now() })
	if after := (<-fired).Sub(before); after < time.Millisecond {
		t.Errorf("a timer of 1ms fired after %v", after)
	}
	if timer.Stop() {
		t.Error("Stop of a fired timer reports true")
	}
	if !clock.AfterFunc(time.Hour, func() { t.Error("a stopped timer fired") }).Stop() {
		t.Error("Stop of a pending timer reports false")
	}
}
