package metrics

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Totals are the counters of one replica that a measurement compares before and
// after.
type Totals struct {
	Sequences, Vertices       float64
	Signatures, Verifications float64
	Flushes, FlushSeconds     float64
	FlushBytes                float64
	SentBytes                 float64
	ViewChanges               float64
	CreatorVerifications      float64 // of signatures of vertices' creators
	CreatorExpansions         float64 // of their keys
	ProcessCPUSeconds         float64 // of the process, and all replicas in it
}

// TotalsOf reads them from a replica's registry.
func TotalsOf(g prometheus.Gatherer) (Totals, error) {
	families, err := g.Gather()
	if err != nil {
		return Totals{}, fmt.Errorf("gather the metrics: %w", err)
	}
	var t Totals
	fields := t.series()
	for _, family := range families {
		for _, m := range family.Metric {
			for suffix, value := range seriesOf(m) {
				if into := fields[family.GetName()+suffix]; into != nil {
					*into += value
				}
			}
		}
	}
	return t, nil
}

// errNoReplica says that a page of metrics is not a replica's.
var errNoReplica = errors.New("these are no metrics of a replica")

// ReadTotals reads them from the text a replica's /metrics answers with.
func ReadTotals(page io.Reader) (Totals, error) {
	var t Totals
	fields := t.series()
	found := false
	lines := bufio.NewScanner(page)
	for lines.Scan() {
		name, value, ok := parseSeries(lines.Text())
		into := fields[name]
		if !ok || into == nil {
			continue
		}
		*into += value
		found = found || strings.HasPrefix(name, namespace)
	}
	if err := lines.Err(); err != nil {
		return Totals{}, fmt.Errorf("read the metrics: %w", err)
	}
	if !found {
		return Totals{}, errNoReplica
	}
	return t, nil
}

// series says where the value of each series goes; those of all labels add up.
func (t *Totals) series() map[string]*float64 {
	return map[string]*float64{
		namespace + "sequences_executed_total":      &t.Sequences,
		namespace + "vertices_finalized_total":      &t.Vertices,
		namespace + "sign_duration_seconds_count":   &t.Signatures,
		namespace + "verify_duration_seconds_count": &t.Verifications,
		namespace + "flush_duration_seconds_count":  &t.Flushes,
		namespace + "flush_duration_seconds_sum":    &t.FlushSeconds,
		namespace + "flush_bytes_sum":               &t.FlushBytes,
		namespace + "network_sent_bytes_total":      &t.SentBytes,
		namespace + "view_changes_total":            &t.ViewChanges,
		namespace + "creator_verifications_total":   &t.CreatorVerifications,
		namespace + "creator_keys_expanded_total":   &t.CreatorExpansions,
		"process_cpu_seconds_total":                 &t.ProcessCPUSeconds,
	}
}

// seriesOf gives a metric's values by what the text form appends to its name.
func seriesOf(m *dto.Metric) map[string]float64 {
	switch {
	case m.Counter != nil:
		return map[string]float64{"": m.Counter.GetValue()}
	case m.Histogram != nil:
		return map[string]float64{"_count": float64(m.Histogram.GetSampleCount()), "_sum": m.Histogram.GetSampleSum()}
	}
	return nil
}

// parseSeries reads the line `name{label="value"} 12.5`.
func parseSeries(line string) (name string, value float64, ok bool) {
	end := strings.LastIndexByte(line, ' ')
	if end < 0 || strings.HasPrefix(line, "#") {
		return "", 0, false
	}
	value, err := strconv.ParseFloat(line[end+1:], 64)
	if err != nil {
		return "", 0, false
	}
	name, _, _ = strings.Cut(line[:end], "{")
	return name, value, true
}
