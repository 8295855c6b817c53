package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/cretoai/consensus/cmd/replica/workload"
)

// measured is a report of three rounds, each half as fast as the one before, of both:
// ratios that are not taken round by round would be anything.
func measured(t *testing.T) *report {
	t.Helper()
	o, err := parse([]string{"--systems", "replicas,raft"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	r := newReport(o)
	for round, ratio := range []float64{4, 3, 5} {
		speed := float64(int(800) >> round)
		result := func(throughput float64) *workload.Result {
			return &workload.Result{VerticesPerSecond: throughput, Finality: workload.Finality{P50: 1.5, P99: 3}, CPUSecondsPerMillion: 20}
		}
		r.Systems[0].Rounds = append(r.Systems[0].Rounds, result(ratio*speed))
		r.Systems[1].Rounds = append(r.Systems[1].Rounds, result(speed))
	}
	r.Systems[0].Rounds[1].Spent.ViewChanges = 1
	r.sum()
	return r
}

func TestReport(t *testing.T) {
	r := measured(t)
	for _, test := range []struct {
		format format
		want   []string
	}{
		{formatText, []string{
			"1500 outstanding of 128 bytes, submitted 23 together at the leader, flushed; medians of 3 rounds of 10 s\n",
			"\nhashicorp/raft     4  crash      nothing                400 (200–800)         1.50    3.00    0      20.0       4.00 (3.00–5.00)\n",
			"In round 2 the view of CretoAI Consensus changed 1 times",
		}},
		{formatMarkdown, []string{
			"| system | n | survives |", "\n|---|---|---|",
			"\n| CretoAI Consensus | 4 | Byzantine | ML-DSA-87, mutual TLS | 1200 (1000–3200) | 1.50 | 3.00 | 0 | 20.0 | – |\n",
			"\n| hashicorp/raft | 4 | crash | nothing | 400 (200–800) | 1.50 | 3.00 | 0 | 20.0 | 4.00 (3.00–5.00) |\n",
		}},
	} {
		var out bytes.Buffer
		if err := r.write(&out, test.format); err != nil {
			t.Fatal(err)
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("format %d lacks %q:\n%s", test.format, want, &out)
			}
		}
	}
	var out bytes.Buffer
	if err := r.write(&out, formatJSON); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Submit  string
		Systems []struct {
			Name   string
			Rounds []workload.Result
			Ratio  workload.Spread `json:"ours_to_this"`
		}
	}
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Submit != "leader" || len(back.Systems) != 2 || back.Systems[1].Name != "raft" || len(back.Systems[1].Rounds) != 3 || back.Systems[1].Ratio.Median != 4 {
		t.Errorf("the JSON has %+v", back)
	}
}

func TestComplaints(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"--submit all", "raft takes payloads at its leader alone"},
		{"--submit all --systems replicas,comet", ""},
		{"--submit some", "--submit some"},
		{"--systems etcd", "there are replicas, optimistic, raft, raft3, comet"},
		{"--replicas 3", "--replicas 3"},
		{"--rounds 0", "--rounds"},
		{"--outstanding 0", "outstanding"},
		{"--json --markdown", "one of them"},
		{"twice", `"twice" is no flag`},
	} {
		_, err := parse(strings.Fields(test.args), io.Discard)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.args, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v", test.args, err)
		}
	}
}
