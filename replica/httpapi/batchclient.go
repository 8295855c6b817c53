package httpapi

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// Batch is the client's end of POST /v1/vertices:batch: one goroutine may send while
// another receives. Whoever sends much without receiving is not read any more.
type Batch struct {
	format  Format
	buffer  []byte
	send    *io.PipeWriter
	body    io.ReadCloser
	receive *receiptReader
}

// RefusedError is the API's answer to a request that it refused.
type RefusedError struct {
	Status string // of HTTP
	Cause  Error
}

func (e *RefusedError) Error() string { return e.Status + ": " + e.Cause.Message }

// OpenBatch begins a batch at a replica, whose API is at base. A vertex is waited for
// as long as wait says, or as the API does if it is 0. ctx ends the batch.
func OpenBatch(ctx context.Context, c *http.Client, base *url.URL, format Format, wait time.Duration) (*Batch, error) {
	target := base.JoinPath("/v1/vertices:batch")
	if wait > 0 {
		target.RawQuery = url.Values{"wait": {wait.String()}}.Encode()
	}
	reader, writer := io.Pipe()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), reader)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", format.ContentType())
	response, err := c.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		refused := &RefusedError{Status: response.Status}
		if err := json.NewDecoder(io.LimitReader(response.Body, streamBufferBytes)).Decode(&refused.Cause); err != nil {
			refused.Cause.Message = "no answer of a replica's API"
		}
		_ = writer.CloseWithError(refused)
		return nil, refused
	}
	return &Batch{
		format: format, send: writer, body: response.Body,
		receive: newReceiptReader(format, bufio.NewReaderSize(response.Body, streamBufferBytes)),
	}, nil
}

// Append puts vertices with those that Flush sends. Signed ones, of which all are or
// none is, are at most messages.GroupVerticesMax at a time, see NewGroup.
func (b *Batch) Append(vertices []replica.Vertex) (err error) {
	b.buffer, err = b.format.appendVertices(b.buffer, vertices)
	return err
}

// Flush sends what was appended.
func (b *Batch) Flush() error {
	_, err := b.send.Write(b.buffer)
	b.buffer = b.buffer[:0]
	return err
}

// Receive gives the next receipt. io.EOF says that there are no more.
func (b *Batch) Receive(into *BatchReceipt) error { return b.receive.next(into) }

// End says that nothing more is sent. The receipts of what was sent still come.
func (b *Batch) End() error { return b.send.Close() }

// Close ends the batch. What was sent may become final all the same.
func (b *Batch) Close() error {
	_ = b.send.CloseWithError(context.Canceled)
	return b.body.Close()
}

// appendVertices appends vertices in a format.
func (f Format) appendVertices(to []byte, vertices []replica.Vertex) ([]byte, error) {
	if len(vertices) > 0 && vertices[0].Seal.Group != nil {
		return f.appendGroup(to, vertices)
	}
	for i := range vertices {
		v := &vertices[i]
		if f == Msgpack {
			to = appendVertexValue(to, v)
			continue
		}
		var err error
		if to, err = appendVertexLine(to, v); err != nil {
			return to, err
		}
	}
	return to, nil
}

// bare reports that a vertex has a payload and nothing else.
func bare(v *replica.Vertex) bool {
	return v.Creator == [32]byte{} && v.Nonce == 0 && v.Expires == 0 && v.Timestamp == 0 && len(v.Parents) == 0
}

func appendVertexValue(to []byte, v *replica.Vertex) []byte {
	if bare(v) {
		return appendBin(to, v.Payload)
	}
	creator := v.Creator[:]
	if v.Creator == [32]byte{} {
		creator = nil
	}
	to = appendBin(appendBin(appendArray(to, 6), v.Payload), creator)
	to = appendInt(appendUint(appendUint(to, v.Nonce), uint64(v.Expires)), v.Timestamp)
	to = append(to, codeArray16, 0, byte(min(len(v.Parents), 255)))
	for i := range v.Parents {
		to = appendBin(to, v.Parents[i][:])
	}
	return to
}

func appendVertexLine(to []byte, v *replica.Vertex) ([]byte, error) {
	if bare(v) {
		to = base64.StdEncoding.AppendEncode(append(to, plainBegin...), v.Payload)
		return append(append(to, plainEnd...), '\n'), nil
	}
	line, err := json.Marshal(newVertex(*v))
	return append(append(to, line...), '\n'), err
}

func (f Format) appendGroup(to []byte, vertices []replica.Vertex) ([]byte, error) {
	if len(vertices) > messages.GroupVerticesMax {
		return to, fmt.Errorf("%d signed vertices at a time: at most %d", len(vertices), messages.GroupVerticesMax)
	}
	if f == Lines {
		group, err := NewGroup(vertices)
		if err != nil {
			return to, err
		}
		line, err := json.Marshal(group)
		return append(append(to, line...), '\n'), err
	}
	section, err := replica.Authorisation(vertices)
	if err != nil {
		return to, err
	}
	var data []byte
	for i, v := range vertices {
		m := messages.Vertex{
			Parents: v.Parents, Payload: v.Payload, Creator: v.Creator, Nonce: v.Nonce, Timestamp: v.Timestamp, Expires: v.Expires,
		}
		encoded, err := m.Encode()
		if err != nil {
			return to, fmt.Errorf("vertex %d: %w", i, err)
		}
		data = append(data, encoded...)
	}
	return appendBin(appendBin(appendArray(to, 2), data), section), nil
}

// Reason is the detail as text, of a vertex that is not final.
func (r *BatchReceipt) Reason() string { return strings.ToValidUTF8(string(r.Detail), "?") }
