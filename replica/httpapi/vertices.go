package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// Receipt says where a vertex stands in the ledger.
type Receipt struct {
	Vertex   messages.Digest `json:"vertex"`
	Sequence messages.Seq    `json:"sequence"`
	Position uint32          `json:"position"`
	View     messages.View   `json:"view"`
	Batch    messages.Digest `json:"batch"`
	// NoOp is why the vertex was executed as a no-op; empty if it took effect.
	NoOp string `json:"no_op,omitempty"`
	// Failed says that the application executed the vertex and made it a failure,
	// without effect; Reason says why, at the replica and the time of its execution.
	Failed bool   `json:"failed,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Result is the application's answer, likewise.
	Result []byte `json:"result,omitempty"` // base64
}

// The time a request waits for its receipts.
const (
	waitDefault = 30 * time.Second
	waitMax     = 5 * time.Minute
)

// waitOf reads ?wait=5s.
func waitOf(r *http.Request) (time.Duration, error) {
	text := r.URL.Query().Get("wait")
	if text == "" {
		return waitDefault, nil
	}
	wait, err := time.ParseDuration(text)
	if err != nil || wait <= 0 || wait > waitMax {
		return 0, badRequest("wait=%q is no duration above 0 and at most %v, as 500ms or 10s", text, waitMax)
	}
	return wait, nil
}

// errWaited is why waiting ended if nobody gave up earlier.
var errWaited = errors.New("the time to wait is over")

func (h *handler) postVertices(w http.ResponseWriter, r *http.Request) {
	wait, err := waitOf(r)
	if err != nil {
		h.fail(w, err)
		return
	}
	vertices, many, err := h.readVertices(w, r)
	if err != nil {
		h.fail(w, err)
		return
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), wait, errWaited)
	defer cancel()
	if many {
		receipts, err := h.door.ProposeAll(ctx, vertices)
		if err != nil {
			h.fail(w, err)
			return
		}
		list := make([]Receipt, len(receipts))
		for i, receipt := range receipts {
			list[i] = receiptOf(receipt)
		}
		h.answer(w, http.StatusOK, list)
		return
	}
	receipt, err := h.door.Propose(ctx, vertices[0])
	noOp, failed := (*replica.NoOpError)(nil), (*replica.FailedError)(nil)
	if err != nil && !errors.As(err, &noOp) && !errors.As(err, &failed) {
		h.fail(w, err)
		return
	}
	h.answer(w, http.StatusOK, receiptOf(receipt))
}

func receiptOf(r replica.Receipt) Receipt {
	receipt := Receipt{Vertex: r.Vertex, Sequence: r.Seq, Position: r.Position, View: r.View, Batch: r.Batch}
	if r.Outcome != 0 {
		receipt.NoOp = r.Outcome.String()
	}
	if r.Result.Failed {
		receipt.Failed, receipt.Reason = true, strings.ToValidUTF8(r.Result.Data, "?")
	} else if r.Result.Data != "" {
		receipt.Result = []byte(r.Result.Data)
	}
	return receipt
}

// readVertices reads a body of either type. many says that it was an array.
func (h *handler) readVertices(w http.ResponseWriter, r *http.Request) (vertices []replica.Vertex, many bool, err error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && kind != "application/octet-stream" {
		return nil, false, &Error{
			status:  http.StatusUnsupportedMediaType,
			Message: fmt.Sprintf("the content type is %q", r.Header.Get("Content-Type")),
			Hint:    "send the payload as application/octet-stream, or a vertex as application/json",
		}
	}
	body, err := h.readBody(w, r)
	if err != nil {
		return nil, false, err
	}
	if kind == "application/octet-stream" {
		vertices, err := rawVertex(r, body)
		return vertices, false, err
	}
	return parseVertices(body)
}

// readBody reads a body, up to its bound.
func (h *handler) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.bodyBytesMax))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, &Error{
			status:  http.StatusRequestEntityTooLarge,
			Message: fmt.Sprintf("the body has more than %d bytes", h.bodyBytesMax),
			Hint:    "propose less at once; max_body_bytes in node.toml sets the bound",
		}
	} else if err != nil {
		return nil, badRequest("read the body: %v", err)
	}
	return body, nil
}

// decode is strict: a misspelt field that is silently ignored would be a
// setting its sender believes in.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	var syntax *json.SyntaxError
	switch err := d.Decode(into); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return badRequest("broken JSON: it ends within the vertex, after %d bytes", len(body))
	case errors.As(err, &syntax):
		return badRequest("broken JSON at byte %d: %v", syntax.Offset, err)
	case err != nil:
		return badRequest("no vertex: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return badRequest("broken JSON at byte %d: something follows the vertex", d.InputOffset())
	}
	return nil
}
