package metrics_test

import (
	"strings"
	"testing"

	"github.com/cretoai/consensus/metrics"
)

func TestValueFindsAMetricOrSaysWhichThereAre(t *testing.T) {
	m := metrics.New(metrics.Options{Members: 4})
	m.SetDiskFree(16)
	m.ActorRestarted("phase-3")
	for _, c := range []struct {
		name   string
		labels []string
		want   float64
		err    []string // what it names
	}{
		{name: "cretoai_consensus_disk_free_bytes", want: 16},
		{name: "disk_free_bytes", want: 16},
		{name: "actor_restarts_total", labels: []string{"actor", "phase"}, want: 1},
		{name: "actor_restarts_total", labels: []string{"actor", "executor"}},
		{name: "network_sent_bytes_total", labels: []string{"lane", "votes", "peer", "1"}},
		{name: "actor_restarts_total", labels: []string{"actor", "janitor"}, err: []string{"it has actor=", "actor=executor"}},
		{name: "actor_restarts_total", err: []string{"not the labels"}},
		{name: "disk_free_bytes", labels: []string{"peer", "1"}, err: []string{"it has none"}},
		{name: "disk_free_bytes", labels: []string{"peer"}, err: []string{"in turn"}},
		{name: "free_disk", err: []string{"no metric free_disk", "similar are disk_free_bytes"}},
		{name: "view", err: []string{"current_view", "view_timeout_seconds", "view_changes_total"}},
		{name: "sequence_executed", err: []string{"sequences_executed_total", "executed_sequence"}},
		{name: "zzz", err: []string{"no metric zzz"}},
		{name: "batch_bytes", err: []string{"is a histogram"}},
	} {
		got, err := metrics.Value(m.Registry(), c.name, c.labels...)
		if (err != nil) != (c.err != nil) || got != c.want {
			t.Errorf("%s %q is %v, %v", c.name, c.labels, got, err)
			continue
		}
		for _, part := range c.err {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s %q: %v, which lacks %q", c.name, c.labels, err, part)
			}
		}
	}
}
