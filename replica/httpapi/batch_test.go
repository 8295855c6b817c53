package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

var formats = []Format{Msgpack, Lines}

// openBatch opens a batch at a handler behind a real connection.
func openBatch(t *testing.T, h http.Handler, format Format, wait time.Duration) *Batch {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenBatch(t.Context(), server.Client(), base, format, wait)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func send(t *testing.T, b *Batch, vertices ...replica.Vertex) {
	t.Helper()
	if err := errors.Join(b.Append(vertices), b.Flush()); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, b *Batch) (r BatchReceipt) {
	t.Helper()
	if err := b.Receive(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestBatchIsADialogue: a receipt comes as soon as its vertex is final, while the batch
// goes on, in the order of the vertices, and every field of a vertex arrives.
func TestBatchIsADialogue(t *testing.T) {
	for _, format := range formats {
		d := newFakeDoor()
		d.result = replica.Result{Data: "answer"}
		b := openBatch(t, NewHandler(d, Options{BodyBytesMax: 1 << 20}), format, 0)
		whole := replica.Vertex{
			Payload: []byte("whole"), Creator: [32]byte{8}, Nonce: 1 << 40, Timestamp: -5, Expires: 12, Parents: []messages.Digest{{9}, {7}},
		}
		vertices := []replica.Vertex{{Payload: []byte("hello")}, whole, {Payload: []byte(`"}`), Timestamp: 1}, {Payload: bytes.Repeat([]byte{0xff}, 200<<10)}}
		for i, v := range vertices {
			send(t, b, v)
			want := BatchReceipt{Index: uint64(i), Status: StatusFinal, Vertex: messages.Digest{1}, Sequence: 7, Detail: []byte("answer")}
			if got := receive(t, b); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: vertex %d: %+v, want %+v", format.ContentType(), i, got, want)
			}
		}
		signed := signedVertices(t, 40)
		send(t, b, signed[:35]...)
		for i := range 35 {
			if got := receive(t, b); got.Index != uint64(4+i) || got.Position != uint32(i) {
				t.Fatalf("%s: signed vertex %d: %+v", format.ContentType(), i, got)
			}
		}
		if err := b.End(); err != nil {
			t.Fatal(err)
		}
		if err := b.Receive(new(BatchReceipt)); !errors.Is(err, io.EOF) {
			t.Errorf("%s: after the last receipt: %v", format.ContentType(), err)
		}
		if !reflect.DeepEqual(d.proposed[:4], vertices) {
			t.Errorf("%s: proposed %+v", format.ContentType(), d.proposed[:4])
		}
		sameSigned(t, d.proposed[4:], signed[:35])
	}
}

// TestBatchTellsOfEach: one vertex that is refused is told of in its turn, and says
// nothing about the others.
func TestBatchTellsOfEach(t *testing.T) {
	lines := `{"payload":"aGk="}` + "\n\n" + `{"payload":5}` + "\n" + `{"payload":"%"}` + "\r\n" + `{"payload":"aGk="}{}` + "\n" +
		`{"payload":"aGk=","nonce":3}` + "\n" + `[]` + "\n" + `{"payload":"aGk="}`
	d := newFakeDoor()
	w := post(t, newTestHandler(d), "/v1/vertices:batch", Lines.ContentType(), strings.NewReader(lines))
	var statuses []string
	for i, line := range strings.Split(strings.TrimSpace(w.Body.String()), "\n") {
		var index int
		var status string
		if _, err := fmt.Sscanf(line, `{"index":%d,"status":%q`, &index, &status); err != nil || index != i {
			t.Fatalf("line %d is %s", i, line)
		}
		statuses = append(statuses, status)
	}
	want := []string{StatusFinal, StatusMalformed, StatusMalformed, StatusMalformed, StatusMalformed, StatusMalformed, StatusFinal}
	if !reflect.DeepEqual(statuses, want) || len(d.proposed) != 2 {
		t.Errorf("told %v, want %v; proposed %+v", statuses, want, d.proposed)
	}
	if !strings.Contains(w.Body.String(), `"reason":"vertex 0: creator and nonce come together`) {
		t.Errorf("no reason in %s", w.Body)
	}
}

// TestBatchStatuses: what became of vertices, and why they were refused.
func TestBatchStatuses(t *testing.T) {
	for status, err := range map[string]error{
		StatusTooLarge:  &replica.TooLargeError{Bytes: 9, BytesMax: 8},
		StatusSignature: &replica.SignatureError{Cause: messages.ErrUnsigned},
		StatusNotFinal:  &replica.NotFinalError{Missing: 1, Cause: errWaited},
		StatusStopped:   waited(&replica.HaltedError{Reason: "the state differs"}),
		StatusSkipped:   waited(replica.ErrSkipped),
		StatusInvalid:   replica.ErrEmptyPayload,
		StatusMalformed: errCut,
	} {
		var r BatchReceipt
		if r.refuse(err, StatusInvalid); r.Status != status || len(r.Detail) == 0 {
			t.Errorf("%v is told as %s: %s", err, r.Status, r.Detail)
		}
	}
	for status, receipt := range map[string]replica.Receipt{
		StatusFinal: {Seq: 1}, "repeated": {Seq: 1, Outcome: 1}, "nonce_spent": {Seq: 1, Outcome: 2}, "too_many_creators": {Seq: 1, Outcome: 6},
		StatusFailed: {Seq: 1, Result: replica.Result{Failed: true, Data: "no"}},
	} {
		var r BatchReceipt
		if r.settle(&receipt); r.Status != status {
			t.Errorf("%+v is told as %s", receipt, r.Status)
		}
	}
	d := newFakeDoor()
	d.propose = func(context.Context) error { return replica.ErrStopped }
	w := post(t, newTestHandler(d), "/v1/vertices:batch", Lines.ContentType(), strings.NewReader(`{"payload":"aGk="}`))
	if want := `{"index":0,"status":"stopped","reason":"the replica has stopped"}` + "\n"; w.Body.String() != want {
		t.Errorf("told %s", w.Body)
	}
}

func TestBatchRefusals(t *testing.T) {
	h := newTestHandler(newFakeDoor())
	expect(t, post(t, h, "/v1/vertices:batch", jsonType, strings.NewReader("[]")), http.StatusUnsupportedMediaType, "application/msgpack or application/x-ndjson")
	expect(t, post(t, h, "/v1/vertices:batch?wait=1h", Lines.ContentType(), strings.NewReader("[]")), http.StatusBadRequest, "at most 5m0s")
	server := httptest.NewServer(h)
	defer server.Close()
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	var refused *RefusedError
	if _, err := OpenBatch(t.Context(), server.Client(), base, Lines, time.Hour); !errors.As(err, &refused) || !strings.Contains(refused.Cause.Message, "5m0s") {
		t.Errorf("refused with %v", err)
	}
	expect(t, get(t, h, "/v1/vertices:batch"), http.StatusMethodNotAllowed, "POST")
}

// heldDoor takes vertices and finalises none until it is told to.
type heldDoor struct {
	*fakeDoor
	taken atomic.Int64
	open  chan struct{}
}

func (d *heldDoor) Submit(_ context.Context, vertices []replica.Vertex) (*replica.Submission, error) {
	n := len(vertices)
	d.taken.Add(int64(n))
	return &replica.Submission{Done: d.open, Wait: func(ctx context.Context) ([]replica.Receipt, error) {
		receipts := make([]replica.Receipt, n)
		select {
		case <-d.open:
			for i := range receipts {
				receipts[i] = replica.Receipt{Seq: 1}
			}
			return receipts, nil
		case <-ctx.Done():
			for i := range receipts {
				receipts[i].Vertex = waitedFor
			}
			return receipts, &replica.NotFinalError{Missing: n, Cause: context.Cause(ctx)}
		}
	}}, nil
}

// lineSource gives as many vertices as are read, up to a number.
type lineSource struct {
	left int
	rest []byte
	read int
}

func (s *lineSource) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.left == 0 {
			return 0, io.EOF
		}
		n := min(s.left, 500)
		s.left -= n
		s.rest = bytes.Repeat([]byte(`{"payload":"aGk="}`+"\n"), n)
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	s.read += n
	return n, nil
}

// stuckWriter is a client that takes nothing before it is told to.
type stuckWriter struct {
	*httptest.ResponseRecorder
	open chan struct{}
}

func (w *stuckWriter) Write(p []byte) (int, error) {
	<-w.open
	return w.ResponseRecorder.Write(p)
}

// TestBatchReadsNoFurther than what it may have on its way: while nothing becomes
// final, and while the client takes no receipts. Then all is answered.
func TestBatchReadsNoFurther(t *testing.T) {
	const vertices = 100_000
	for name, stuck := range map[string]bool{"nothing is final": false, "nothing is taken": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &heldDoor{fakeDoor: newFakeDoor(), open: make(chan struct{})}
				w := &stuckWriter{httptest.NewRecorder(), make(chan struct{})}
				hold, other := w.open, d.open
				if !stuck {
					hold, other = d.open, w.open
				}
				close(other)
				source := &lineSource{left: vertices}
				r := newRequest(t, http.MethodPost, "/v1/vertices:batch?wait=5m")
				r.Header.Set("Content-Type", Lines.ContentType())
				r.Body = io.NopCloser(source)
				done := make(chan struct{})
				go func() {
					defer close(done)
					NewHandler(d, Options{BodyBytesMax: bodyBytesMax}).ServeHTTP(w, r)
				}()
				synctest.Wait()
				// Receipts that are written and lie in the buffer are no longer ahead.
				if taken := d.taken.Load(); taken > aheadVerticesMax+4*groupVerticesMax || taken < groupVerticesMax || source.left == 0 {
					t.Errorf("%d vertices were taken and %d not read while nothing moved", taken, source.left)
				}
				close(hold)
				<-done
				if got := bytes.Count(w.Body.Bytes(), []byte(`"status":"final"`)); got != vertices {
					t.Errorf("%d receipts of %d", got, vertices)
				}
			})
		})
	}
}

// TestBatchWaitsSoLong and no longer; what is not final then is told so.
func TestBatchWaitsSoLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &heldDoor{fakeDoor: newFakeDoor(), open: make(chan struct{})}
		begin := time.Now()
		w := post(t, NewHandler(d, Options{BodyBytesMax: bodyBytesMax}), "/v1/vertices:batch?wait=3s", Lines.ContentType(), &lineSource{left: 5000})
		if got := bytes.Count(w.Body.Bytes(), []byte(`"status":"not_final","vertex":"`+waitedFor.Hex()+`","reason":`)); got != 5000 || time.Since(begin) != 3*time.Second {
			t.Errorf("%d were told not to be final after %v", got, time.Since(begin))
		}
	})
}

// TestBatchEndsWithTheReplica although its client is silent.
func TestBatchEndsWithTheReplica(t *testing.T) {
	d := newFakeDoor()
	b := openBatch(t, newTestHandler(d), Msgpack, 0)
	send(t, b, replica.Vertex{Payload: []byte("hello")})
	receive(t, b)
	close(d.done)
	if err := b.Receive(new(BatchReceipt)); !errors.Is(err, io.EOF) {
		t.Errorf("the batch ends with %v", err)
	}
}
