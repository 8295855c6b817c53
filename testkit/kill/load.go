package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica/httpapi"
)

// callers is how many propose at once, each one vertex after the other.
const callers = 6

// load proposes vertices and remembers what was acknowledged. A vertex that was
// not is proposed again, at the next replica, until it is: it is the same vertex,
// so it takes effect once.
type load struct {
	c      *cluster
	ending chan struct{}
	group  sync.WaitGroup

	mu       sync.Mutex
	changed  chan struct{} // closed at the next receipt
	receipts []httpapi.Receipt
	err      error
}

func newLoad(c *cluster) *load {
	return &load{c: c, ending: make(chan struct{}), changed: make(chan struct{})}
}

func (l *load) start(ctx context.Context) {
	for caller := range callers {
		l.group.Go(func() { l.call(ctx, caller) })
	}
}

// stop ends the load, when what was proposed is acknowledged.
func (l *load) stop() error {
	close(l.ending)
	l.group.Wait()
	return l.err
}

func (l *load) acknowledged() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.receipts))
}

// await waits for so many receipts.
func (l *load) await(ctx context.Context, n uint64) error {
	late := time.After(patience)
	for {
		l.mu.Lock()
		have, changed, err := uint64(len(l.receipts)), l.changed, l.err
		l.mu.Unlock()
		if have >= n || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-late:
			return fmt.Errorf("%d vertices are acknowledged after %v, not %d", have, patience, n)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *load) call(ctx context.Context, caller int) {
	var creator messages.Digest
	binary.BigEndian.PutUint64(creator[:], uint64(caller)+1)
	at := caller
	for nonce := uint64(0); ; nonce++ {
		select {
		case <-l.ending:
			return
		default:
		}
		v := httpapi.Vertex{Payload: fmt.Appendf(nil, "caller %d, vertex %d", caller, nonce), Creator: &creator, Nonce: &nonce, Expires: 1 << 19}
		body, err := json.Marshal(v)
		if err != nil {
			l.note(nil, err)
			return
		}
		begin := time.Now()
		for {
			at = (at + 1) % len(l.c.members)
			receipt, err := propose(ctx, l.c.members[at].api, body)
			if err == nil {
				l.note(receipt, nil)
				break
			}
			if ctx.Err() != nil || time.Since(begin) > patience {
				l.note(nil, fmt.Errorf("caller %d: vertex %d is not final after %v: %w", caller, nonce, time.Since(begin), err))
				return
			}
		}
	}
}

func propose(ctx context.Context, api string, body []byte) (*httpapi.Receipt, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, api+"/v1/vertices?wait=3s", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := do(r)
	if err != nil {
		return nil, err
	}
	receipt := new(httpapi.Receipt)
	return receipt, json.Unmarshal(answer, receipt)
}

func (l *load) note(receipt *httpapi.Receipt, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if receipt != nil {
		l.receipts = append(l.receipts, *receipt)
	}
	if l.err == nil {
		l.err = err
	}
	close(l.changed)
	l.changed = make(chan struct{})
}
