package pbft_test

import (
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

func TestN9_BacklogGivesEachSequenceOnceAndInOrder(t *testing.T) {
	b := pbft.NewBacklog[string](7)
	var got []string
	for _, c := range []struct {
		seq  messages.Seq
		what string
	}{
		{7, "executed before"}, {10, "10"}, {9, "9"}, {9, "9 again"}, {8, "8"}, {8, "8 again"}, {12, "12"}, {11, "11"}, {3, "old"},
	} {
		b.Add(c.seq, c.what)
		for next, ok := b.Next(); ok; next, ok = b.Next() {
			got = append(got, next)
		}
	}
	if want := []string{"8", "9", "10", "11", "12"}; !slices.Equal(got, want) {
		t.Errorf("executed %v, want %v", got, want)
	}
}
