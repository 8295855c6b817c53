package httpapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"

	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/kvstore"
)

// SequenceHeader names the sequence at which a request to the key-value store was
// executed.
const SequenceHeader = "Consensus-Sequence"

func (h *handler) getKey(w http.ResponseWriter, r *http.Request) {
	// A browser asks any page's questions; each would be a vertex.
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		h.fail(w, &Error{status: http.StatusForbidden, Message: "another site's page asks"})
		return
	}
	a, ok := h.execute(w, r, kvstore.Get(r.PathValue("key")))
	switch {
	case !ok:
	case !a.Done:
		h.fail(w, &Error{status: http.StatusNotFound, Message: "there is no such key"})
	default:
		h.answerValue(w, http.StatusOK, a.Value)
	}
}

func (h *handler) putKey(w http.ResponseWriter, r *http.Request) {
	value, err := h.readBody(w, r)
	if err != nil {
		h.fail(w, err)
		return
	}
	o, err := putOf(r, string(value))
	if err != nil {
		h.fail(w, err)
		return
	}
	a, ok := h.execute(w, r, o)
	switch {
	case !ok:
	case a.Done:
		w.WriteHeader(http.StatusNoContent)
	case a.Present:
		h.answerValue(w, http.StatusPreconditionFailed, a.Value)
	default:
		h.fail(w, &Error{status: http.StatusPreconditionFailed, Message: "there is no such key"})
	}
}

// putOf is a Put, or with a condition a CompareAndSwap.
func putOf(r *http.Request, value string) (kvstore.Operation, error) {
	key, query := r.PathValue("key"), r.URL.Query()
	none := r.Header.Get("If-None-Match")
	switch {
	case none != "" && none != "*":
		return kvstore.Operation{}, badRequest("If-None-Match: %.40q is not *", none)
	case none != "" && query.Has("expect"):
		return kvstore.Operation{}, badRequest("If-None-Match and ?expect= contradict each other")
	case none != "":
		return kvstore.CompareAndSwap(key, nil, value), nil
	case query.Has("expect"):
		expect, err := base64.StdEncoding.DecodeString(query.Get("expect"))
		if err != nil {
			return kvstore.Operation{}, badRequest("expect= is no base64: %v", err)
		}
		text := string(expect)
		return kvstore.CompareAndSwap(key, &text, value), nil
	}
	return kvstore.Put(key, value), nil
}

func (h *handler) deleteKey(w http.ResponseWriter, r *http.Request) {
	a, ok := h.execute(w, r, kvstore.Delete(r.PathValue("key")))
	switch {
	case !ok:
	case a.Done:
		w.WriteHeader(http.StatusNoContent)
	default:
		h.fail(w, &Error{status: http.StatusNotFound, Message: "there is no such key"})
	}
}

// execute has an operation executed and says where; when ok is false the request
// is answered.
func (h *handler) execute(w http.ResponseWriter, r *http.Request, o kvstore.Operation) (a kvstore.Answer, ok bool) {
	if _, err := o.Encode(); err != nil {
		h.fail(w, badRequest("%v", err))
		return a, false
	}
	wait, err := waitOf(r)
	if err != nil {
		h.fail(w, err)
		return a, false
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), wait, errWaited)
	defer cancel()
	a, receipt, err := kvstore.Do(ctx, h.door, replica.Vertex{}, o)
	if err != nil {
		h.fail(w, fmt.Errorf("key %.80q: %w", r.PathValue("key"), err))
		return a, false
	}
	w.Header().Set(SequenceHeader, strconv.FormatUint(uint64(receipt.Seq), 10))
	return a, true
}

func (h *handler) answerValue(w http.ResponseWriter, status int, value string) {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if _, err := w.Write([]byte(value)); err != nil {
		h.log.Debug().Err(err).Msg("a client left before its answer")
	}
}
