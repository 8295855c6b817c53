package local

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/cmd/replica/home"
	"github.com/cretoai/consensus/cmd/replica/workload"
	"github.com/cretoai/consensus/replica"
)

// TestTarget: what a target says it spent is what four replicas must spend, and
// all replicas execute what was submitted at one.
func TestTarget(t *testing.T) {
	tuned := make([]bool, 4)
	target, err := StartTarget(t.Context(), Options{
		Replicas: 4, Scheme: "ml-dsa-44", Dir: filepath.Join(t.TempDir(), "net"), Log: zerolog.Nop(), Version: "test",
		Tune: func(i int, _ *home.Home, c *replica.Config) ([]replica.Option, error) {
			tuned[i] = true
			return nil, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var _ workload.Target = target
	if fmt.Sprint(tuned) != "[true true true true]" {
		t.Errorf("tuned: %v", tuned)
	}
	before, err := target.Count()
	if err != nil {
		t.Fatal(err)
	}
	sequences, err := target.Submit(t.Context(), target.Leader(), [][]byte{[]byte("one"), []byte("two")})
	if err != nil || len(sequences) != 2 {
		t.Fatalf("finalised at %v, %v", sequences, err)
	}
	if err := target.Agree(t.Context()); err != nil {
		t.Error(err)
	}
	for i, s := range target.Statuses() {
		if s.Vertices != 2 {
			t.Errorf("replica %d has executed %d vertices", i, s.Vertices)
		}
	}
	after, err := target.Count()
	if err != nil {
		t.Fatal(err)
	}
	// A quorum of three that votes twice, each vote flushed and signed.
	if after.Flushes-before.Flushes < 6 || after.Signatures-before.Signatures < 6 || after.Messages <= before.Messages || after.NetworkBytes <= before.NetworkBytes {
		t.Errorf("spent %+v, and before %+v", after, before)
	}
	if err := target.Stop(); err != nil {
		t.Error(err)
	}
}
