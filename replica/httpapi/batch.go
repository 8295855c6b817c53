package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cretoai/consensus/replica"
)

// postBatch reads vertices and writes their receipts, in the order of the vertices,
// while later ones are still read. Two goroutines do that, however many vertices
// there are: this one reads, and hands vertices to the replica in groups of what has
// arrived; the other waits for the groups, one after the other, and writes. A group
// leaves when there is nothing more to read at once, so nothing waits for company.
func (h *handler) postBatch(w http.ResponseWriter, r *http.Request) {
	// First of all: a refusal must not wait for the end of the batch either. Over HTTP/2
	// it is on, and cannot be switched.
	rc := http.NewResponseController(w)
	if err := rc.EnableFullDuplex(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		h.fail(w, err)
		return
	}
	wait, err := waitOf(r)
	if err != nil {
		h.fail(w, err)
		return
	}
	format, ok := formatOf(r.Header.Get("Content-Type"))
	if !ok {
		h.fail(w, &Error{
			status:  http.StatusUnsupportedMediaType,
			Message: fmt.Sprintf("the content type is %q", r.Header.Get("Content-Type")),
			Hint:    "send vertices as application/msgpack or application/x-ndjson",
		})
		return
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	b := &batchStream{
		h: h, ctx: ctx, cancel: cancel, wait: wait, format: format, patience: patience{rc: rc}, body: r.Body,
		groups: make(chan *batchGroup, aheadGroupsMax), drained: make(chan struct{}, 1),
		out: bufio.NewWriterSize(w, streamBufferBytes),
	}
	b.reader = newVertexReader(format, bufio.NewReaderSize(b, streamBufferBytes), int(h.bodyBytesMax))
	w.Header().Set("Content-Type", format.ContentType())
	w.WriteHeader(http.StatusOK)
	if err := rc.Flush(); err != nil {
		h.log.Debug().Err(err).Msg("a client left before its answer")
		return
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		b.write()
	}()
	b.read()
	close(b.groups)
	<-written
}

// batchStream is one request of vertices and its answer.
type batchStream struct {
	h      *handler
	ctx    context.Context // of the request
	cancel context.CancelCauseFunc
	wait   time.Duration
	format Format
	patience

	// Of the goroutine that reads.
	body    io.Reader
	reader  *vertexReader
	value   []replica.Vertex // those of the value read last
	pending []replica.Vertex // not yet with the replica
	bytes   int              // of their payloads
	index   uint64           // of the first of them

	groups  chan *batchGroup
	ahead   atomic.Int64  // vertices whose receipts are not written
	drained chan struct{} // they have become fewer

	// Of the goroutine that writes.
	out     *bufio.Writer
	scratch []byte
}

// batchGroup is vertices that went to the replica together.
type batchGroup struct {
	first uint64
	n     int
	sub   *replica.Submission
	err   error // why there is no submission
	until time.Time
}

// Read implements io.Reader for the buffer that vertices are read from: those that
// are there go to the replica before anybody waits for more.
func (b *batchStream) Read(p []byte) (int, error) {
	if err := b.submit(); err != nil {
		return 0, err
	}
	b.extendRead()
	return b.body.Read(p)
}

// errEnded ends the reading; the receipts say why.
var errEnded = errors.New("the batch has ended")

// read reads until the end, or until there is no reading on.
func (b *batchStream) read() {
	for {
		var err error
		if b.value, err = b.reader.next(b.value[:0]); err == nil {
			err = b.take()
		} else {
			err = b.stumble(err)
		}
		if err != nil {
			return
		}
	}
}

// stumble has what is pending answered, and then what went wrong with the value after
// it. There is no error if what follows can be read.
func (b *batchStream) stumble(err error) error {
	bad := (*malformed)(nil)
	if told := errors.As(err, &bad); !told && !errors.Is(err, io.EOF) {
		return err
	}
	if failed := b.submit(); failed != nil || bad == nil {
		return errors.Join(err, failed)
	}
	if failed := b.enqueue(&batchGroup{n: 1, err: bad}); failed != nil {
		return failed
	}
	if bad.rest {
		return nil
	}
	return bad
}

// take puts the vertices of the last value with those that are pending.
func (b *batchStream) take() error {
	b.pending = append(b.pending, b.value...)
	for i := range b.value {
		b.bytes += len(b.value[i].Payload)
	}
	if len(b.pending) < groupVerticesMax && b.bytes < groupBytesMax {
		return nil
	}
	return b.submit()
}

// submit hands what is pending to the replica, as soon as there is room here and
// there.
func (b *batchStream) submit() error {
	if len(b.pending) == 0 {
		return nil
	}
	g := &batchGroup{n: len(b.pending)}
	g.sub, g.err = b.h.door.Submit(b.ctx, b.pending)
	clear(b.pending)
	b.pending, b.bytes = b.pending[:0], 0
	b.reader.reuse()
	if err := b.enqueue(g); err != nil {
		return err
	}
	if g.err != nil {
		return errEnded
	}
	return nil
}

// enqueue has the receipts of a group written, in its turn.
func (b *batchStream) enqueue(g *batchGroup) error {
	g.first, g.until = b.index, time.Now().Add(b.wait)
	b.index += uint64(g.n)
	b.ahead.Add(int64(g.n))
	select {
	case b.groups <- g:
	case <-b.ctx.Done():
		return context.Cause(b.ctx)
	}
	for b.ahead.Load() > aheadVerticesMax {
		select {
		case <-b.drained:
		case <-b.ctx.Done():
			return context.Cause(b.ctx)
		}
	}
	return nil
}

// The patience with a client: until it sends something, and until it takes something.
const (
	idleMax  = time.Minute
	takeTime = 30 * time.Second
)

// patience moves a connection's deadlines along with what happens on it. Where there
// are none to be set there is less protection, and the same answer.
type patience struct {
	rc *http.ResponseController

	mu    sync.Mutex
	ended bool
}

func (p *patience) extendRead() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		_ = p.rc.SetReadDeadline(time.Now().Add(idleMax))
	}
}

// endRead has whoever reads from the connection find an error.
func (p *patience) endRead() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	_ = p.rc.SetReadDeadline(time.Now())
}

func (p *patience) extendWrite() {
	_ = p.rc.SetWriteDeadline(time.Now().Add(takeTime))
}
