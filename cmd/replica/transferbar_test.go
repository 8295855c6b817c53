package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cretoai/consensus/replica"
)

// aTransfer is a state transfer as it stands, nil for none.
type aTransfer struct{ now *replica.StateTransfer }

func (a *aTransfer) StateTransfer() (replica.StateTransfer, bool) {
	if a.now == nil {
		return replica.StateTransfer{}, false
	}
	return *a.now, true
}

// A bar is shown while a state is fetched, another one when another snapshot is,
// and none before and after.
func TestTransferBar(t *testing.T) {
	var out bytes.Buffer
	var bar transferBar
	var r aTransfer
	bar.show(&out, &r)
	if out.Len() > 0 {
		t.Errorf("nothing is fetched, and it says %q", out.String())
	}
	for _, step := range []struct {
		now  *replica.StateTransfer
		want string
	}{
		{&replica.StateTransfer{Seq: 1024, Parts: 40, Missing: 30, Bytes: 5 << 20}, "fetching the state of sequence 1024, 5 MiB so far"},
		{&replica.StateTransfer{Seq: 1024, Parts: 40, Missing: 10, Bytes: 15 << 20}, "30/40"},
		{&replica.StateTransfer{Seq: 2048, Parts: 50, Missing: 49, Bytes: 16 << 20}, "fetching the state of sequence 2048"},
		{nil, "50/50"},
	} {
		out.Reset()
		r.now = step.now
		bar.show(&out, &r)
		if !strings.Contains(out.String(), step.want) {
			t.Errorf("it says %q, without %q", out.String(), step.want)
		}
	}
	out.Reset()
	bar.show(&out, &r)
	if out.Len() > 0 {
		t.Errorf("all is fetched, and it says %q", out.String())
	}
}
