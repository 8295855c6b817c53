package sim

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/storage"
)

// TestCrashLosesOnlyWhatWasNotFlushed: a disk that lost more would blame honest
// replicas, and one that lost less would find nothing.
func TestCrashLosesOnlyWhatWasNotFlushed(t *testing.T) {
	const block = 4096
	old, torn := bytes.Repeat([]byte{'a'}, 3*block), bytes.Repeat([]byte{'b'}, 3*block)
	outcomes := make(map[string]int)
	for seed := range uint64(200) {
		d := newDisk(vfs.NewCrashableMem())
		must(d.fs.MkdirAll(journalDir, 0o700))
		must(d.fs.MkdirAll(stateDir, 0o700))
		writeFile(d.fs, journalDir+"/flushed", bytes.Clone(old))
		for _, dir := range []string{journalDir, stateDir, home, "/"} {
			syncFolder(d.mem, dir)
		}
		f := value(d.fs.OpenReadWrite(journalDir+"/flushed", vfs.WriteCategoryUnspecified))
		value(f.WriteAt(bytes.Clone(torn), 0)) // under the race detector vfs scribbles on what it was given
		must(f.Close())
		writeFile(d.fs, journalDir+"/new", []byte("n")) // its entry in the folder is not flushed
		lose := loss(seed % 3)
		left := files(d.crashed(rand.New(rand.NewPCG(seed, 0)), lose), journalDir)
		var blocks []byte
		for at := 0; at < len(left["flushed"]); at += block {
			part := left["flushed"][at : at+block]
			if !bytes.Equal(part, old[:block]) && !bytes.Equal(part, torn[:block]) {
				t.Fatalf("seed %d: block %d is neither the old nor the new one", seed, at/block)
			}
			blocks = append(blocks, part[0])
		}
		_, there := left["new"]
		if lose == losesAll && (string(blocks) != "aaa" || there) || lose == losesNothing && (string(blocks) != "bbb" || !there) {
			t.Fatalf("seed %d: %v, and blocks %s are left, the new file: %v", seed, lose, blocks, there)
		}
		outcomes[string(blocks)]++
	}
	if len(outcomes) != 8 { // each block old or new
		t.Errorf("only %v were seen of three torn blocks", outcomes)
	}
}

// TestACrashLeavesOfTheStateWhatWasFlushed: what more the state store has in memory, or its
// goroutines had written by then, depends on the machine, and with it a run would.
func TestACrashLeavesOfTheStateWhatWasFlushed(t *testing.T) {
	d := newDisk(vfs.NewCrashableMem())
	must(d.fs.MkdirAll(journalDir, 0o700))
	state := value(storage.OpenState(stateDir, d.fs))
	for _, dir := range []string{home, "/"} {
		syncFolder(d.mem, dir)
	}
	defer func() { must(state.Close()) }()
	set := func(key string, sync bool) {
		b := state.NewBatch()
		b.Set([]byte(key), make([]byte, 40<<10))
		must(b.Commit(sync))
	}
	set("flushed", true)
	for i := range 4 { // less than the store flushes of itself, when its memory is full
		set(fmt.Sprint("written ", i), false)
	}
	for _, lose := range []loss{losesNothing, losesSome, losesAll} {
		left := value(storage.OpenState(stateDir, d.crashed(rand.New(rand.NewPCG(1, 0)), lose)))
		var keys []string
		must(left.Range(nil, []byte("~"), func(key, _ []byte) error {
			keys = append(keys, string(key))
			return nil
		}))
		must(left.Close())
		if len(keys) != 1 || keys[0] != "flushed" {
			t.Errorf("%v, and the state has %q", lose, keys)
		}
	}
}

// TestArmedDiskStrikesAtTheJournalAlone: the state store's goroutines must not
// count.
func TestArmedDiskStrikesAtTheJournalAlone(t *testing.T) {
	d := newDisk(vfs.NewCrashableMem())
	must(d.fs.MkdirAll(stateDir, 0o700))
	must(d.fs.MkdirAll(journalDir, 0o700))
	d.arm(2, func() error { return errInjected })
	writeFile(d.fs, stateDir+"/000001.log", []byte("state"))
	if _, err := d.fs.Create(journalDir+"/1.seg", vfs.WriteCategoryUnspecified); err != nil {
		t.Errorf("the first operation fails: %v", err)
	}
	if _, err := d.fs.Create(journalDir+"/2.seg", vfs.WriteCategoryUnspecified); !errors.Is(err, errInjected) {
		t.Errorf("the second operation gives %v", err)
	}
	if _, err := d.fs.Create(journalDir+"/3.seg", vfs.WriteCategoryUnspecified); err != nil {
		t.Errorf("a disk that has struck strikes again: %v", err)
	}
}
