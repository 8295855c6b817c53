package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// Door is what the API needs of a replica; *replica.Replica is one.
type Door interface {
	Propose(context.Context, replica.Vertex) (replica.Receipt, error)
	ProposeAll(context.Context, []replica.Vertex) ([]replica.Receipt, error)
	Submit(context.Context, []replica.Vertex) (*replica.Submission, error)
	Nonces(context.Context, [32]byte) (replica.Nonces, error)
	Find(messages.Digest) (*replica.Found, error)
	ProofOf(messages.Digest) (*messages.FinalityProof, error)
	Batch(messages.Seq) (*messages.Decided, *messages.Batch, error)
	CurrentSequence() messages.Seq
	FirstSequence() messages.Seq
	Status() replica.Status
	Bans() []replica.Ban
	LiftBan(messages.Index) error
	Evidence() []*messages.Evidence
	EvidenceFiles() []replica.EvidenceFile
	Ready() (bool, string)
	Done() <-chan struct{}
	Err() error
	Metrics() *prometheus.Registry
}

// Options of a handler.
type Options struct {
	// BodyBytesMax bounds the body of one request.
	BodyBytesMax int64
	// Metrics serves /metrics.
	Metrics bool
	// LocalOnly refuses requests whose host name is not this machine's loopback.
	// Set it when listening there. Bans can be lifted only then.
	LocalOnly bool
	// KeyValues serves /v1/kv: the replica's application is kvstore.New().
	KeyValues bool
	// Log gets what went wrong on our side.
	Log zerolog.Logger
}

// requestsMax bounds the requests at once, and so the bodies held in memory.
const requestsMax = 512

type handler struct {
	door         Door
	bodyBytesMax int64
	localOnly    bool
	log          zerolog.Logger
}

// NewHandler serves the API of a replica.
func NewHandler(door Door, o Options) http.Handler {
	h := &handler{door: door, bodyBytesMax: o.BodyBytesMax, localOnly: o.LocalOnly, log: o.Log}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/vertices", h.postVertices)
	mux.HandleFunc("POST /v1/vertices:batch", h.postBatch)
	mux.HandleFunc("GET /v1/vertices/{hash}", h.getVertex)
	mux.HandleFunc("GET /v1/creators/{creator}", h.getCreator)
	mux.HandleFunc("GET /v1/receipts/{hash}", h.getReceipt)
	mux.HandleFunc("GET /v1/ledger", h.getLedger)
	if o.KeyValues {
		mux.HandleFunc("GET /v1/kv/{key...}", h.getKey)
		mux.HandleFunc("PUT /v1/kv/{key...}", h.putKey)
		mux.HandleFunc("DELETE /v1/kv/{key...}", h.deleteKey)
	}
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) {
		h.answer(w, http.StatusOK, door.Status())
	})
	mux.HandleFunc("GET /v1/bans", h.getBans)
	mux.HandleFunc("DELETE /v1/bans/{member}", h.deleteBan)
	mux.HandleFunc("GET /v1/evidence", h.listEvidence)
	mux.HandleFunc("GET /v1/evidence/{file}", h.getEvidence)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { h.answerCondition(w, h.health) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { h.answerCondition(w, door.Ready) })
	if o.Metrics {
		mux.Handle("GET /metrics", promhttp.HandlerFor(door.Metrics(), promhttp.HandlerOpts{Registry: door.Metrics()}))
	}
	return limit(requestsMax, local(o.LocalOnly, unmatched(mux, h), h), h)
}

// health is whether the replica works at all; a lack of peers is not its fault.
func (h *handler) health() (healthy bool, reason string) {
	select {
	case <-h.door.Done():
		if err := h.door.Err(); err != nil {
			return false, err.Error()
		}
		return false, "stopped"
	default:
	}
	reason = h.door.Status().Halted
	return reason == "", reason
}

func (h *handler) answerCondition(w http.ResponseWriter, condition func() (bool, string)) {
	if ok, reason := condition(); !ok {
		h.fail(w, &Error{status: http.StatusServiceUnavailable, Message: reason})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if _, err := w.Write([]byte("ok\n")); err != nil {
		h.log.Debug().Err(err).Msg("a client left before its answer")
	}
}

// limit answers 503 at once to more than so many requests at a time.
func limit(most int, next http.Handler, h *handler) http.Handler {
	slots := make(chan struct{}, most)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(w, r)
		default:
			w.Header().Set("Retry-After", "1")
			h.fail(w, &Error{status: http.StatusServiceUnavailable, Message: "too many requests at once: retry"})
		}
	})
}

// local refuses other host names than the loopback's: they are what is left of
// a web page whose name was made to point here.
func local(only bool, next http.Handler, h *handler) http.Handler {
	if !only {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLocal(r.Host) {
			h.fail(w, &Error{
				status: http.StatusForbidden, Message: "this is not the host you asked for",
				Hint: "ask for 127.0.0.1 or localhost",
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocal reports whether a host, with or without a port, is a loopback's.
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

func (h *handler) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		h.log.Debug().Err(err).Msg("a client left before its answer")
	}
}

func (h *handler) fail(w http.ResponseWriter, err error) {
	e := errorOf(err)
	if errors.Is(err, replica.ErrPoolFull) {
		w.Header().Set("Retry-After", "1")
	}
	h.answer(w, e.status, e)
}
