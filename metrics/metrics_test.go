package metrics

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

var update = flag.Bool("update", false, "rewrite testdata")

// exercise calls every method once, with a value no other has.
func exercise(m *Metrics) {
	m.ObserveFinality(2*time.Millisecond, 3)
	m.ObservePhase(PhasePrepare, 10*time.Millisecond)
	m.ObservePhase(PhaseCommit, 20*time.Millisecond)
	m.ObservePhase(PhaseExecute, 30*time.Millisecond)
	m.PreparesSent(4)
	m.CommitsSent(5)
	m.SequenceDecided(ByAll)
	m.SequenceExecuted(6, 7, 8, 9)
	m.SetExecutedSequence(10)
	m.SetStableCheckpoint(11)
	m.SetPendingVertices(12)
	m.ViewChangeStarted()
	m.SetView(13)
	m.SetViewTimeout(250 * time.Millisecond)
	m.Violation("equivocation")
	m.SetBanned(14)
	m.SetPeersConnected(15)
	m.SetPeersVoting(29)
	m.SetPeerBehind(1, 30)
	m.SetLeader(2)
	m.SetObserving(true)
	m.SetHalted(true)
	m.ObserveSign(16*time.Second, 17)
	m.ObserveVerify(18 * time.Second)
	m.ObserveFlush(19*time.Second, 20)
	m.SetDiskFree(16)
	m.StateTransferBegan()
	m.StateTransferred(512)
	m.SetStateTransfer(7, 3)
	m.SetSnapshot(1024, 90*time.Second)
	m.SetLedgerFirst(513)
	m.SetWALSyncDisabled(true)
	m.SetQueueDepth("egress", 21)
	m.AddQueueDepth("egress", -1)
	m.Dropped("stale", 22)
	m.BundleQuarantined()
	m.ActorRestarted("sequencer")
	m.ApplicationRetried()
	m.NetworkSent(0, "votes", 23)
	m.NetworkReceived(1, 24)
	m.LimitReached("held_bytes")
	m.SignaturesRemembered(25)
	m.WatchCreators(func() CreatorCounts { return CreatorCounts{26, 27, 28} })
}

// scrape is the exposition as a Prometheus server reads it, of our names only,
// without the buckets and without what is zero.
func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(m.Registry(), promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != 200 {
		t.Fatalf("scraping gave %d: %s", answer.Code, answer.Body)
	}
	var out strings.Builder
	for line := range strings.Lines(answer.Body.String()) {
		if strings.Contains(line, namespace) && !strings.Contains(line, "_bucket{") && !strings.HasSuffix(line, " 0\n") {
			out.WriteString(strings.ReplaceAll(line, runtime.Version(), "GO_VERSION"))
		}
	}
	return out.String()
}

// TestExposition holds names, types, labels and which method moves which
// series to what is written down: dashboards and alerts depend on them.
func TestExposition(t *testing.T) {
	m := New(Options{Version: "v1.2.3", Members: 2, Quorum: 31, Now: newHandClock().now})
	exercise(m)
	got := scrape(t, m)
	const golden = "testdata/exposition.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal([]byte(got), want) {
		t.Errorf("the exposition is not %s; after a wanted change run go test -update and read the diff.\ngot:\n%s", golden, got)
	}
}

// TestInheritedNames lists the original's names apart from the golden file,
// which -update would rewrite.
func TestInheritedNames(t *testing.T) {
	got := scrape(t, New(Options{Now: newHandClock().now}))
	for name, kind := range map[string]string{
		"finality_time_ms": "summary", "prepares_sent_total": "counter", "commits_sent_total": "counter",
		"vertices_finalized_total": "counter", "byzantine_violations_total": "counter", "banned_nodes": "gauge",
		"view_changes_total": "counter", "current_view": "gauge",
	} {
		if line := fmt.Sprintf("# TYPE cretoai_consensus_%s %s\n", name, kind); !strings.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
}

// TestLint accepts nothing but the inherited name that is not in base units.
func TestLint(t *testing.T) {
	m := New(Options{Version: "v1", Members: 4})
	exercise(m)
	families, err := m.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	problems = slices.DeleteFunc(problems, func(p promlint.Problem) bool { return !strings.HasPrefix(p.Metric, namespace) })
	const inherited = "cretoai_consensus_finality_time_ms"
	for _, p := range problems {
		if p.Metric != inherited {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	if !slices.ContainsFunc(problems, func(p promlint.Problem) bool { return p.Metric == inherited }) {
		t.Errorf("%s passes the linter: drop the exception", inherited)
	}
}

// series counts the series of one family.
func series(t *testing.T, m *Metrics, name string) int {
	return len(gather(t, m, namespace+name).Metric)
}

// TestLabelsStayClosed floods every labelled method with values from outside:
// the number of series must not move.
func TestLabelsStayClosed(t *testing.T) {
	labelled := []string{
		"byzantine_violations_total", "dropped_total", "actor_restarts_total", "queue_depth",
		"phase_duration_seconds", "network_sent_bytes_total", "network_received_bytes_total", "limits_reached_total",
		"peer_behind_sequences",
	}
	m := New(Options{Members: 4})
	before := map[string]int{}
	for _, name := range labelled {
		before[name] = series(t, m, name)
	}
	for i := range 1000 {
		strange := fmt.Sprintf("strange %d \xff\n", i)
		m.Violation(strange)
		m.Dropped(strange, 1)
		m.ActorRestarted(strange)
		m.AddQueueDepth(strange, 1)
		m.ObservePhase(strange, time.Second)
		m.NetworkSent(4+i, "votes", 1)
		m.NetworkSent(-i-1, strange, 1)
		m.NetworkReceived(4+i, 1)
		m.SetPeerBehind(4+i, 1)
		m.LimitReached(strange)
	}
	for _, name := range labelled {
		if got := series(t, m, name); got != before[name] {
			t.Errorf("%s has %d series, %d before", name, got, before[name])
		}
	}
	if got := scrape(t, m); !strings.Contains(got, `dropped_total{reason="other"} 1000`) {
		t.Errorf("1000 drops for unknown reasons are not counted as other:\n%s", got)
	}
}

func TestLabelsAreNormalised(t *testing.T) {
	m := New(Options{Members: 4})
	m.Dropped("wrong digest", 1)
	m.Dropped("Wrong-Digest", 1)
	m.Dropped("wrong_digest", 1)
	m.ActorRestarted("phase-17")
	m.ActorRestarted("phase-18")
	m.SetQueueDepth("replica-2", 5)
	got := scrape(t, m)
	for _, want := range []string{
		`dropped_total{reason="wrong_digest"} 3`, `actor_restarts_total{actor="phase"} 2`, `queue_depth{queue="replica"} 5`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %s in:\n%s", want, got)
		}
	}
}

// TestRegistriesAreApart: two replicas in one process share nothing, and an
// embedder can expose both under labels of his own.
func TestRegistriesAreApart(t *testing.T) {
	a, b := New(Options{}), New(Options{})
	a.CommitsSent(3)
	if got := scrape(t, b); strings.Contains(got, "commits_sent_total 3") {
		t.Error("one replica's commits are counted at another")
	}
	both := prometheus.NewRegistry()
	for name, m := range map[string]*Metrics{"0": a, "1": b} {
		if err := prometheus.WrapRegistererWith(prometheus.Labels{"replica": name}, both).Register(m.Registry()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := both.Gather(); err != nil {
		t.Error(err)
	}
}

// TestCountersOnlyRise: a negative count, a bug of the caller's, must not
// panic a replica (as Prometheus' counters do).
func TestCountersOnlyRise(t *testing.T) {
	m := New(Options{Members: 1})
	m.PreparesSent(-1)
	m.CommitsSent(-1)
	m.SequenceExecuted(1, 0, -1, 0)
	m.Dropped("stale", -1)
	m.NetworkSent(0, "votes", -1)
	m.NetworkReceived(0, -1)
	m.ObserveFinality(-time.Second, 1)
	if got := scrape(t, m); strings.Contains(got, " -") {
		t.Errorf("something is negative:\n%s", got)
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	m := New(Options{Members: 4})
	exercise(m) // native buckets are made on first use
	if n := testing.AllocsPerRun(100, func() {
		m.ObserveFinality(2*time.Millisecond, 500)
		m.ObservePhase(PhaseCommit, 20*time.Millisecond)
		m.PreparesSent(1)
		m.SequenceExecuted(6, 7, 8, 9)
		m.ObserveSign(16*time.Second, 17)
		m.AddQueueDepth("phase", 1)
		m.NetworkSent(0, "votes", 23)
		m.NetworkReceived(1, 24)
		m.Dropped("stale", 1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMetricsFromManyGoroutines(t *testing.T) {
	m := New(Options{Members: 4})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				exercise(m)
			}
		})
		wg.Go(func() {
			for range 5 {
				if _, err := m.Registry().Gather(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if count, _, _, _ := summary(t, m); count != 4*200*3 {
		t.Errorf("finality counted %d vertices, want %d", count, 4*200*3)
	}
}

func BenchmarkObserveFinality(b *testing.B) {
	m := New(Options{})
	for b.Loop() {
		m.ObserveFinality(20*time.Millisecond, 500)
	}
}
