package storage

import (
	"errors"
	"fmt"
	"slices"
	"testing"

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
