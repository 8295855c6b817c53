package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// fakeDoor answers what a test wants and keeps what it was given.
type fakeDoor struct {
	proposed []replica.Vertex
	propose  func(context.Context) error // decides every proposal; nil accepts
	status   replica.Status
	bans     []replica.Ban
	lifted   []messages.Index
	evidence []*messages.Evidence
	ready    string // why not; empty if ready
	done     chan struct{}
	err      error
	registry *prometheus.Registry
	ledger   []*messages.Batch // of sequence 1 on; nil is the null batch
	result   replica.Result    // of every proposal
	trimmed  messages.Seq      // the ledger begins behind it
	damage   error             // of the disk that has the ledger
}

func newFakeDoor() *fakeDoor {
	return &fakeDoor{done: make(chan struct{}), registry: prometheus.NewRegistry()}
}

func (d *fakeDoor) ProposeAll(ctx context.Context, vertices []replica.Vertex) ([]replica.Receipt, error) {
	d.proposed = append(d.proposed, vertices...)
	if d.propose != nil {
		if err := d.propose(ctx); err != nil {
			return nil, err
		}
	}
	receipts := make([]replica.Receipt, len(vertices))
	for i := range receipts {
		receipts[i] = replica.Receipt{
			Vertex: messages.Digest{1, byte(i)}, Seq: 7, View: 3, Batch: messages.Digest{2}, Position: uint32(i), Result: d.result,
		}
	}
	return receipts, nil
}

func (d *fakeDoor) Submit(_ context.Context, vertices []replica.Vertex) (*replica.Submission, error) {
	done, list := make(chan struct{}), slices.Clone(vertices)
	for i := range list {
		list[i].Payload = slices.Clone(list[i].Payload) // they are the caller's again
	}
	close(done)
	return &replica.Submission{Done: done, Wait: func(ctx context.Context) ([]replica.Receipt, error) { return d.ProposeAll(ctx, list) }}, nil
}

func (d *fakeDoor) Nonces(_ context.Context, creator [32]byte) (replica.Nonces, error) {
	return replica.Nonces{Next: uint64(creator[0]), Base: 1, Window: 64, Sequence: 9}, nil
}

func (d *fakeDoor) Propose(ctx context.Context, v replica.Vertex) (replica.Receipt, error) {
	receipts, err := d.ProposeAll(ctx, []replica.Vertex{v})
	if noOp := (*replica.NoOpError)(nil); errors.As(err, &noOp) {
		return noOp.Receipt, err
	} else if err != nil {
		return replica.Receipt{}, err
	}
	if d.result.Failed {
		return receipts[0], &replica.FailedError{Receipt: receipts[0]}
	}
	return receipts[0], nil
}

func (d *fakeDoor) Status() replica.Status { return d.status }
func (d *fakeDoor) Bans() []replica.Ban    { return append([]replica.Ban{}, d.bans...) }

func (d *fakeDoor) LiftBan(member messages.Index) error {
	if member > 3 {
		return replica.ErrNoMember
	}
	d.lifted = append(d.lifted, member)
	return nil
}

func (d *fakeDoor) Evidence() []*messages.Evidence { return d.evidence }

func (d *fakeDoor) EvidenceFiles() []replica.EvidenceFile {
	files := []replica.EvidenceFile{{Name: "member-1-invalid-new-view-view-5.evidence", Member: 1, Data: []byte("proof")}}
	for _, e := range d.evidence {
		data, err := messages.EncodeFrame(e)
		if err != nil {
			panic(err)
		}
		files = append(files, replica.EvidenceFile{Name: e.FileName(), Member: e.Member, Data: data})
	}
	return files
}

func (d *fakeDoor) Find(hash messages.Digest) (*replica.Found, error) {
	if d.damage != nil {
		return nil, d.damage
	}
	for i, batch := range d.ledger {
		for k := 0; batch != nil && k < batch.Len(); k++ {
			if batch.VertexHash(k) == hash {
				return &replica.Found{
					Receipt: replica.Receipt{Vertex: hash, Seq: messages.Seq(i + 1), Position: uint32(k), Batch: batch.Digest(), Result: d.result},
					Vertex:  batch.Vertex(k), Batch: batch,
					Certificate: []*messages.Bundle{{Votes: []messages.Vote{{Kind: messages.Commit, Seq: messages.Seq(i + 1), Digest: batch.Digest()}}, Signature: []byte{1}}},
				}, nil
			}
		}
	}
	if d.trimmed > 0 {
		return nil, fmt.Errorf("vertex %s: %w", hash.Hex(), &replica.TrimmedError{First: d.trimmed + 1})
	}
	return nil, fmt.Errorf("vertex %s: %w", hash.Hex(), replica.ErrUnknownVertex)
}

func (d *fakeDoor) ProofOf(hash messages.Digest) (*messages.FinalityProof, error) {
	f, err := d.Find(hash)
	if err != nil {
		return nil, err
	}
	return f.Proof(messages.Digest{77}), nil
}

func (d *fakeDoor) Batch(seq messages.Seq) (*messages.Decided, *messages.Batch, error) {
	if d.damage != nil {
		return nil, nil, d.damage
	}
	if seq <= d.trimmed {
		return nil, nil, &replica.TrimmedError{Seq: seq, First: d.trimmed + 1}
	}
	if int(seq) > len(d.ledger) {
		return nil, nil, replica.ErrNotExecuted
	}
	batch := d.ledger[seq-1]
	if batch == nil {
		return &messages.Decided{Seq: seq, View: 2, Digest: messages.NullDigest}, nil, nil
	}
	return &messages.Decided{Seq: seq, View: 1, Digest: batch.Digest()}, batch, nil
}

func (d *fakeDoor) CurrentSequence() messages.Seq { return messages.Seq(len(d.ledger)) }
func (d *fakeDoor) FirstSequence() messages.Seq   { return d.trimmed + 1 }

func (d *fakeDoor) Ready() (bool, string)         { return d.ready == "", d.ready }
func (d *fakeDoor) Done() <-chan struct{}         { return d.done }
func (d *fakeDoor) Err() error                    { return d.err }
func (d *fakeDoor) Metrics() *prometheus.Registry { return d.registry }

// bodyBytesMax is what the tests' handlers take.
const bodyBytesMax = 4096

func newTestHandler(d *fakeDoor) http.Handler {
	return NewHandler(d, Options{BodyBytesMax: bodyBytesMax, Metrics: true})
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func newRequest(t *testing.T, method, target string) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody)
}

// post proposes a body of a content type.
func post(t *testing.T, h http.Handler, target, contentType string, body io.Reader) *httptest.ResponseRecorder {
	t.Helper()
	r := newRequest(t, http.MethodPost, target)
	r.Body = io.NopCloser(body)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return serve(h, r)
}

func get(t *testing.T, h http.Handler, target string) *httptest.ResponseRecorder {
	t.Helper()
	return serve(h, newRequest(t, http.MethodGet, target))
}

// expect compares an answer's status, and looks for a part of its body.
func expect(t *testing.T, w *httptest.ResponseRecorder, status int, part string) {
	t.Helper()
	if w.Code != status || !strings.Contains(w.Body.String(), part) {
		t.Errorf("got %d %s, want %d and %q", w.Code, w.Body, status, part)
	}
}
