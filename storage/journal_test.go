package storage

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestJournalKeepsGroupsOverReopening(t *testing.T) {
	fs := vfs.NewMem()
	l := openLog(t, fs, Options{})
	for n := 1; n <= 20; n++ {
		l.append(n, 1+n%3, 100*n)
	}
	checkGroups(t, mustReplay(t, l.Journal), l.groups)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again := openLog(t, fs, Options{})
	again.groups = l.groups
	again.append(21, 2, 1000)
	checkGroups(t, mustReplay(t, again.Journal), again.groups)
}
