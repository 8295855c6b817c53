package metrics

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// TestTotals reads what a replica counted, from its registry and from the page
// its API serves, and finds the same.
func TestTotals(t *testing.T) {
	m := New(Options{Members: 4})
	m.SequenceExecuted(1, 10, 9, 1000)
	m.SequenceExecuted(2, 10, 10, 1000)
	m.ObserveSign(time.Millisecond, 2)
	m.ObserveVerify(time.Millisecond)
	m.ObserveVerify(time.Millisecond)
	m.ObserveVerify(time.Millisecond)
	m.ObserveFlush(250*time.Millisecond, 4096)
	m.ObserveFlush(250*time.Millisecond, 8192)
	m.NetworkSent(1, "votes", 100)
	m.NetworkSent(2, "batches", 30)
	m.ViewChangeStarted()
	m.WatchCreators(func() CreatorCounts { return CreatorCounts{Verifications: 7, Remembered: 8, Expansions: 9} })

	want := Totals{
		Sequences: 2, Vertices: 19, Signatures: 1, Verifications: 3, Flushes: 2, FlushSeconds: 0.5, FlushBytes: 12288, SentBytes: 130, ViewChanges: 1,
		CreatorVerifications: 7, CreatorExpansions: 9,
	}
	page := httptest.NewRecorder()
	promhttp.HandlerFor(m.Registry(), promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	read, err := ReadTotals(page.Body)
	if err != nil {
		t.Fatal(err)
	}
	gathered, err := TotalsOf(m.Registry())
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]Totals{"page": read, "registry": gathered} {
		if got.ProcessCPUSeconds <= 0 {
			t.Errorf("%s: the process used no processor time", name)
		}
		got.ProcessCPUSeconds = 0
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	for _, text := range []string{"", "<html>", "go_goroutines 12\nprocess_cpu_seconds_total 3\n"} {
		if _, err := ReadTotals(strings.NewReader(text)); err == nil {
			t.Errorf("%q was taken for a replica's metrics", text)
		}
	}
	if _, err := ReadTotals(bytes.NewReader(make([]byte, 1<<20))); err == nil {
		t.Error("a line without end was read")
	}
}
