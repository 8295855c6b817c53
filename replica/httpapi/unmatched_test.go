package httpapi

import (
	"encoding/json"
	"net/http"
	"testing"
)

// What the API does not have is refused like anything else: as JSON.
func TestUnmatchedRequestsAreRefusedAsJSON(t *testing.T) {
	h := newTestHandler(newFakeDoor())
	for _, test := range []struct {
		method, target string
		status         int
		part, allow    string
	}{
		{http.MethodGet, "/v2/vertices", http.StatusNotFound, "nothing at /v2/vertices", ""},
		{http.MethodGet, "/", http.StatusNotFound, "nothing at /", ""},
		{http.MethodGet, "/v1/kv/k", http.StatusNotFound, "nothing at /v1/kv/k", ""}, // unless it is what runs
		{http.MethodDelete, "/v1/status", http.StatusMethodNotAllowed, "DELETE is no method of /v1/status", "GET, HEAD"},
		{http.MethodPut, "/v1/vertices", http.StatusMethodNotAllowed, "allowed: POST", "POST"},
	} {
		w := serve(h, newRequest(t, test.method, test.target))
		expect(t, w, test.status, test.part)
		var e Error
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Message == "" || e.Hint == "" {
			t.Errorf("%s %s: %s is no error of the API: %v", test.method, test.target, w.Body, err)
		}
		if got := w.Header().Get("Content-Type"); got != "application/json" || w.Header().Get("Allow") != test.allow {
			t.Errorf("%s %s: content type %q, allow %q", test.method, test.target, got, w.Header().Get("Allow"))
		}
	}
}
