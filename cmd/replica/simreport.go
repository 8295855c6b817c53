package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/sim"
)

// simReport is the outcome of a simulation, as its JSON has it.
type simReport struct {
	Replicas         int           `json:"replicas"`
	From             uint64        `json:"from"`
	Seeds            int           `json:"seeds"`
	Simulated        int           `json:"simulated"`
	Sequences        messages.Seq  `json:"sequences"`
	Vertices         int           `json:"vertices"`
	Crashes          int           `json:"crashes"`
	Views            messages.View `json:"views"`
	Eventful         int           `json:"eventful"`
	SimulatedSeconds float64       `json:"simulated_seconds"`
	ElapsedSeconds   float64       `json:"elapsed_seconds"`
	SeedsPerSecond   float64       `json:"seeds_per_second"`
	SecondsPerSecond float64       `json:"simulated_seconds_per_second"`
	Hash             string        `json:"hash,omitempty"`
	Violation        *simFailure   `json:"violation,omitempty"`
	elapsed          time.Duration
}

// simFailure is the first violation.
type simFailure struct {
	Seed     uint64   `json:"seed"`
	Property string   `json:"property"`
	Detail   string   `json:"detail"`
	Replay   string   `json:"replay"`
	Smaller  string   `json:"smaller,omitempty"`
	Story    []string `json:"story"`
}

func newSimReport(ctx context.Context, o simOptions, s *sweep) (*simReport, error) {
	r := &simReport{Replicas: o.replicas, From: o.from, Seeds: o.seeds, elapsed: s.elapsed}
	all := sha256.New()
	for _, result := range s.results {
		if result == nil {
			continue
		}
		r.Simulated++
		r.Sequences += result.Sequences
		r.Vertices += result.Vertices
		r.Crashes += result.Crashes
		r.Views += result.View
		if result.Eventful() {
			r.Eventful++
		}
		r.SimulatedSeconds += result.Time.Seconds()
		all.Write(result.Hash[:])
	}
	r.ElapsedSeconds = s.elapsed.Seconds()
	r.SeedsPerSecond = float64(r.Simulated) / r.ElapsedSeconds
	r.SecondsPerSecond = r.SimulatedSeconds / r.ElapsedSeconds
	failed := s.violation()
	if failed == nil {
		// Of all runs, in the order of their seeds: equal wherever the same
		// range is simulated by the same version.
		r.Hash = hex.EncodeToString(all.Sum(nil))
		return r, nil
	}
	cfg := o.config(failed.Seed)
	r.Violation = &simFailure{Seed: failed.Seed, Replay: o.command(cfg)}
	smaller, result := cfg, failed
	if o.minimise {
		var err error
		if smaller, result, err = sim.Minimise(ctx, cfg, failed); err != nil {
			return nil, err
		}
	}
	if line := o.command(smaller); line != r.Violation.Replay {
		r.Violation.Smaller = line
	}
	var v *sim.Violation
	if errors.As(result.Err, &v) {
		r.Violation.Property, r.Violation.Detail = v.Property, v.Detail
	}
	r.Violation.Story = result.Story
	return r, nil
}

// verdict is an error if something was violated.
func (r *simReport) verdict() error {
	if r.Violation == nil {
		return nil
	}
	return fmt.Errorf("seed %d violates %q", r.Violation.Seed, r.Violation.Property)
}

// write prints the report as one JSON object, or for people.
func (r *simReport) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	fmt.Fprintf(w, "%d seeds from %d, %d replicas: %d sequences, %d vertices, %d views, %d crashes\n",
		r.Simulated, r.From, r.Replicas, r.Sequences, r.Vertices, r.Views, r.Crashes)
	fmt.Fprintf(w, "%d seeds had %d sequences, a view change and a crash\n", r.Eventful, sim.EventfulSequences)
	fmt.Fprintf(w, "%.0f s in the clusters within %.1f s: %.1f seeds/s\n", r.SimulatedSeconds, r.ElapsedSeconds, r.SeedsPerSecond)
	v := r.Violation
	if v == nil {
		_, err := fmt.Fprintf(w, "no violation; hash of all runs %.16s\n", r.Hash)
		return err
	}
	fmt.Fprintf(w, "\nseed %d, with what it needs to go wrong:\n", v.Seed)
	for _, line := range v.Story {
		fmt.Fprintln(w, " ", line)
	}
	fmt.Fprintf(w, "\nVIOLATED: %s: %s\n\nreplay:  %s\n", v.Property, v.Detail, v.Replay)
	if v.Smaller != "" {
		fmt.Fprintf(w, "smaller: %s\n", v.Smaller)
	}
	return nil
}
