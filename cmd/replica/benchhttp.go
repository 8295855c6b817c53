package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/cretoai/consensus/cmd/replica/local"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/httpapi"
)

// The ways in which vertices travel over HTTP.
const (
	formatMsgpack = "msgpack" // streams, POST /v1/vertices:batch
	formatLines   = "ndjson"  // likewise
	formatJSON    = "json"    // a request for each group, POST /v1/vertices
)

// serveAPIs serves the APIs of a cluster of this process, as "replica start" does, and
// gives their URLs.
func serveAPIs(ctx context.Context, c *local.Cluster) (urls []string, stop func() error, err error) {
	var servers []*http.Server
	stop = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		var errs []error
		for _, s := range servers {
			errs = append(errs, s.Shutdown(ctx))
		}
		return errors.Join(errs...)
	}
	var listening net.ListenConfig
	for i, r := range c.Replicas {
		listener, err := listening.Listen(ctx, "tcp", c.Homes[i].Config.API.Listen)
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("open the HTTP API of replica %d: %w", i, err), stop())
		}
		server := httpapi.NewServer(r, httpapi.Options{BodyBytesMax: c.Homes[i].Config.API.MaxBodyBytes, LocalOnly: true})
		servers, urls = append(servers, server), append(urls, "http://"+listener.Addr().String())
		go func() { _ = server.Serve(listener) }() // it ends by Shutdown
	}
	return urls, stop, nil
}

// newAPIProposer proposes over HTTP. close ends what it has open.
func newAPIProposer(ctx context.Context, clients []*client, format string) (by proposer, closeAll func(), err error) {
	if format == formatJSON {
		return apiRequests{clients}, func() {}, nil
	}
	streams := &apiStreams{}
	f := httpapi.Msgpack
	if format == formatLines {
		f = httpapi.Lines
	}
	for _, c := range clients {
		var doors []*stream
		for range streamsPerDoor {
			s, err := openStream(ctx, c, f)
			if err != nil {
				streams.close()
				return nil, nil, fmt.Errorf("%s: %w", c.base, err)
			}
			doors = append(doors, s)
		}
		streams.doors = append(streams.doors, doors)
	}
	return streams, streams.close, nil
}

// chain asks the first replica which chain it is on, to sign for it.
func (t *apiTarget) chain(ctx context.Context, scheme string) (chainOf, error) {
	var s replica.Status
	if err := t.clients[0].get(ctx, "/v1/status", &s); err != nil {
		return chainOf{}, err
	}
	if !s.RequireVertexSignatures {
		return chainOf{}, hint(errors.New("the vertices of this chain are not signed"), "leave --creator-signatures out, or start a chain of testnet --require-vertex-signatures")
	}
	return chainOf{s.Genesis, scheme, s.Sequence}, nil
}

// openHTTP opens the APIs of a cluster of this process, and proposes there.
func (o benchOptions) openHTTP(ctx context.Context, t *local.Target) (by proposer, stop func() error, err error) {
	urls, stopServing, err := serveAPIs(ctx, t.Cluster)
	if err != nil {
		return nil, nil, err
	}
	api, err := newAPITarget(ctx, urls, io.Discard)
	if err != nil {
		return nil, nil, errors.Join(err, stopServing())
	}
	by, closeAll, err := newAPIProposer(ctx, api.clients, o.format)
	if err != nil {
		return nil, nil, errors.Join(err, stopServing())
	}
	return by, func() error {
		closeAll()
		api.clients[0].http.CloseIdleConnections()
		return stopServing()
	}, nil
}
