package replica_test

import (
	"io"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// TestInspect compares what lies in the folders of stopped replicas with what
// they said while they ran.
func TestInspect(t *testing.T) {
	c := testkit.NewCluster(t, 4, testkit.WithParams(shortCheckpoints))
	inspect := func(i int) *replica.Inspection {
		t.Helper()
		in, err := replica.InspectOn(c.Disk(i), c.Home(i), c.Genesis, messages.Index(i))
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	c.Kill(3)
	if in := inspect(3); in.Last != 0 || in.First != 0 || in.Stable.Seq != 0 || in.Entered != 0 {
		t.Errorf("in an empty folder there is %+v", in)
	}
	c.Start(3)
	c.AwaitEqual(proposeMany(c, 1, 10))
	for i := range 4 {
		c.AwaitStable(i, 8)
	}
	var voted int
	for i := range 4 {
		want := c.Replica(i).Status()
		c.Kill(i)
		in := inspect(i)
		if in.First != 1 || in.Last != want.Sequence || in.LastHead != want.LedgerHead || in.Stable.Seq != want.StableCheckpoint || in.Entered != want.View {
			t.Errorf("replica %d said %+v, in its folder is %+v", i, want, in)
		}
		if in.Vertices == 0 || in.Vertices > want.Vertices || in.App == 0 || in.Clients == 0 || in.Index != int64(8*in.Vertices) {
			t.Errorf("replica %d has %d vertices at its checkpoint, %d bytes of state, %d of clients and %d of index",
				i, in.Vertices, in.App, in.Clients, in.Index)
		}
		if len(in.Segments) == 0 || in.Segments[len(in.Segments)-1].LastSeq < uint64(want.Sequence) {
			t.Errorf("replica %d has segments %+v", i, in.Segments)
		}
		if in.Accepted > 0 && in.Voted > 0 {
			voted++
		}
	}
	if voted < 3 { // one may have been so late that it was told what the others decided
		t.Errorf("%d of 4 replicas have batches accepted and votes in their folders", voted)
	}
	if _, err := replica.InspectOn(c.Disk(0), "nowhere", c.Genesis, 0); err == nil || !strings.Contains(err.Error(), "stopped replica") {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := replica.InspectOn(c.Disk(0), c.Home(0), c.Genesis, 1); err == nil {
		t.Error("another member's folder was read")
	}
}

// TestInspectTellsOfViews: a replica that was stopped after a view change says
// which view it had entered.
func TestInspectTellsOfViews(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	c.AwaitEqual(c.Propose(1, "in the first view"))
	c.Kill(0)
	c.Propose(1, "in the second")
	want := c.Replica(2).CurrentView()
	c.Kill(2)
	in, err := replica.InspectOn(c.Disk(2), c.Home(2), c.Genesis, 2)
	if err != nil || want == 0 || in.Entered < want || in.LeftFor < want {
		t.Errorf("after entering view %d the folder tells of view %d, left for %d (%v)", want, in.Entered, in.LeftFor, err)
	}
}

// sealed is a disk that cannot be written.
type sealed struct{ vfs.FS }

func (sealed) Create(string, vfs.DiskWriteCategory) (vfs.File, error) { return nil, syscall.EROFS }
func (sealed) OpenReadWrite(string, vfs.DiskWriteCategory, ...vfs.OpenOption) (vfs.File, error) {
	return nil, syscall.EROFS
}
func (sealed) ReuseForWrite(string, string, vfs.DiskWriteCategory) (vfs.File, error) {
	return nil, syscall.EROFS
}
func (sealed) Link(string, string) error           { return syscall.EROFS }
func (sealed) Remove(string) error                 { return syscall.EROFS }
func (sealed) RemoveAll(string) error              { return syscall.EROFS }
func (sealed) Rename(string, string) error         { return syscall.EROFS }
func (sealed) MkdirAll(string, os.FileMode) error  { return syscall.EROFS }
func (sealed) Lock(name string) (io.Closer, error) { return nil, syscall.EROFS }

// A copy on a disk that cannot be written says the same as the folder itself.
func TestInspectWritesNothing(t *testing.T) {
	c := testkit.NewCluster(t, 4, testkit.WithParams(shortCheckpoints))
	last := proposeMany(c, 1, 20)
	c.AwaitEqual(last)
	c.Kill(2)
	want, err := replica.InspectOn(sealed{c.Disk(2)}, c.Home(2), c.Genesis, 2)
	if err != nil || want.Last < last || want.Observes {
		t.Fatalf("on a disk that cannot be written: %+v, %v", want, err)
	}
	if _, err := replica.ReadLedgerOn(sealed{c.Disk(2)}, c.Home(2), c.Genesis, 2, nil); err != nil {
		t.Error(err)
	}
	if got, err := replica.InspectOn(c.Disk(2), c.Home(2), c.Genesis, 2); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("on one that can: %+v, %v, want %+v", got, err, want)
	}
}
