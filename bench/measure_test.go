package main

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/cretoai/consensus/cmd/replica/workload"
)

// TestSystems measures each system for a moment. measure fails unless every member of
// it has applied just what was answered.
func TestSystems(t *testing.T) {
	o, err := parse([]string{"--outstanding", "64", "--warmup", "0.05", "--seconds", "60", "--allow-tmpfs", "--dir", t.TempDir()}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.load.Vertices = 300
	for _, s := range o.systems {
		t.Run(s.Name, func(t *testing.T) {
			result, err := measure(t.Context(), s, o)
			if err != nil {
				t.Fatal(err)
			}
			if result.Vertices < 300 || result.Finality.P50 <= 0 || result.Spent.Sequences <= 0 || result.CPUSecondsPerMillion <= 0 {
				t.Errorf("measured %+v", result)
			}
		})
	}
}

// forgetful is a cluster that answers everything and whose members apply all but some.
type forgetful struct{ applied, lost uint64 }

func (*forgetful) Doors() int                        { return 1 }
func (*forgetful) Leader() int                       { return 0 }
func (*forgetful) Count() (workload.Counters, error) { return workload.Counters{}, nil }
func (*forgetful) Stop() error                       { return nil }

func (f *forgetful) Submit(_ context.Context, _ int, payloads [][]byte) ([]uint64, error) {
	f.applied += uint64(len(payloads))
	return make([]uint64, len(payloads)), nil
}

func (f *forgetful) Agree(context.Context) (uint64, error) { return f.applied - f.lost, nil }

// TestLossIsNoticed: a figure of what was answered and not applied is no figure.
func TestLossIsNoticed(t *testing.T) {
	o := options{
		dir: t.TempDir(), allowTmpfs: true,
		load: workload.Options{Outstanding: 1, Payload: 1, Vertices: 10, Duration: time.Minute},
	}
	for lost, want := range []string{"", "answered"} {
		s := system{Name: "forgetful", start: func(context.Context, string, options) (cluster, error) {
			return &forgetful{lost: uint64(lost)}, nil
		}}
		switch _, err := measure(t.Context(), s, o); {
		case want == "" && err != nil:
			t.Errorf("%d lost: %v", lost, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%d lost: %v", lost, err)
		}
	}
}
