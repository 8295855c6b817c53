package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// ledgerOf is a ledger with a batch a byte.
func ledgerOf(batches string) *demoLedger {
	l := &demoLedger{LedgerSummary: &replica.LedgerSummary{}}
	for _, b := range []byte(batches) {
		l.batches = append(l.batches, messages.Digest{b})
		l.Seq, l.Vertices = l.Seq+1, l.Vertices+10
		l.Head = messages.Digest{b, byte(l.Seq)}
	}
	return l
}

func ledgersOf(batches ...string) (list []*demoLedger) {
	for _, b := range batches {
		list = append(list, ledgerOf(b))
	}
	return list
}

// TestVerdict: the exit code hangs on it.
func TestVerdict(t *testing.T) {
	tests := []struct {
		name                string
		finalized, vertices int
		agreement           agreement
		want, hint          string // "" for success, and for none
	}{
		{"all", 10, 10, equal, "", ""},
		{"one missing", 9, 10, equal, "1 of 10 vertices were not finalised", ""},
		{"one replica not done", 10, 10, prefixes, "the ledgers agree up to sequence 1, but not all go on to 2", "nothing contradicts: "},
		{"ledgers differ", 10, 10, differ, "the ledgers in the folders differ", "this must never happen: report it, with the folders in DIR"},
		{"both", 0, 10, differ, "10 of 10 vertices were not finalised\nthe ledgers", "this must never happen"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := &demoReport{Vertices: test.vertices, Finalized: test.finalized, agreement: test.agreement, ledgers: ledgersOf("ab", "a")}
			err := r.verdict()
			if (err == nil) != (test.want == "") || err != nil && !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
			if err == nil {
				return
			}
			if got := hintOf(r.advise(err, "DIR")); (got == "") != (test.hint == "") || !strings.HasPrefix(got, test.hint) {
				t.Errorf("and the hint %q", got)
			}
		})
	}
}

// TestCompareLedgers: a ledger that is shorter is unfinished; one with another
// batch must never be.
func TestCompareLedgers(t *testing.T) {
	for _, test := range []struct {
		ledgers string
		want    agreement
	}{
		{"abc abc abc", equal},
		{"abc abc ab", prefixes},
		{"ab abc abc", prefixes},
		{"ab abcd abc", prefixes},
		{"abc abc ", prefixes},
		{"  ", equal},
		{"abc abc abx", differ},
		{"axc abc abc", differ},
		{"abc abc ax", differ}, // shorter, and no prefix
		{"ax abc ab", differ},
		{"ax ay abc", differ},
	} {
		if got := compare(ledgersOf(strings.Split(test.ledgers, " ")...)); got != test.want {
			t.Errorf("%q: %v", test.ledgers, got)
		}
	}
	sameBatches := ledgersOf("abc", "abc")
	sameBatches[1].Head[0]++
	if got := compare(sameBatches); got != differ {
		t.Errorf("other heads over the same batches: %v", got)
	}
}

func TestReport(t *testing.T) {
	r := &demoReport{
		Replicas: 2, Vertices: 17, Finalized: 17, ElapsedSeconds: 1.5, VerticesPerSecond: 2, View: 1,
		FinalityMS: quantiles{P50: 1, P99: 2.25, Max: 3}, Heads: []messages.Digest{{1}, {2}},
		statuses:  []replica.Status{{View: 0, Sequence: 2, Vertices: 17}, {View: 1, Sequence: 2}},
		ledgers:   ledgersOf("ab", "ac"),
		agreement: differ,
	}
	var table, object bytes.Buffer
	if err := r.write(&table, false); err != nil {
		t.Fatal(err)
	}
	want := `replica  view  sequence  ledger head       vertices
0        0     2         6202000000000000  20
1        1     2         6302000000000000  20

3 of these vertices are second copies, executed as no-ops

17 of 17 vertices final in 1.50 s: 2 vertices/s
finality p50 1.0 ms, p99 2.2 ms, max 3.0 ms
THE LEDGERS DIFFER
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
	r.agreement, r.statuses[0].Sequence = prefixes, 1
	table.Reset()
	if err := r.write(&table, false); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(table.String(), "second copies") || !strings.HasSuffix(table.String(), "\nall ledgers agree as far as they go\n") {
		t.Errorf("of a replica that went on while it was stopped, and of a shorter ledger, got\n%s", &table)
	}
}
