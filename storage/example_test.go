package storage_test

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/storage"
)

// A group is appended, survives a power cut, and is replayed.
func ExampleJournal() {
	disk := vfs.NewCrashableMem()
	id := storage.Identity{Chain: [32]byte{1}, Member: [32]byte{2}}
	journal, err := storage.OpenJournal("/home/journal", id, storage.Options{FS: disk, SegmentBytes: 64 << 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	places, err := journal.AppendGroup([]storage.Record{
		{Kind: 1, Seq: 7, Data: []byte("a batch")},
		{Kind: 2, Seq: 7, Data: []byte("a vote for it")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	afterwards := disk.CrashClone(vfs.CrashCloneCfg{}) // nothing that was not flushed
	journal.Close()

	journal, err = storage.OpenJournal("/home/journal", id, storage.Options{FS: afterwards, SegmentBytes: 64 << 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer journal.Close()
	err = journal.Replay(func(group uint64, p storage.Place, r storage.Record) error {
		fmt.Printf("group %d: kind %d, seq %d, %s\n", group, r.Kind, r.Seq, r.Data)
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	batch, err := journal.Read(places[0], nil)
	fmt.Printf("by reference: %s, %v\n", batch, err)
	// Output:
	// group 1: kind 1, seq 7, a batch
	// group 1: kind 2, seq 7, a vote for it
	// by reference: a batch, <nil>
}
