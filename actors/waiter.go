package actors

import "github.com/cretoai/consensus/messages"

// place is where a waiter keeps a vertex's receipt.
type place struct {
	w *Waiter
	i int
}

// Waiter collects the receipts of vertices proposed together. Done is closed
// when the last one is there, or none will come any more; there is one wake-up for
// all of them.
type Waiter struct {
	// Receipts of vertices that are in the pool have their hash, and no sequence yet.
	Receipts []Receipt
	Done     chan struct{}

	missing int
	err     error
}

// NewWaiter makes a waiter for n vertices.
func NewWaiter(n int) *Waiter {
	return &Waiter{Receipts: make([]Receipt, n), Done: make(chan struct{}), missing: n}
}

// Err says, once Done is closed, why receipts are missing; nil if none are.
func (w *Waiter) Err() error { return w.err }

// Pending lists, once Done is closed, the hashes of the vertices that were taken and
// have no receipt, in their order, and counts those that were not taken.
func (w *Waiter) Pending() (hashes []messages.Digest, untaken int) {
	for i := range w.Receipts {
		switch r := &w.Receipts[i]; {
		case r.Seq > 0:
		case r.Vertex.IsZero():
			untaken++
		default:
			hashes = append(hashes, r.Vertex)
		}
	}
	return hashes, untaken
}

func (w *Waiter) settle(i int, r Receipt) {
	if w.missing == 0 {
		return // nobody waits
	}
	w.Receipts[i] = r
	if w.missing--; w.missing == 0 {
		close(w.Done)
	}
}

// rename notes that a vertex is proposed again under another hash.
func (w *Waiter) rename(i int, hash messages.Digest) {
	if w.missing > 0 {
		w.Receipts[i].Vertex = hash
	}
}

// end tells who waits still that there will be no more receipts.
func (w *Waiter) end(why error) {
	if w.missing > 0 {
		w.missing, w.err = 0, why
		close(w.Done)
	}
}

// GiveUp ends the waiting, unless it has ended: the receipts there are do not change
// any more. The vertices stay proposed.
func (p *Pool) GiveUp(w *Waiter, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.end(why)
}
