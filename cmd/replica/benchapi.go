package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/cretoai/consensus/cmd/replica/local"
	"github.com/cretoai/consensus/cmd/replica/workload"
	"github.com/cretoai/consensus/metrics"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/httpapi"
)

// apiTarget is a running cluster under load by its HTTP API.
type apiTarget struct {
	clients []*client
	leader  int  // of clients
	counted bool // the replicas serve metrics
}

// apiConnections is how many connections to one replica are kept open while
// nothing is sent on them; there is no bound on those in use.
const apiConnections = 1024

// apiWait is how long one request may wait for its receipts.
const apiWait = time.Minute

// measureAPIs measures a cluster that runs elsewhere.
func (o benchOptions) measureAPIs(narration io.Writer) measure {
	return func(ctx context.Context, _ int) (*workload.Result, error) {
		api, err := newAPITarget(ctx, o.api, narration)
		if err != nil {
			return nil, err
		}
		target := &benchTarget{replicas: api}
		if o.creator.sign { // before there are batches, which end when nothing is sent
			chain, err := api.chain(ctx, o.scheme)
			if err != nil {
				return nil, err
			}
			if target.supply, err = o.presign(ctx, chain, narration); err != nil {
				return nil, err
			}
		}
		by, closeAll, err := newAPIProposer(ctx, api.clients, o.format)
		if err != nil {
			return nil, err
		}
		defer closeAll()
		target.by = by
		return o.run(ctx, target, "", narration)
	}
}

// newAPITarget asks every replica how it is.
func newAPITarget(ctx context.Context, urls []string, narration io.Writer) (*apiTarget, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, apiConnections
	t := &apiTarget{leader: -1, counted: true}
	for i, url := range urls {
		c, err := newClient(url)
		if err != nil {
			return nil, err
		}
		c.http.Transport = transport
		var s replica.Status
		if err := c.get(ctx, "/v1/status", &s); err != nil {
			return nil, fmt.Errorf("%s: %w", url, err)
		}
		if s.IsLeader {
			t.leader = i
		}
		t.clients = append(t.clients, c)
	}
	if _, err := t.Count(); err != nil {
		fmt.Fprintf(narration, "what the replicas spend is not shown: %v\n", err)
		t.counted = false
	}
	return t, nil
}

// Doors implements workload.Target.
func (t *apiTarget) Doors() int { return len(t.clients) }

// Leader implements workload.Target.
func (t *apiTarget) Leader() int { return t.leader }

// apiRequests proposes by POST /v1/vertices, a request for each group.
type apiRequests struct{ clients []*client }

// Propose implements proposer.
func (a apiRequests) Propose(ctx context.Context, door int, vertices []replica.Vertex) ([]uint64, error) {
	group, err := httpapi.NewGroup(vertices)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(group)
	if err != nil {
		return nil, err
	}
	var receipts []httpapi.Receipt
	if err := a.clients[door].propose(ctx, "application/json", body, apiWait, &receipts); err != nil {
		return nil, err
	}
	sequences := make([]uint64, len(receipts))
	for i, r := range receipts {
		if r.NoOp != "" || r.Failed {
			return nil, fmt.Errorf("vertex %v was executed without effect: %s%s", r.Vertex, r.NoOp, r.Reason)
		}
		sequences[i] = uint64(r.Sequence)
	}
	return sequences, nil
}

// Count implements workload.Target.
func (t *apiTarget) Count() (workload.Counters, error) {
	var sum workload.Counters
	if !t.counted {
		return sum, nil
	}
	for _, c := range t.clients {
		totals, err := c.totals()
		if err != nil {
			return workload.Counters{}, err
		}
		local.AddTotals(&sum, totals)
	}
	return sum, nil
}

// totals reads a replica's metrics.
func (c *client) totals() (metrics.Totals, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerGrace)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.JoinPath("/metrics").String(), nil)
	if err != nil {
		return metrics.Totals{}, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return metrics.Totals{}, fmt.Errorf("ask the replica for its metrics: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return metrics.Totals{}, hint(fmt.Errorf("the replica's metrics: %s", response.Status), "metrics.enabled in node.toml serves them")
	}
	return metrics.ReadTotals(io.LimitReader(response.Body, answerBytesMax))
}
