package testkit

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// failing is a test for the cluster that ends with what it is told, and notes the
// line that go test would name: the first of a function that is no helper.
type failing struct {
	testing.TB
	helpers []string
	message string
	at      string
}

func (f *failing) Helper() {
	if caller := callers()[0].Function; !slices.Contains(f.helpers, caller) {
		f.helpers = append(f.helpers, caller)
	}
}

func (f *failing) Fatal(args ...any) { f.fatal(fmt.Sprint(args...)) }

func (f *failing) Fatalf(format string, args ...any) { f.fatal(fmt.Sprintf(format, args...)) }

func (f *failing) fatal(message string) {
	f.message = message
	for _, frame := range callers() {
		if !slices.Contains(f.helpers, frame.Function) {
			f.at = filepath.Base(frame.File)
			break
		}
	}
	runtime.Goexit()
}

// callers are the frames above a method of failing.
func callers() (frames []runtime.Frame) {
	var pcs [32]uintptr
	all := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := all.Next()
		if !strings.Contains(frame.Function, "(*failing)") {
			frames = append(frames, frame)
		}
		if !more {
			return frames
		}
	}
}

// fails runs what a test does and gives what it fails with.
func fails(c *Cluster, what func()) (message, at string) {
	t := c.t
	defer func() { c.t = t }()
	return failsIn(t, func(f testing.TB) {
		c.t = f
		what()
	})
}

// failsIn gives what a test that is given something to fail with does.
func failsIn(t testing.TB, what func(f testing.TB)) (message, at string) {
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		what(f)
	}()
	<-done
	return f.message, f.at
}

// Whoever names a replica that is not there, or down, is told so where it happens.
func TestWhatNamesNoReplicaFailsTheTestThere(t *testing.T) {
	c := New(t, 4)
	for i := range 3 {
		c.Start(i)
	}
	expect := func(name, want string, what func()) {
		t.Helper()
		message, at := fails(c, what)
		if message != want {
			t.Errorf("%s: fails with %q, want %q", name, message, want)
		}
		if at != "indices_test.go" {
			t.Errorf("%s: fails in %s", name, at)
		}
	}
	takes := map[string]func(i int){
		"Home":        func(i int) { c.Home(i) },
		"Disk":        func(i int) { c.Disk(i) },
		"SetDisk":     func(i int) { c.SetDisk(i, vfs.NewMem()) },
		"Key":         func(i int) { c.Key(i) },
		"Replica":     func(i int) { c.Replica(i) },
		"Start":       func(i int) { c.Start(i) },
		"Kill":        func(i int) { c.Kill(i) },
		"Restart":     func(i int) { c.Restart(i) },
		"Partition":   func(i int) { c.Partition([]int{0}, []int{1, i}) },
		"Byzantine":   func(i int) { c.Byzantine(i, byzantine.Mute()) },
		"DiskFault":   func(i int) { c.DiskFault(i) },
		"PanicOn":     func(i int) { c.PanicOn(i, "executor", 1, nil) },
		"PanicOnSend": func(i int) { c.PanicOnSend(i, "executor", 1, nil) },
		"CrashActor":  func(i int) { c.CrashActor(i, "executor") },
		"Delay":       func(i int) { c.Delay(0, i, time.Second) },
		"Drop":        func(i int) { c.Drop(i, Any, 1) },
		"Duplicate":   func(i int) { c.Duplicate(i, 0, 1) },
		"Reorder":     func(i int) { c.Reorder(Any, i, 1) },
	}
	needs := map[string]func(i int){
		"Propose":        func(i int) { c.Propose(i, "nowhere") },
		"ProposeAll":     func(i int) { c.ProposeAll(i, nil) },
		"Await":          func(i int) { c.Await(i, 1) },
		"AwaitStable":    func(i int) { c.AwaitStable(i, 1) },
		"AwaitEvent":     func(i int) { c.AwaitEvent(i, func(messages.Event) bool { return true }, func() bool { return false }) },
		"AwaitHeartbeat": func(i int) { c.AwaitHeartbeat(i) },
		"AwaitHalted":    func(i int) { c.AwaitHalted(i) },
		"AwaitEnd":       func(i int) { _ = c.AwaitEnd(i) },
		"Load":           func(i int) { c.Load(i, 1) },
		"Metric":         func(i int) { c.Metric(i, "cretoai_consensus_current_view") },
	}
	for name, what := range needs {
		expect(name, "replica 3 is not running: Start it first", func() { what(3) })
		takes[name] = what
	}
	for name, what := range takes {
		expect(name, "there is no replica 4: they are 0 to 3", func() { what(4) })
		expect(name, "there is no replica -2: they are 0 to 3", func() { what(-2) })
	}
	expect("Start", "replica 0 is running already: Kill it first, or Restart it", func() { c.Start(0) })
	c.Kill(3) // is down, and stays so
	c.Drop(Any, Any, 0)
	c.Propose(0, "and all is as it was")
}
