package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// reports is what replica bench would print for three loads, two numbers of replicas
// and one other payload.
const reports = `{"replicas":4,"outstanding":8000,"payload":128,"median":{"cluster":{"vertices_per_second":80000,"finality_ms":{"p50":90,"p99":400}},"floor":{"vertices_per_second":200000,"finality_ms":{"p50":38,"p99":62}}}}
{"replicas":4,"outstanding":1,"payload":128,"median":{"cluster":{"vertices_per_second":100,"finality_ms":{"p50":8,"p99":17}}}}
{"replicas":4,"outstanding":1500,"payload":128,"median":{"cluster":{"vertices_per_second":40000,"finality_ms":{"p50":30,"p99":100}}}}
{"replicas":7,"outstanding":1500,"payload":128,"median":{"cluster":{"vertices_per_second":18000,"finality_ms":{"p50":76,"p99":268}}}}
{"replicas":4,"outstanding":1500,"payload":2048,"median":{"cluster":{"vertices_per_second":3000,"finality_ms":{"p50":527,"p99":951}}}}
`

// TestPlots: each figure is well-formed and has the points it should, in the order of
// what varies.
func TestPlots(t *testing.T) {
	dir := t.TempDir()
	if err := run(strings.NewReader(reports), dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"latency": 8, "scale": 2, "payload": 2} {
		file, err := os.ReadFile(filepath.Join(dir, name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		if got := elements(t, file)["circle"]; got != want {
			t.Errorf("%s has %d points, want %d", name, got, want)
		}
	}
	list, err := read(strings.NewReader(reports))
	if err != nil {
		t.Fatal(err)
	}
	c := charts(list)
	if got, want := c["latency"].lines[0].points, (series{{100, 8}, {40000, 30}, {80000, 90}}); !slices.Equal(got, want) {
		t.Errorf("latency over throughput is %v, want %v", got, want)
	}
	if got, want := c["scale"].lines[0].points, (series{{4, 40000}, {7, 18000}}); !slices.Equal(got, want) {
		t.Errorf("throughput over replicas is %v, want %v", got, want)
	}
	if got, want := c["payload"].lines[0].points, (series{{128, 40000}, {2048, 3000}}); !slices.Equal(got, want) {
		t.Errorf("throughput over payloads is %v, want %v", got, want)
	}
}

// elements counts those of a document, which has to be well-formed.
func elements(t *testing.T, document []byte) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for decoder := xml.NewDecoder(bytes.NewReader(document)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return counts
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok {
			counts[start.Name.Local]++
		}
	}
}

func TestNothingToDraw(t *testing.T) {
	one, _, _ := strings.Cut(reports, "\n")
	for text, want := range map[string]string{one: "no series", "{}": "report 1", "": "no series"} {
		if err := run(strings.NewReader(text), t.TempDir()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// TestScale: ends are ends, ticks are round and within.
func TestScale(t *testing.T) {
	for _, test := range []struct {
		scale scale
		ticks string
	}{
		{scale{axis{}, 0, 80, 0, 100}, "[0 10 20 30 40 50 60 70 80]"},
		{scale{axis{}, 3, 17, 100, 0}, "[4 6 8 10 12 14 16]"},
		{scale{axis{}, -4, 64, 0, 100}, "[0 10 20 30 40 50 60]"},
		{scale{axis{log: true}, 8, 250, 0, 100}, "[10 20 50 100 200]"},
	} {
		s := test.scale
		if got := fmt.Sprint(s.ticks()); got != test.ticks {
			t.Errorf("ticks from %v to %v: %s, want %s", s.low, s.high, got, test.ticks)
		}
		if s.place(s.low) != s.from || s.place(s.high) != s.to {
			t.Errorf("%v to %v is at %v to %v", s.low, s.high, s.place(s.low), s.place(s.high))
		}
	}
}
