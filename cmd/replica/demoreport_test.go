package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// TestVerdict: the exit code hangs on it.
func TestVerdict(t *testing.T) {
	tests := []struct {
		name                string
		finalized, vertices int
		agree               bool
		want                string // "" for success
	}{
		{"all", 10, 10, true, ""},
		{"one missing", 9, 10, true, "1 of 10 vertices were not finalised"},
		{"heads differ", 10, 10, false, "the ledgers in the folders differ"},
		{"both", 0, 10, false, "10 of 10 vertices were not finalised\nthe ledgers"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := &demoReport{Vertices: test.vertices, Finalized: test.finalized, Agree: test.agree}
			err := r.verdict()
			if (err == nil) != (test.want == "") || err != nil && !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestAgree: a ledger that is shorter, or of as many batches and another head,
// is another ledger.
func TestAgree(t *testing.T) {
	summary := replica.LedgerSummary{Seq: 5, Head: messages.Digest{1}, Vertices: 9}
	shorter, other := summary, summary
	shorter.Seq, other.Head = 4, messages.Digest{2}
	for _, test := range []struct {
		last replica.LedgerSummary
		want bool
	}{{summary, true}, {shorter, false}, {other, false}} {
		if got := agree([]*replica.LedgerSummary{&summary, &summary, &test.last}); got != test.want {
			t.Errorf("%+v: %v", test.last, got)
		}
	}
}

func TestReportOfDifferentHeads(t *testing.T) {
	r := &demoReport{
		Replicas: 2, Vertices: 3, Finalized: 3, ElapsedSeconds: 1.5, VerticesPerSecond: 2, View: 1,
		FinalityMS: quantiles{P50: 1, P99: 2.25, Max: 3}, Heads: []messages.Digest{{1}, {2}},
		views:   []messages.View{0, 1},
		ledgers: []*replica.LedgerSummary{{Seq: 5, Head: messages.Digest{1}, Vertices: 5}, {Seq: 5, Head: messages.Digest{2}, Vertices: 3}},
	}
	var table, object bytes.Buffer
	if err := r.write(&table, false); err != nil {
		t.Fatal(err)
	}
	want := `replica  view  sequence  ledger head       vertices
0        0     5         0100000000000000  5
1        1     5         0200000000000000  3

2 of these vertices are second copies, executed as no-ops

3 of 3 vertices final in 1.50 s: 2 vertices/s
finality p50 1.0 ms, p99 2.2 ms, max 3.0 ms
THE HEADS DIFFER
`
	if table.String() != want {
		t.Errorf("got\n%s", &table)
	}
	if err := r.write(&object, true); err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(object.Bytes(), &keys); err != nil || keys["agree"] != false || len(keys) != 9 {
		t.Errorf("got %s (%v)", &object, err)
	}
}
