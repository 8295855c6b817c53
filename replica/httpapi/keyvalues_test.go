package httpapi

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/kvstore"
)

// kvDoor executes what is proposed at once, by a real store.
type kvDoor struct {
	*fakeDoor
	t   *testing.T
	app replica.StateMachine
	seq messages.Seq
}

func (d *kvDoor) Propose(_ context.Context, v replica.Vertex) (replica.Receipt, error) {
	m := messages.Vertex{Payload: v.Payload, Creator: [32]byte{1}}
	b, err := m.Encode()
	if err != nil {
		d.t.Fatal(err)
	}
	view, _, err := messages.ParseVertex(b)
	if err != nil {
		d.t.Fatal(err)
	}
	d.seq++
	ops := []replica.Operation{{Hash: view.Hash(), Vertex: view}}
	d.app.Apply(d.seq, ops)
	receipt := replica.Receipt{Seq: d.seq, Result: ops[0].Result}
	if receipt.Result.Failed {
		return receipt, &replica.FailedError{Receipt: receipt}
	}
	return receipt, nil
}

// ask sends one request; header is "Name: value", or nothing.
func ask(t *testing.T, h http.Handler, method, target, body, header string) *httptest.ResponseRecorder {
	t.Helper()
	r := newRequest(t, method, target)
	r.Body = io.NopCloser(strings.NewReader(body))
	if name, value, ok := strings.Cut(header, ": "); ok {
		r.Header.Set(name, value)
	}
	return serve(h, r)
}

func TestKeyValues(t *testing.T) {
	h := NewHandler(&kvDoor{fakeDoor: newFakeDoor(), t: t, app: kvstore.New()}, Options{BodyBytesMax: 200 << 10, KeyValues: true})
	expecting := func(value string) string {
		return "?expect=" + strings.NewReplacer("+", "%2B", "/", "%2F").Replace(base64.StdEncoding.EncodeToString([]byte(value)))
	}
	long := strings.Repeat("k", kvstore.KeyBytesMax)
	for i, c := range []struct {
		method, target, body, header string
		status                       int
		want                         string // the whole body of a success, part of an error's
	}{
		{"GET", "a", "", "", 404, "no such key"},
		{"PUT", "a", "1\x00\xff", "", 204, ""},
		{"GET", "a", "", "", 200, "1\x00\xff"},
		{"PUT", "a", "", "", 204, ""},
		{"GET", "a", "", "", 200, ""},
		{"PUT", "a", "2", "If-None-Match: *", 412, ""},
		{"PUT", "a" + expecting("other"), "2", "", 412, ""},
		{"PUT", "a" + expecting(""), "2", "", 204, ""},
		{"PUT", "a" + expecting("\xfb\xff"), "3", "", 412, "2"},
		{"PUT", "b" + expecting(""), "3", "", 412, "no such key"},
		{"PUT", "b", "3", "If-None-Match: *", 204, ""},
		{"DELETE", "a", "", "", 204, ""},
		{"DELETE", "a", "", "", 404, "no such key"},
		{"GET", "a", "", "", 404, "no such key"},
		{"PUT", "with/slash%20and%2Fmore%00", "x", "", 204, ""},
		{"GET", "with/slash%20and/more%00", "", "", 200, "x"},
		{"PUT", long, "x", "", 204, ""},
		{"PUT", long + "k", "x", "", 400, "a key has 1 to 1024 bytes"},
		{"GET", "", "", "", 400, "a key has 1 to 1024 bytes, not 0"},
		{"PUT", "v", strings.Repeat("v", kvstore.ValueBytesMax), "", 204, ""},
		{"PUT", "v", strings.Repeat("v", kvstore.ValueBytesMax+1), "", 400, "a value has at most"},
		{"PUT", "v", strings.Repeat("v", 200<<10+1), "", 413, "the body has more than"},
		{"PUT", "a?expect=%25", "x", "", 400, "expect= is no base64"},
		{"PUT", "a" + expecting(""), "x", "If-None-Match: *", 400, "contradict"},
		{"PUT", "a", "x", "If-None-Match: abc", 400, "is not *"},
		{"PUT", "a?wait=x", "x", "", 400, "wait="},
		{"GET", "a", "", "Sec-Fetch-Site: cross-site", 403, "another site"},
		{"GET", "b", "", "Sec-Fetch-Site: none", 200, "3"},
		{"POST", "a", "x", "", 405, ""},
	} {
		w := ask(t, h, c.method, "/v1/kv/"+c.target, c.body, c.header)
		got := w.Body.String()
		if w.Code != c.status || !strings.Contains(got, c.want) || c.status < 300 && got != c.want {
			t.Errorf("%d: %s %.40s gives %d %.100q, want %d %q", i, c.method, c.target, w.Code, got, c.status, c.want)
		}
		if w.Code < 300 && w.Header().Get(SequenceHeader) == "" {
			t.Errorf("%d: no sequence is told", i)
		}
	}
}

// TestKeyValuesOfAnotherMachine: without the store there is no such path, and
// with another application behind it, its answers are not taken for values.
func TestKeyValuesOfAnotherMachine(t *testing.T) {
	expect(t, get(t, newTestHandler(newFakeDoor()), "/v1/kv/a"), http.StatusNotFound, "")
	failing := kvstore.NewMachine(func(*kvstore.Tx, replica.Operation) (string, error) { panic("always") })
	h := NewHandler(&kvDoor{fakeDoor: newFakeDoor(), t: t, app: failing}, Options{BodyBytesMax: 10, KeyValues: true})
	expect(t, get(t, h, "/v1/kv/a"), http.StatusUnprocessableEntity, "the operation panicked")
	strange := kvstore.NewMachine(func(*kvstore.Tx, replica.Operation) (string, error) { return "hello", nil })
	h = NewHandler(&kvDoor{fakeDoor: newFakeDoor(), t: t, app: strange}, Options{BodyBytesMax: 10, KeyValues: true})
	expect(t, get(t, h, "/v1/kv/a"), http.StatusBadRequest, "no answer of the key-value store")
}
