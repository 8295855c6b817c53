package cluster

import (
	"strings"
	"testing"
	"time"
)

// TestTwoProcessesWithOneKeyAreTold, with the member's name and both addresses.
func TestTwoProcessesWithOneKeyAreTold(t *testing.T) {
	configs := members(t, 2)
	configs[1].Peers[0].Name = "doubled"
	log := new(logged)
	configs[1].Logger = log.logger()
	start(t, configs[1])
	for i := range twinReplacements + 5 { // the first replaces none
		infiltrate(t, configs[0], 1, true)
		told := log.about("two processes use its key")
		if want := i / twinReplacements; len(told) != want {
			t.Fatalf("after %d connections told %q", i+1, told)
		}
		if len(told) == 1 && (!strings.Contains(told[0], "name=doubled") || strings.Count(told[0], "127.0.0.1:") != 2) {
			t.Fatalf("told %q", told)
		}
	}
}

// TestTwinsAreTold when they must be, and once in a while.
func TestTwinsAreTold(t *testing.T) {
	var tw twins
	now := time.Unix(0, 0)
	told := func(n int, pace time.Duration) (told int) {
		for range n {
			now = now.Add(pace)
			if tw.replaced(now) {
				told++
			}
		}
		return told
	}
	if got := told(100, 7*time.Second); got > 0 {
		t.Errorf("a network that fails every 7 s is told as twins %d times", got)
	}
	now = now.Add(time.Hour)
	if got := told(twinReplacements-1, time.Millisecond); got > 0 {
		t.Error("told too early")
	}
	if got := told(1, time.Millisecond); got != 1 {
		t.Errorf("told %d times", got)
	}
	if got := told(1200, 100*time.Millisecond); got != 2 { // two minutes
		t.Errorf("within two minutes told %d times more", got)
	}
}
