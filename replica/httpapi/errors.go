package httpapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// Error is the body of every answer that is not a success.
type Error struct {
	Message string `json:"error"`
	Hint    string `json:"hint,omitempty"`
	// Vertices are the hashes of what was taken and may become final all the same, in
	// the order proposed.
	Vertices []messages.Digest `json:"vertices,omitempty"`

	status int
}

func (e *Error) Error() string { return e.Message }

func badRequest(format string, args ...any) *Error {
	return &Error{status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

// readingError is an error of reading what the replica keeps. Unless it says that
// there is no such thing, the replica is at fault, and not the request.
type readingError struct{ cause error }

func (e *readingError) Error() string { return e.cause.Error() }
func (e *readingError) Unwrap() error { return e.cause }

// errorOf says what a proposal's error is in HTTP. None of them changed the
// replica's state but a NotFinalError, whose vertices stay proposed.
func errorOf(err error) *Error {
	var (
		own      *Error
		tooLarge *replica.TooLargeError
		untaken  *replica.NotProposedError
		notFinal *replica.NotFinalError
		failed   *replica.FailedError
	)
	if errors.As(err, &own) {
		return own
	}
	e := &Error{Message: err.Error(), status: http.StatusBadRequest}
	if errors.As(err, new(*readingError)) {
		e.status, e.Hint = http.StatusInternalServerError, "this replica cannot read what it keeps: look at its log and its disk, and ask another one"
	}
	waited := errors.As(err, &notFinal)
	if waited {
		e.Vertices = notFinal.Vertices
	}
	switch {
	case errors.Is(err, replica.ErrTrimmed) && !isUnknown(err):
		e.status, e.Hint = http.StatusGone, "ask another replica: it may keep more of the ledger"
	case errors.Is(err, replica.ErrSkipped):
		e.status, e.Hint = http.StatusConflict, "ask another replica for the receipt, "+whereOf(e.Vertices)
	case errors.As(err, &tooLarge):
		e.status = http.StatusRequestEntityTooLarge
	case isUnknown(err):
		e.status, e.Hint = http.StatusNotFound, "ask another replica: this one may be behind"
	case errors.Is(err, replica.ErrPoolFull):
		e.status = http.StatusTooManyRequests
	case errors.Is(err, replica.ErrNoMember):
		e.status = http.StatusNotFound
	case waited && notFinal.Lost():
		e.status = http.StatusServiceUnavailable
		e.Hint = "the outcome is unknown: ask another replica " + whereOf(e.Vertices) +
			"; proposing it there again is safe with the same creator, nonce and expires: it executes once at most"
	case errors.Is(err, replica.ErrStopped):
		e.status, e.Hint = http.StatusServiceUnavailable, "propose at another replica"
	case errors.Is(err, replica.ErrHalted):
		e.status, e.Hint = http.StatusServiceUnavailable, "propose at another replica; this one needs its operator"
	case errors.As(err, &untaken):
		e.status, e.Hint = http.StatusGatewayTimeout, "send it again: nothing was taken"
	case errors.Is(err, messages.ErrUnsigned):
		e.Hint = "send an authorisation along: replica propose --key does, and docs/operating.md shows how"
	case errors.Is(err, messages.ErrUncalledFor):
		e.Hint = "propose it without its authorisation"
	case errors.As(err, &failed):
		e.status = http.StatusUnprocessableEntity
	case waited:
		e.status = http.StatusGatewayTimeout
		switch need := notFinal.Quorum - 1; {
		case notFinal.Connected < need:
			e.Hint = fmt.Sprintf("start %d more members, or find out why they cannot connect", need-notFinal.Connected)
		case notFinal.Voting < need:
			e.Hint = fmt.Sprintf("%d more members have to vote: /v1/status says which do not, and why", need-notFinal.Voting)
		default:
			e.Hint = "wait longer with ?wait=, and look at /v1/status"
		}
		e.Hint += "; ask for it later " + whereOf(e.Vertices)
	case errors.Is(err, errWaited):
		e.status = http.StatusGatewayTimeout
	}
	return e
}

// whereOf says where vertices are to be asked for.
func whereOf(vertices []messages.Digest) string {
	if len(vertices) == 1 {
		return "with GET /v1/receipts/" + vertices[0].Hex()
	}
	return "with GET /v1/receipts/ and each of the vertices listed"
}
