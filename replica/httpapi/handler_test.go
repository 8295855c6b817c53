package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// TestStatus: what a replica says of itself survives the way to a client.
func TestStatus(t *testing.T) {
	d := newFakeDoor()
	d.status = replica.Status{
		Replica: 2, ChainID: "chain", View: 3, Leader: 3, Sequence: 99, HighestSequence: 101, Pending: 7, StableCheckpoint: 64, Vertices: 1000,
		LedgerHead: messages.Digest{5}, Peers: []replica.PeerStatus{{Replica: 1, Name: "b", Connected: true, Reputation: 0.5, Banned: true}},
	}
	w := get(t, newTestHandler(d), "/v1/status")
	var got replica.Status
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || !reflect.DeepEqual(got, d.status) {
		t.Errorf("got %s (%v)", w.Body, err)
	}
	for _, key := range []string{
		"replica", "chain_id", "view", "leader", "is_leader", "sequence", "highest_sequence", "stable_checkpoint", "vertices", "pending", "ledger_head",
		"peers",
		"connected", "reputation", "banned",
	} {
		if !strings.Contains(w.Body.String(), `"`+key+`":`) {
			t.Errorf("no %s in %s", key, w.Body)
		}
	}
}

func TestHealth(t *testing.T) {
	d := newFakeDoor()
	h := newTestHandler(d)
	both := func(health int, healthText string, ready int, readyText string) {
		t.Helper()
		expect(t, get(t, h, "/healthz"), health, healthText)
		expect(t, get(t, h, "/readyz"), ready, readyText)
	}
	both(200, "ok", 200, "ok")
	d.ready = "too few members"
	both(200, "ok", 503, `"too few members"`)
	d.status.Halted = "the state differs"
	both(503, `"the state differs"`, 503, "")
	close(d.done)
	both(503, `"stopped"`, 503, "")
	d.err = errors.New("the disk is full")
	both(503, `"the disk is full"`, 503, "")
}

func TestMetrics(t *testing.T) {
	d := newFakeDoor()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "things_total"})
	d.registry.MustRegister(counter)
	counter.Inc()
	expect(t, get(t, newTestHandler(d), "/metrics"), http.StatusOK, "things_total 1")
	expect(t, get(t, NewHandler(d, Options{BodyBytesMax: 1}), "/metrics"), http.StatusNotFound, "")
}

// TestLocalOnly: a page whose name was made to point at this machine still
// sends its own name.
func TestLocalOnly(t *testing.T) {
	h := NewHandler(newFakeDoor(), Options{BodyBytesMax: bodyBytesMax, LocalOnly: true})
	for host, status := range map[string]int{
		"127.0.0.1:7001": 200, "localhost:7001": 200, "[::1]:7001": 200, "127.0.0.1": 200, "127.8.9.1:80": 200,
		"example.com": 403, "example.com:7001": 403, "localhost.example.com": 403, "192.0.2.1:7001": 403, "": 403, "0.0.0.0:7001": 403,
	} {
		r := newRequest(t, http.MethodGet, "/v1/status")
		r.Host = host
		if w := serve(h, r); w.Code != status {
			t.Errorf("host %q: got %d, want %d", host, w.Code, status)
		}
	}
	expect(t, get(t, newTestHandler(newFakeDoor()), "http://example.com/v1/status"), http.StatusOK, "")
}

// TestLimit: one request too many is sent away, and let in when another left.
func TestLimit(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	d := newFakeDoor()
	d.propose = func(context.Context) error { entered <- struct{}{}; <-leave; return nil }
	h := &handler{door: &serialDoor{fakeDoor: d}, bodyBytesMax: bodyBytesMax}
	limited := limit(2, http.HandlerFunc(h.postVertices), h)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			expect(t, post(t, limited, "/v1/vertices", rawType, strings.NewReader("x")), http.StatusOK, "")
		})
		<-entered
	}
	expect(t, post(t, limited, "/v1/vertices", rawType, strings.NewReader("x")), http.StatusServiceUnavailable, "too many requests")
	close(leave)
	both.Wait()
	d.propose = nil
	expect(t, post(t, limited, "/v1/vertices", rawType, strings.NewReader("x")), http.StatusOK, "")
}

// serialDoor lets several requests wait in a fakeDoor.
type serialDoor struct {
	*fakeDoor
}

func (d *serialDoor) Propose(ctx context.Context, _ replica.Vertex) (replica.Receipt, error) {
	if d.propose == nil {
		return replica.Receipt{}, nil
	}
	return replica.Receipt{}, d.propose(ctx)
}

func TestWrongMethodsAndPaths(t *testing.T) {
	h := newTestHandler(newFakeDoor())
	expect(t, get(t, h, "/v1/vertices"), http.StatusMethodNotAllowed, "")
	expect(t, get(t, h, "/"), http.StatusNotFound, "")
	expect(t, post(t, h, "/v1/status", jsonType, strings.NewReader("{}")), http.StatusMethodNotAllowed, "")
}
