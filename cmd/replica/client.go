package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/replica/httpapi"
)

// client talks to a replica's HTTP API.
type client struct {
	base *url.URL
	http http.Client
}

const apiDefault = "http://127.0.0.1:7001" // replica 0 of a default test network

func addAPIFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "api", apiDefault, "URL of the replica's HTTP API")
}

func newClient(api string) (*client, error) {
	base, err := url.Parse(api)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, hint(fmt.Errorf("--api %q is no URL", api), "write it as %s", apiDefault)
	}
	return &client{base: base}, nil
}

// answerGrace is what the network may take beyond the time a request waits for
// its receipts; answerBytesMax bounds what is read of an answer.
const (
	answerGrace    = 10 * time.Second
	answerBytesMax = 64 << 20
)

// propose sends a body and decodes the receipt, or the receipts.
func (c *client) propose(ctx context.Context, contentType string, body []byte, wait time.Duration, into any) error {
	query := url.Values{"wait": {wait.String()}}.Encode()
	return c.do(ctx, http.MethodPost, "/v1/vertices", query, contentType, body, wait, into)
}

func (c *client) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, "", "", nil, 0, into)
}

func (c *client) do(ctx context.Context, method, path, query, contentType string, body []byte, wait time.Duration, into any) error {
	ctx, cancel := context.WithTimeout(ctx, wait+answerGrace)
	defer cancel()
	target := c.base.JoinPath(path)
	target.RawQuery = query
	request, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return unanswered(method, fmt.Errorf("ask the replica: %w", err))
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax))
	if err != nil {
		return unanswered(method, fmt.Errorf("read the replica's answer: %w", err))
	}
	if response.StatusCode != http.StatusOK {
		return refusal(response.Status, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return hint(fmt.Errorf("the answer is not a replica's: %w", err), "is %s the HTTP API of a replica?", c.base)
	}
	return nil
}

// unanswered is an error of a request that has no answer: what was sent may have been
// taken, unless nobody listens there.
func unanswered(method string, err error) error {
	if method != http.MethodPost || errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return hint(err, "the outcome is unknown, for the replica may have taken what was sent; proposed again, it is another vertex")
}

// refusal is the error the API answered with, with its own hint.
func refusal(status string, answer []byte) error {
	var e httpapi.Error
	if err := json.Unmarshal(answer, &e); err != nil || e.Message == "" {
		return fmt.Errorf("the replica answered %s: %.200s", status, strings.ToValidUTF8(string(answer), "?"))
	}
	err := errors.New("the replica answered: " + e.Message)
	if e.Hint != "" {
		return hint(err, "%s", e.Hint)
	}
	return err
}
