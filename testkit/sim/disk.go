package sim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// The folders of a replica on its disk. What the state store does there between
// two commits is the business of its own goroutines, so chance may depend on
// the journal's folder alone, and of the store's what was flushed is all that a crash
// leaves: how much else its goroutines had written by then is up to the machine.
const (
	home       = "/replica"
	journalDir = home + "/journal"
	stateDir   = home + "/state"
)

// errInjected is what a failing write says.
var errInjected = errors.New("the disk is gone")

// disk is a replica's disk in memory. It can lose its power before any write to
// the journal, or fail there.
type disk struct {
	mem *vfs.MemFS
	fs  vfs.FS
	// left counts the journal's operations until strike is called; 0 means never.
	left   int
	writes int // operations counted so far
	strike func() error
}

func newDisk(mem *vfs.MemFS) *disk {
	d := &disk{mem: mem}
	d.fs = errorfs.Wrap(mem, errorfs.InjectorFunc(d.before))
	return d
}

// before is called ahead of each operation. The state store's come from other
// goroutines, so nothing is touched for them.
func (d *disk) before(op errorfs.Op) error {
	if !strings.HasPrefix(op.Path, journalDir) || op.Kind.ReadOrWrite() != errorfs.OpIsWrite || op.Kind == errorfs.OpFileClose {
		return nil
	}
	d.writes++
	if d.left == 0 {
		return nil
	}
	if d.left--; d.left > 0 {
		return nil
	}
	return d.strike()
}

// arm has strike called before one of the next operations.
func (d *disk) arm(operations int, strike func() error) { d.left, d.strike = operations, strike }

// loss says how much of what was not flushed a crash takes.
type loss uint8

const (
	losesNothing loss = iota // the process ended, the machine did not
	losesSome
	losesAll
)

func (l loss) String() string {
	return [...]string{"nothing unflushed is lost", "some unflushed data is lost", "all unflushed data is lost"}[l]
}

// crashed gives the disk as a crash at this moment leaves it.
func (d *disk) crashed(rng *rand.Rand, lose loss) *vfs.MemFS {
	kept := d.mem.CrashClone(vfs.CrashCloneCfg{})
	if lose == losesAll {
		return kept
	}
	// It draws for every file, whatever the percentage: from a source of its own.
	written := d.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(0, 0))})
	left := vfs.NewCrashableMem()
	must(left.MkdirAll(journalDir, 0o700))
	cloneFolder(kept, left, stateDir)
	if lose == losesNothing {
		cloneFolder(written, left, journalDir)
	} else {
		mixFolder(rng, kept, written, left, journalDir)
	}
	for _, dir := range []string{home, "/"} {
		syncFolder(left, dir)
	}
	return left
}

func cloneFolder(from, to vfs.FS, dir string) {
	if _, err := vfs.Clone(from, to, dir, dir, vfs.CloneSync); err != nil {
		panic(fmt.Sprintf("sim: copy in memory: %v", err))
	}
}

// mixFolder makes of two versions of a folder, the flushed and the written one,
// one between: each file and block that differs comes from either.
func mixFolder(rng *rand.Rand, kept, written, mixed vfs.FS, dir string) {
	before, after := files(kept, dir), files(written, dir)
	names := maps.Clone(before)
	maps.Copy(names, after)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		flushed, wasThere := before[name]
		unflushed, isThere := after[name]
		if wasThere != isThere { // an entry of the folder that was not flushed
			if rng.IntN(2) == 0 {
				continue
			}
			flushed, unflushed = names[name], names[name]
		}
		writeFile(mixed, dir+"/"+name, mixBlocks(rng, flushed, unflushed))
	}
	syncFolder(mixed, dir)
}

// mixBlocks takes each block that differs from either version.
func mixBlocks(rng *rand.Rand, kept, written []byte) []byte {
	const block = 4096
	mixed := bytes.Clone(kept)
	for at := 0; at < len(written); at += block {
		end := min(at+block, len(written))
		if end <= len(kept) && bytes.Equal(written[at:end], kept[at:end]) || rng.IntN(2) == 0 {
			continue
		}
		if grow := end - len(mixed); grow > 0 {
			mixed = append(mixed, make([]byte, grow)...)
		}
		copy(mixed[at:end], written[at:end])
	}
	return mixed
}

func files(fs vfs.FS, dir string) map[string][]byte {
	all := make(map[string][]byte)
	names, err := fs.List(dir)
	if err != nil {
		return all // the folder is not there yet
	}
	for _, name := range names {
		f := value(fs.Open(dir + "/" + name))
		all[name] = value(io.ReadAll(f))
		must(f.Close())
	}
	return all
}

func writeFile(fs vfs.FS, path string, data []byte) {
	f := value(fs.Create(path, vfs.WriteCategoryUnspecified))
	value(f.Write(data))
	must(f.Sync())
	must(f.Close())
}

func syncFolder(fs vfs.FS, dir string) {
	f := value(fs.OpenDir(dir))
	must(f.Sync())
	must(f.Close())
}

// must and value take what cannot fail in memory.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("sim: file in memory: %v", err))
	}
}

func value[T any](v T, err error) T {
	must(err)
	return v
}
