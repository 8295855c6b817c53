package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

const (
	jsonType = "application/json"
	rawType  = "application/octet-stream"
)

func TestProposeRaw(t *testing.T) {
	d := newFakeDoor()
	w := post(t, newTestHandler(d), "/v1/vertices", rawType, strings.NewReader("[hello"))
	if want := []replica.Vertex{{Payload: []byte("[hello")}}; !reflect.DeepEqual(d.proposed, want) {
		t.Errorf("proposed %+v", d.proposed)
	}
	var got Receipt
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d: %v", w.Code, err)
	}
	if want := (Receipt{Vertex: messages.Digest{1}, Sequence: 7, View: 3, Batch: messages.Digest{2}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

// TestProposeJSON: every field arrives, and an array is answered by an array.
func TestProposeJSON(t *testing.T) {
	parent, creator := messages.Digest{9}, messages.Digest{8}
	whole := fmt.Sprintf(`{"payload":"aGk=","parents":[%q],"creator":%q,"nonce":0,"timestamp":-5,"expires":12}`, parent.Hex(), creator.Hex())
	want := replica.Vertex{
		Payload: []byte("hi"), Parents: []messages.Digest{parent}, Creator: creator, Timestamp: -5, Expires: 12,
	}
	d := newFakeDoor()
	expect(t, post(t, newTestHandler(d), "/v1/vertices", jsonType+"; charset=utf-8", strings.NewReader(whole)), http.StatusOK, `{"vertex":"01`)
	w := post(t, newTestHandler(d), "/v1/vertices", jsonType, strings.NewReader("\n ["+whole+`,{"payload":"aGk="}]`))
	var receipts []Receipt
	if err := json.Unmarshal(w.Body.Bytes(), &receipts); err != nil || len(receipts) != 2 || receipts[1].Position != 1 {
		t.Errorf("got %s (%v)", w.Body, err)
	}
	if all := []replica.Vertex{want, want, {Payload: []byte("hi")}}; !reflect.DeepEqual(d.proposed, all) {
		t.Errorf("proposed %+v", d.proposed)
	}
	expect(t, post(t, newTestHandler(d), "/v1/vertices", jsonType, strings.NewReader("[]")), http.StatusOK, "[]")
}

// TestBadRequests: nothing of them reaches the replica.
func TestBadRequests(t *testing.T) {
	tests := []struct {
		name, target, contentType, body string
		status                          int
		want                            string
	}{
		{"no content type", "", "", "hello", 415, "send the payload as application/octet-stream"},
		{"a form", "", "application/x-www-form-urlencoded", "hello", 415, `the content type is \"application/x-www`},
		{"text, as pages may send anywhere", "", "text/plain", `{"payload":"aGk="}`, 415, "text/plain"},
		{"half a vertex", "", jsonType, `{"payload":"aG`, 400, "it ends within the vertex, after 14 bytes"},
		{"no JSON", "", jsonType, "", 400, "it ends within"},
		{"a syntax error", "", jsonType, `{"payload":}`, 400, "broken JSON at byte 12"},
		{"two vertices", "", jsonType, `{"payload":"aGk="}{"payload":"aGk="}`, 400, "something follows the vertex"},
		{"a field misspelt", "", jsonType, `{"payload":"aGk=","parent":[]}`, 400, `unknown field \"parent\"`},
		{"a payload of a number", "", jsonType, `{"payload":5}`, 400, "no vertex: json: cannot unmarshal number"},
		{"no base64", "", jsonType, `{"payload":"%"}`, 400, "illegal base64"},
		{"a short parent", "", jsonType, `{"payload":"aGk=","parents":["00"]}`, 400, "a digest has 64 hexadecimal digits, not 2"},
		{"a negative nonce", "", jsonType, `{"payload":"aGk=","nonce":-1}`, 400, "cannot unmarshal number -1"},
		{"a nonce of nobody", "", jsonType, `[{"payload":"aGk="},{"payload":"aGk=","nonce":1}]`, 400, "vertex 1: creator and nonce come together"},
		{"a creator of zeros", "", jsonType, fmt.Sprintf(`{"payload":"aGk=","creator":%q,"nonce":1}`, messages.Digest{}.Hex()), 400, "not all zeros"},
		{"too much", "", rawType, strings.Repeat("x", bodyBytesMax+1), 413, "more than 4096 bytes"},
		{"waiting for ever", "?wait=1h", rawType, "hello", 400, "at most 5m0s"},
		{"waiting backwards", "?wait=-1s", rawType, "hello", 400, "above 0"},
		{"waiting for a number", "?wait=5", rawType, "hello", 400, "no duration"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newFakeDoor()
			expect(t, post(t, newTestHandler(d), "/v1/vertices"+test.target, test.contentType, strings.NewReader(test.body)), test.status, test.want)
			if len(d.proposed) > 0 {
				t.Errorf("proposed %+v", d.proposed)
			}
		})
	}
}

func TestLargestBody(t *testing.T) {
	d := newFakeDoor()
	expect(t, post(t, newTestHandler(d), "/v1/vertices", rawType, strings.NewReader(strings.Repeat("x", bodyBytesMax))), http.StatusOK, "vertex")
	if len(d.proposed) != 1 || len(d.proposed[0].Payload) != bodyBytesMax {
		t.Errorf("proposed %d vertices", len(d.proposed))
	}
}

// endless counts what is read of a body without an end.
type endless struct{ read int }

func (e *endless) Read(b []byte) (int, error) { e.read += len(b); return len(b), nil }

// TestEndlessBodyIsNotRead: a body without a length is refused as well, without
// reading on.
func TestEndlessBodyIsNotRead(t *testing.T) {
	body := &endless{}
	expect(t, post(t, newTestHandler(newFakeDoor()), "/v1/vertices", rawType, body), http.StatusRequestEntityTooLarge, "max_body_bytes")
	if body.read > 4*bodyBytesMax {
		t.Errorf("%d bytes were read of a body of at most %d", body.read, bodyBytesMax)
	}
}

var waitedFor = messages.Digest{0xab}

// waited is the error of waiting for one vertex that was taken.
func waited(cause error) error {
	return &replica.NotFinalError{Missing: 1, Vertices: []messages.Digest{waitedFor}, Connected: 3, Quorum: 3, Cause: cause}
}

func TestProposalErrors(t *testing.T) {
	tests := []struct {
		err    error
		status int
		want   string
	}{
		{replica.ErrEmptyPayload, 400, "the payload is empty"},
		{&replica.TooLargeError{Bytes: 9, BytesMax: 8}, 413, "at most 8 fit"},
		{fmt.Errorf("vertex 3: %w", &replica.TooLargeError{Bytes: 9, BytesMax: 8}), 413, "vertex 3: "},
		{replica.ErrPoolFull, 429, "retry"},
		{replica.ErrStopped, 503, `"hint":"propose at another replica"`},
		{&replica.HaltedError{Reason: "the state differs"}, 503, "the state differs"},
		{&replica.NotProposedError{Cause: errWaited}, 504, "nothing was taken"},
		{replica.ErrNonceAlone, 400, "a nonce without a creator"},
		{&replica.NotFinalError{Missing: 1, Connected: 1, Voting: 1, Quorum: 3, Cause: errWaited}, 504, `"hint":"start 1 more member`},
		{&replica.NotFinalError{Missing: 1, Connected: 2, Voting: 1, Quorum: 3, Cause: errWaited}, 504, `"hint":"1 more members have to vote`},
		{&replica.NotFinalError{Missing: 1, Connected: 2, Voting: 2, Quorum: 3, Cause: errWaited}, 504, "wait longer"},
		{waited(errWaited), 504, "ask for it later with GET /v1/receipts/" + waitedFor.Hex()},
		{waited(errWaited), 504, `"vertices":["` + waitedFor.Hex() + `"]`},
		{waited(replica.ErrStopped), 503, "the outcome is unknown: ask another replica with GET /v1/receipts/" + waitedFor.Hex()},
		{waited(replica.ErrStopped), 503, "safe with the same creator, nonce and expires"},
		{waited(&replica.HaltedError{Reason: "the state differs"}), 503, `"vertices":["` + waitedFor.Hex() + `"]`},
		{waited(replica.ErrSkipped), 409, "for the receipt, with GET /v1/receipts/" + waitedFor.Hex()},
		{errors.New("a vertex has at most 16 parents"), 400, "16 parents"},
	}
	for _, test := range tests {
		d := newFakeDoor()
		d.propose = func(context.Context) error { return test.err }
		for _, body := range []string{`{"payload":"aGk="}`, `[{"payload":"aGk="}]`} {
			w := post(t, newTestHandler(d), "/v1/vertices", jsonType, strings.NewReader(body))
			expect(t, w, test.status, test.want)
			if got := w.Header().Get("Retry-After"); (got != "") != (test.status == http.StatusTooManyRequests) {
				t.Errorf("%v: Retry-After %q", test.err, got)
			}
		}
	}
}

// TestNoOpIsNoError: the vertex has its place in the ledger and must not be
// proposed again.
func TestNoOpIsNoError(t *testing.T) {
	d := newFakeDoor()
	d.propose = func(context.Context) error { return &replica.NoOpError{Receipt: replica.Receipt{Seq: 4, Outcome: 1}} }
	w := post(t, newTestHandler(d), "/v1/vertices", rawType, strings.NewReader("hello"))
	expect(t, w, http.StatusOK, `"sequence":4,`)
	expect(t, w, http.StatusOK, `"no_op":"repeated"`)
}

// TestWaitIsOver: the replica is told why the wait ended, and when.
func TestWaitIsOver(t *testing.T) {
	d := newFakeDoor()
	d.propose = func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }
	expect(t, post(t, newTestHandler(d), "/v1/vertices?wait=1ms", rawType, strings.NewReader("hello")), http.StatusGatewayTimeout, errWaited.Error())

	d.propose = func(ctx context.Context) error {
		deadline, ok := ctx.Deadline()
		if left := time.Until(deadline); !ok || left > waitDefault || left < waitDefault-10*time.Second {
			t.Errorf("a request that does not say waits until %v", deadline)
		}
		return nil
	}
	expect(t, post(t, newTestHandler(d), "/v1/vertices", rawType, strings.NewReader("hello")), http.StatusOK, "vertex")
}

// TestClientLeaves: nobody waits for an answer nobody reads.
func TestClientLeaves(t *testing.T) {
	entered, left := make(chan struct{}), make(chan error, 1)
	d := newFakeDoor()
	d.propose = func(ctx context.Context) error {
		close(entered)
		<-ctx.Done()
		left <- context.Cause(ctx)
		return ctx.Err()
	}
	server := httptest.NewServer(newTestHandler(d))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/v1/vertices?wait=5m", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", rawType)
	go func() { <-entered; cancel() }()
	response, err := server.Client().Do(r)
	if err == nil {
		response.Body.Close()
		t.Error("answered")
	}
	if cause := <-left; errors.Is(cause, errWaited) {
		t.Errorf("the wait ended because of %v", cause)
	}
}
