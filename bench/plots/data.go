package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/cretoai/consensus/cmd/replica/workload"
)

// measurement is what is read of one report of "replica bench --json".
type measurement struct {
	Replicas    int
	Outstanding int
	Payload     int
	Median      struct{ Cluster, Floor *workload.Result }
}

func read(in io.Reader) (list []measurement, err error) {
	for decoder := json.NewDecoder(in); ; {
		var m measurement
		err := decoder.Decode(&m)
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err == nil && m.Median.Cluster == nil {
			err = errors.New("it has no median of a cluster")
		}
		if err != nil {
			return nil, fmt.Errorf("read report %d: %w", len(list)+1, err)
		}
		list = append(list, m)
	}
}

// What the figures have in common: what a chart does not vary is as in the tables.
const (
	usualReplicas    = 4
	usualOutstanding = 1500
	usualPayload     = 128
)

// charts are the figures by the names of their files. Only measurements that differ in
// what a figure varies are in it; one is no series.
func charts(list []measurement) map[string]chart {
	throughput := func(r *workload.Result) float64 { return r.VerticesPerSecond }
	p50 := func(r *workload.Result) float64 { return r.Finality.P50 }
	p99 := func(r *workload.Result) float64 { return r.Finality.P99 }
	cluster := func(m measurement) *workload.Result { return m.Median.Cluster }
	floor := func(m measurement) *workload.Result { return m.Median.Floor }

	load := pick(list, func(m measurement) bool {
		return m.Replicas == usualReplicas && m.Payload == usualPayload && m.Outstanding > 0
	},
		func(m measurement) int { return m.Outstanding })
	scale := pick(list, func(m measurement) bool { return m.Payload == usualPayload && m.Outstanding == usualOutstanding },
		func(m measurement) int { return m.Replicas })
	payload := pick(list, func(m measurement) bool { return m.Replicas == usualReplicas && m.Outstanding == usualOutstanding },
		func(m measurement) int { return m.Payload })
	replicas := func(m measurement) float64 { return float64(m.Replicas) }
	bytes := func(m measurement) float64 { return float64(m.Payload) }
	over := func(y, x func(*workload.Result) float64, of func(measurement) *workload.Result) series {
		return seriesOf(load, of, func(m measurement, r *workload.Result) (float64, float64) { return x(r), y(r) })
	}
	by := func(list []measurement, x func(measurement) float64, of func(measurement) *workload.Result) series {
		return seriesOf(list, of, func(m measurement, r *workload.Result) (float64, float64) { return x(m), r.VerticesPerSecond })
	}
	return map[string]chart{
		"latency": {
			title: "Latency over throughput, 4 replicas, 128 bytes, closed loop", x: axis{name: "vertices/s", zero: true}, y: axis{name: "finality, ms", log: true},
			lines: []line{
				{"replicas, p50", over(p50, throughput, cluster)}, {"replicas, p99", over(p99, throughput, cluster)},
				{"floor, p50", over(p50, throughput, floor)}, {"floor, p99", over(p99, throughput, floor)},
			},
		},
		"scale": {
			title: "Throughput over the number of replicas, 1500 outstanding of 128 bytes", x: axis{name: "replicas"}, y: axis{name: "vertices/s", zero: true},
			lines: []line{{"replicas", by(scale, replicas, cluster)}, {"floor", by(scale, replicas, floor)}},
		},
		"payload": {
			title: "Throughput over the size of payloads, 4 replicas, 1500 outstanding", x: axis{name: "bytes", log: true}, y: axis{name: "vertices/s", zero: true},
			lines: []line{{"replicas", by(payload, bytes, cluster)}, {"floor", by(payload, bytes, floor)}},
		},
	}
}

// pick gives the measurements that are wanted, in the order of what varies: none if
// there is no second value of it, and the last of those with the same.
func pick(list []measurement, wanted func(measurement) bool, varies func(measurement) int) []measurement {
	byValue := map[int]measurement{}
	for _, m := range list {
		if wanted(m) {
			byValue[varies(m)] = m
		}
	}
	if len(byValue) < 2 {
		return nil
	}
	var picked []measurement
	for _, m := range byValue {
		picked = append(picked, m)
	}
	slices.SortFunc(picked, func(a, b measurement) int { return cmp.Compare(varies(a), varies(b)) })
	return picked
}

// seriesOf leaves out measurements without the result, as those without a floor.
func seriesOf(list []measurement, of func(measurement) *workload.Result, at func(measurement, *workload.Result) (x, y float64)) (s series) {
	for _, m := range list {
		if r := of(m); r != nil {
			x, y := at(m, r)
			s = append(s, point{x, y})
		}
	}
	return s
}
