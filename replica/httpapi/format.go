package httpapi

import (
	"mime"

	"github.com/cretoai/consensus/messages"
)

// Format is how a batch's vertices and receipts are written.
type Format uint8

// The formats.
const (
	// Msgpack is one value after the other. A vertex is one of
	//
	//	a bin: the payload of a vertex that names no creator
	//	an array of 6: payload, creator (bin, empty or of 32 bytes), nonce, expires,
	//	    timestamp, array of parents (bin of 32 bytes)
	//	an array of 2: vertices in their fixed layout one after the other, and the
	//	    authorisation that replica.Authorisation gives for them; bin both
	//
	// and a receipt an array of 6: index, status (str), vertex (bin, empty if there is
	// none), sequence, position, detail (bin).
	Msgpack Format = iota + 1
	// Lines is one JSON object a line: a Vertex or a Group, and a BatchReceipt.
	Lines
)

// ContentType is the media type that names the format.
func (f Format) ContentType() string {
	if f == Msgpack {
		return "application/msgpack"
	}
	return "application/x-ndjson"
}

// formatOf reads a Content-Type.
func formatOf(contentType string) (Format, bool) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return 0, false
	}
	switch kind {
	case "application/msgpack", "application/vnd.msgpack", "application/x-msgpack":
		return Msgpack, true
	case "application/x-ndjson":
		return Lines, true
	}
	return 0, false
}

// The bounds of a batch. One value, or line, has at most as many bytes as the body
// of another request, and its vertices are at most those of one signature.
const (
	// groupVerticesMax and groupBytesMax say when vertices go to the replica together
	// though more have arrived.
	groupVerticesMax = messages.GroupVerticesMax
	groupBytesMax    = 256 << 10
	// aheadVerticesMax and aheadGroupsMax bound what one stream has on its way: beyond,
	// nothing is read until receipts are taken.
	aheadVerticesMax = 8 * groupVerticesMax
	aheadGroupsMax   = 256
	// streamBufferBytes is what is read, and written, at a time.
	streamBufferBytes = 64 << 10
)

// BatchReceipt is the short answer to one vertex of a batch.
type BatchReceipt struct {
	// Index is the vertex's place in the batch, from 0 on.
	Index uint64 `json:"index"`
	// Status says what became of it, see the constants.
	Status string `json:"status"`
	// Vertex is its hash, once it was taken: with it a vertex that has no sequence is
	// asked for later, here or at another replica.
	Vertex   messages.Digest `json:"vertex,omitzero"`
	Sequence messages.Seq    `json:"sequence,omitempty"`
	Position uint32          `json:"position,omitempty"`
	// Detail is the application's answer if the status is final, in base64 in JSON,
	// and otherwise the reason, as text.
	Detail []byte `json:"-"`
}

// What becomes of a vertex. Others are those of pbft.Outcome, with underscores: the
// vertex has its place in the ledger and had no effect.
const (
	StatusFinal  = "final"  // executed, now or when it was proposed first
	StatusFailed = "failed" // executed, and the application made it a failure

	// It was refused, and may be proposed again once it is right.
	StatusMalformed = "malformed" // not read; in msgpack the batch ends with it
	StatusInvalid   = "invalid"
	StatusTooLarge  = "too_large"
	StatusSignature = "signature" // none, a bad one, or one that is not called for

	// It may be final later, or elsewhere: proposing the same again is safe if it
	// names its creator.
	StatusNotFinal = "not_final"
	StatusStopped  = "stopped" // the replica has stopped, or halted
	StatusSkipped  = "skipped"
	StatusError    = "error" // see the detail
)
