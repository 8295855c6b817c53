package httpapi

import (
	"fmt"
	"net/http"
)

// unmatched answers what no pattern of the API matches with an Error, as any
// other refusal; net/http would answer in plain text.
func unmatched(mux *http.ServeMux, h *handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		standard, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		c := &statusOnly{header: w.Header()}
		standard.ServeHTTP(c, r) // sets Allow
		e := &Error{status: c.status, Message: "there is nothing at " + r.URL.Path, Hint: "the API is under /v1; look at /v1/status"}
		if c.status == http.StatusMethodNotAllowed {
			e.Message = fmt.Sprintf("%s is no method of %s", r.Method, r.URL.Path)
			e.Hint = "allowed: " + w.Header().Get("Allow")
		}
		h.fail(w, e)
	})
}

// statusOnly keeps an answer's status and headers, and drops its body.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) WriteHeader(status int)      { s.status = status }
func (s *statusOnly) Write(b []byte) (int, error) { return len(b), nil }
