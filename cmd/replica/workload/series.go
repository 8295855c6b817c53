package workload

import (
	"context"
	"time"
)

// Interval is one part of the window of measurement, as long as Options.Series.
type Interval struct {
	// Seconds is when it ended, from when the window opened.
	Seconds           float64 `json:"seconds"`
	VerticesPerSecond float64 `json:"vertices_per_second"`
	// Finality is of the vertices that were final in it, whenever they were due.
	Finality Finality `json:"finality_ms"`
	Usage    Usage    `json:"usage"`
}

// Usage is what a target holds at a moment.
type Usage struct {
	MemoryBytes int64 `json:"memory_bytes,omitempty"`
	DiskBytes   int64 `json:"disk_bytes,omitempty"`
	// View counts the leaders there were.
	View uint64 `json:"view"`
}

// watch cuts the window in intervals until ctx ends. The last one may be shorter, or
// it is left out where less than half of it is there: the end of the window and the
// last tick come in any order.
func (r *run) watch(ctx context.Context) (series []Interval) {
	tick := time.NewTicker(r.o.Series)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			if now := time.Now(); r.record.sinceCut(now) >= r.o.Series/2 {
				series = append(series, r.interval(now))
			}
			return series
		case now := <-tick.C:
			series = append(series, r.interval(now))
		}
	}
}

// interval is what was since the last one.
func (r *run) interval(now time.Time) Interval {
	part := r.record.cut(now)
	i := Interval{
		Seconds: part.to.Sub(r.record.from).Seconds(), Finality: part.latencies.finality(),
		VerticesPerSecond: ratio(float64(part.vertices), part.to.Sub(part.from).Seconds()),
	}
	if r.o.Usage != nil {
		i.Usage = r.o.Usage()
	}
	return i
}

// part is what was final in an interval.
type part struct {
	from, to  time.Time
	vertices  int
	latencies Latencies
}

// cut ends an interval and begins the next one.
func (r *recorder) cut(now time.Time) part {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.part
	p.to = now
	r.part = part{from: now}
	return p
}

// sinceCut is how long the interval is that has begun.
func (r *recorder) sinceCut(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Sub(r.part.from)
}
