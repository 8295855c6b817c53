package storage

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

const stateDir = "/home/state"

func openState(t *testing.T, fs vfs.FS) *State {
	t.Helper()
	s, err := OpenState(stateDir, fs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.db != nil {
			s.Close()
		}
	})
	return s
}

// closeState closes before the test ends.
func closeState(t *testing.T, s *State) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.db = nil
}

func set(t *testing.T, s *State, sync bool, keys ...string) {
	t.Helper()
	b := s.NewBatch()
	for _, key := range keys {
		b.Set([]byte(key), []byte("value of "+key))
	}
	if err := b.Commit(sync); err != nil {
		t.Fatal(err)
	}
}

func has(t *testing.T, s *State, key string) bool {
	t.Helper()
	value, err := s.Get([]byte(key))
	if errors.Is(err, ErrNotFound) {
		return false
	}
	if err != nil || string(value) != "value of "+key {
		t.Fatalf("%q: %q, %v", key, value, err)
	}
	return true
}

func TestStateKeepsBatches(t *testing.T) {
	fs := vfs.NewMem()
	s := openState(t, fs)
	set(t, s, true, "a", "b", "c", "d")
	b := s.NewBatch()
	b.Delete([]byte("a"))
	b.DeleteRange([]byte("b"), []byte("d"))
	if !has(t, s, "a") {
		t.Error("a batch shows before it is committed")
	}
	if err := b.Commit(false); err != nil {
		t.Fatal(err)
	}
	dropped := s.NewBatch()
	dropped.Set([]byte("x"), nil)
	dropped.Discard()
	closeState(t, s)

	s = openState(t, fs)
	for key, want := range map[string]bool{"a": false, "b": false, "c": false, "d": true, "x": false} {
		if has(t, s, key) != want {
			t.Errorf("%q is there: %v, want %v", key, !want, want)
		}
	}
}

// Get returns a copy: its caller may keep it, and change it.
func TestStateGetCopies(t *testing.T) {
	s := openState(t, vfs.NewMem())
	set(t, s, false, "k")
	value, err := s.Get([]byte("k"))
	if err != nil {
		t.Fatal(err)
	}
	clear(value)
	has(t, s, "k")
}

func TestStatePrefixAndRange(t *testing.T) {
	s := openState(t, vfs.NewMem())
	set(t, s, false, "a", "b", "ba", "b\xff", "b\xff\xff", "c", "\xff", "\xff\xff", "\xff\xffz")
	for _, c := range []struct {
		prefix string
		want   []string
	}{
		{"b", []string{"b", "ba", "b\xff", "b\xff\xff"}},
		{"b\xff", []string{"b\xff", "b\xff\xff"}},
		{"\xff\xff", []string{"\xff\xff", "\xff\xffz"}},
		{"d", nil},
		{"", []string{"a", "b", "ba", "b\xff", "b\xff\xff", "c", "\xff", "\xff\xff", "\xff\xffz"}},
	} {
		var got []string
		err := s.Prefix([]byte(c.prefix), func(key, value []byte) error {
			if string(value) != "value of "+string(key) {
				t.Errorf("%q: %q", key, value)
			}
			got = append(got, string(key))
			return nil
		})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("prefix %q: %q, %v, want %q", c.prefix, got, err, c.want)
		}
	}
	var got []string
	stop := errors.New("enough")
	err := s.Range([]byte("b"), []byte("c"), func(key, _ []byte) error {
		if got = append(got, string(key)); len(got) == 2 {
			return stop
		}
		return nil
	})
	if want := []string{"b", "ba"}; err != stop || !slices.Equal(got, want) {
		t.Errorf("range: %q, %v, want %q", got, err, want)
	}
}

// What was committed with sync survives, and everything before it.
func TestStateAfterAPowerCut(t *testing.T) {
	disk := vfs.NewCrashableMem()
	s := openState(t, disk)
	set(t, s, true, "first")
	set(t, s, false, "second")
	set(t, s, true, "third")
	set(t, s, false, "fourth")
	cut := openState(t, disk.CrashClone(vfs.CrashCloneCfg{}))
	for key, want := range map[string]bool{"first": true, "second": true, "third": true, "fourth": false} {
		if has(t, cut, key) != want {
			t.Errorf("%q is there: %v, want %v", key, !want, want)
		}
	}
}

// A checkpoint is larger than a memory table. Whatever of it was written when the power
// goes, all of it is there, or nothing.
func TestStateBatchesAreWholeAfterAPowerCut(t *testing.T) {
	const keys = 24
	disk := vfs.NewCrashableMem()
	random := rand.New(rand.NewPCG(1, 2))
	var during atomic.Bool // writes come from goroutines of Pebble's, one at a time
	var writes, cuts int
	check := func() {
		cuts++
		cut, err := OpenState(stateDir, disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: random}))
		if err != nil {
			t.Errorf("after write %d: %v", writes, err)
			return
		}
		present := 0
		if err := cut.Prefix([]byte("checkpoint/"), func(_, value []byte) error { present++; return nil }); err != nil {
			t.Errorf("after write %d: %v", writes, err)
		}
		if present != 0 && present != keys {
			t.Errorf("after write %d: %d keys of a batch of %d", writes, present, keys)
		}
		if !has(t, cut, "before") {
			t.Errorf("after write %d: what was durable before is gone", writes)
		}
		if err := cut.Close(); err != nil {
			t.Errorf("after write %d: %v", writes, err)
		}
	}
	s := openState(t, errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && during.Load() {
			if writes++; writes%4 == 0 {
				check()
			}
		}
		return nil
	})))
	set(t, s, true, "before")
	b := s.NewBatch()
	for i := range keys {
		b.Set(fmt.Appendf(nil, "checkpoint/%02d", i), make([]byte, 2*stateMemTableBytes/keys))
	}
	during.Store(true)
	if err := b.Commit(true); err != nil {
		t.Fatal(err)
	}
	during.Store(false)
	check()
	if present, err := s.Get([]byte("checkpoint/00")); err != nil || len(present) == 0 || cuts < 5 {
		t.Errorf("cut %d times, and in the end: %d bytes, %v", cuts, len(present), err)
	}
}

// writeLoggedState makes a state as builds that kept a log left it: what was committed
// last is in that log only.
func writeLoggedState(t *testing.T, fs vfs.FS, dir, key, value string) {
	t.Helper()
	db, err := pebble.Open(dir, &pebble.Options{FS: fs, FormatMajorVersion: stateFormat, Logger: stateLogger{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Set([]byte(key), []byte(value), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// A state whose log has something is taken over with it.
func TestAStateWithALogIsTakenOver(t *testing.T) {
	fs := vfs.NewCrashableMem()
	writeLoggedState(t, fs, stateDir, "a", "value of a")
	s := openState(t, fs)
	set(t, s, true, "b")
	cut := openState(t, fs.CrashClone(vfs.CrashCloneCfg{}))
	if !has(t, cut, "a") || !has(t, cut, "b") {
		t.Error("not all is there")
	}
}

// Whichever write fails, and if the next one would not, the state fails with it, without
// taking the process along; what it called durable is there when it is opened anew, and of
// the rest a prefix.
func TestStateFailsWithAnyWrite(t *testing.T) {
	const keys, commits = 4, 8
	value := func(commit int) []byte { return bytes.Repeat([]byte{byte(commit)}, 2*stateMemTableBytes/keys/3) }
	for failing := 1; ; failing += 1 + failing/16 {
		disk := vfs.NewCrashableMem()
		var opened atomic.Bool
		var writes atomic.Int64
		s, err := OpenState(stateDir, errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && opened.Load() && writes.Add(1) == int64(failing) {
				return errorfs.ErrInjected
			}
			return nil
		})))
		if err != nil {
			t.Fatal(err)
		}
		opened.Store(true)
		durable := 0
		for i := range commits {
			b := s.NewBatch()
			for k := range keys {
				b.Set(fmt.Appendf(nil, "key %d", k), value(i+1))
			}
			if b.Commit(true) != nil {
				break
			}
			durable = i + 1
		}
		closing := s.Close()
		for name, fs := range map[string]vfs.FS{"closed": disk, "cut off": disk.CrashClone(vfs.CrashCloneCfg{})} {
			after, err := OpenState(stateDir, fs)
			if err != nil {
				t.Fatalf("write %d fails: %s, it does not open: %v", failing, name, err)
			}
			var held [][]byte
			for k := range keys {
				got, err := after.Get(fmt.Appendf(nil, "key %d", k))
				if err != nil && !errors.Is(err, ErrNotFound) {
					t.Fatalf("write %d fails: %s, key %d: %v", failing, name, k, err)
				}
				held = append(held, got)
			}
			for _, got := range held {
				if !bytes.Equal(got, held[0]) || len(got) == 0 && durable > 0 || len(got) > 0 && int(got[0]) < durable {
					t.Errorf("write %d fails: %s, %d commits were durable, and a key is of another", failing, name, durable)
				}
			}
			if err := after.Close(); err != nil {
				t.Error(err)
			}
		}
		if writes.Load() < int64(failing) {
			if closing != nil || durable != commits {
				t.Errorf("nothing failed, and %d commits were durable, %v", durable, closing)
			}
			return
		}
	}
}

// A state that has failed does nothing more. Pebble, left alone, tries its flush again
// without a pause, takes a processor, and this test does not end.
func TestAFailedStateRestsUntilItIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := errorfs.Toggle{Injector: errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind == errorfs.OpFileSync {
				return errorfs.ErrInjected
			}
			return nil
		})}
		s, err := OpenState(stateDir, errorfs.Wrap(vfs.NewMem(), &fail))
		if err != nil {
			t.Fatal(err)
		}
		fail.On()
		b := s.NewBatch()
		b.Set([]byte("lost"), nil)
		if err := b.Commit(true); !errors.Is(err, errorfs.ErrInjected) {
			t.Errorf("commit on a failing disk: %v", err)
		}
		synctest.Wait()
		if err := s.Close(); !errors.Is(err, errorfs.ErrInjected) {
			t.Errorf("close after a failure: %v", err)
		}
	})
}

// Pebble would end the process. The replica wants to stop by itself, and must
// not hear that something is durable that is not.
func TestStateStopsAtAFailedFlush(t *testing.T) {
	disk := vfs.NewCrashableMem()
	fail := errorfs.Toggle{Injector: errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return errorfs.ErrInjected
		}
		return nil
	})}
	s, err := OpenState(stateDir, errorfs.Wrap(disk, &fail))
	if err != nil {
		t.Fatal(err)
	}
	set(t, s, true, "before")
	fail.On()
	b := s.NewBatch()
	b.Set([]byte("lost"), nil)
	if err := b.Commit(true); !errors.Is(err, errorfs.ErrInjected) {
		t.Fatalf("commit on a failing disk: %v", err)
	}
	fail.Off()
	b = s.NewBatch()
	b.Set([]byte("after"), nil)
	if err := b.Commit(true); !errors.Is(err, errorfs.ErrInjected) {
		t.Errorf("commit after a failure: %v", err)
	}
	if err := s.Close(); !errors.Is(err, errorfs.ErrInjected) {
		t.Errorf("close after a failure: %v", err)
	}
	if !has(t, openState(t, disk.CrashClone(vfs.CrashCloneCfg{})), "before") {
		t.Error("what was committed before is gone")
	}
}

// Each open, use and close returns every goroutine; see TestMain.
func TestStateOnTheRealDisk(t *testing.T) {
	dir := t.TempDir() + "/home/state"
	for round := range 3 {
		s, err := OpenState(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range round {
			if !has(t, s, fmt.Sprint(i)) {
				t.Errorf("key %d is gone", i)
			}
		}
		set(t, s, true, fmt.Sprint(round))
		closeState(t, s)
	}
}

// A view shows what was there when it was made, whatever is written and removed
// since, and a state with a view that was closed closes as well.
func TestView(t *testing.T) {
	s, err := OpenState("state", vfs.NewMem())
	if err != nil {
		t.Fatal(err)
	}
	put := func(key, value string) {
		t.Helper()
		b := s.NewBatch()
		b.Set([]byte(key), []byte(value))
		if err := b.Commit(true); err != nil {
			t.Fatal(err)
		}
	}
	put("a", "1")
	put("b", "1")
	v := s.NewView()
	put("a", "2")
	put("c", "2")
	b := s.NewBatch()
	b.DeleteRange([]byte("b"), []byte("c"))
	if err := b.Commit(true); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"a": "1", "b": "1"} {
		if got, err := v.Get([]byte(key)); err != nil || string(got) != want {
			t.Errorf("the view has %q for %q, want %q: %v", got, key, want, err)
		}
	}
	if _, err := v.Get([]byte("c")); !errors.Is(err, ErrNotFound) {
		t.Errorf("the view shows what came later: %v", err)
	}
	if err := errors.Join(v.Close(), s.Close()); err != nil {
		t.Error(err)
	}
}
