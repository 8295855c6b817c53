package actors

import (
	"slices"
	"testing"
)

func TestS10_AFloodDelaysItsOwnSenderOnly(t *testing.T) {
	q := newFairQueue[string](4)
	for range 1000 {
		q.push(3, "flood")
	}
	q.push(0, "a")
	q.push(2, "b")
	q.push(0, "c")
	var got []string
	for range 5 {
		work, ok := q.pop()
		if !ok {
			t.Fatal("nothing given out while work waits")
		}
		got = append(got, work)
	}
	if want := []string{"a", "b", "flood", "c", "flood"}; !slices.Equal(got, want) {
		t.Errorf("given out %v, want %v", got, want)
	}
	left := 0
	for _, ok := q.pop(); ok; _, ok = q.pop() {
		left++
	}
	if left != 998 {
		t.Errorf("%d left, want 998: work was lost or repeated", left)
	}
}
