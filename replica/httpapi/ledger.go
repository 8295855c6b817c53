package httpapi

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// LedgerVertex is a vertex as the ledger has it, with its receipt.
type LedgerVertex struct {
	Vertex
	Receipt Receipt `json:"receipt"`
}

// Ledger is a range of the ledger.
type Ledger struct {
	// First is the oldest sequence in this replica's ledger, 1 unless it was
	// trimmed; Last is the last one it has executed.
	First     messages.Seq `json:"first"`
	Last      messages.Seq `json:"last"`
	Sequences []Sequence   `json:"sequences"`
}

// Sequence is what was decided at one sequence.
type Sequence struct {
	Sequence messages.Seq      `json:"sequence"`
	View     messages.View     `json:"view"`
	Batch    messages.Digest   `json:"batch"`
	Vertices []messages.Digest `json:"vertices"` // in order; none in a null batch
}

// The sequences one request gets.
const (
	ledgerLimitDefault = 16
	ledgerLimitMax     = 64
)

// hashOf reads the vertex's hash in the path.
func hashOf(r *http.Request) (hash messages.Digest, err error) {
	if err := hash.UnmarshalText([]byte(r.PathValue("hash"))); err != nil {
		return hash, badRequest("%.80q is no vertex's hash: %v", r.PathValue("hash"), err)
	}
	return hash, nil
}

func (h *handler) getVertex(w http.ResponseWriter, r *http.Request) {
	hash, err := hashOf(r)
	if err != nil {
		h.fail(w, err)
		return
	}
	f, err := h.door.Find(hash)
	if err != nil {
		h.fail(w, &readingError{err})
		return
	}
	v := f.Vertex
	creator, nonce := messages.Digest(v.Creator()), v.Nonce()
	answer := LedgerVertex{
		Vertex:  Vertex{Payload: v.Payload(), Creator: &creator, Nonce: &nonce, Timestamp: v.Timestamp(), Expires: v.Expires()},
		Receipt: receiptOf(f.Receipt),
	}
	for i := range v.Parents() {
		answer.Parents = append(answer.Parents, v.Parent(i))
	}
	h.answer(w, http.StatusOK, answer)
}

// getReceipt answers with the file "replica verify receipt" reads.
func (h *handler) getReceipt(w http.ResponseWriter, r *http.Request) {
	hash, err := hashOf(r)
	if err != nil {
		h.fail(w, err)
		return
	}
	proof, err := h.door.ProofOf(hash)
	if err != nil {
		h.fail(w, &readingError{err})
		return
	}
	file, err := proof.Encode()
	if err != nil {
		h.fail(w, &readingError{err})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(file); err != nil {
		h.log.Debug().Err(err).Msg("a client left before its answer")
	}
}

func (h *handler) getLedger(w http.ResponseWriter, r *http.Request) {
	first := h.door.FirstSequence()
	from, err := numberOf(r, "from", uint64(first), 1, 1<<63)
	if err != nil {
		h.fail(w, err)
		return
	}
	limit, err := numberOf(r, "limit", ledgerLimitDefault, 1, ledgerLimitMax)
	if err != nil {
		h.fail(w, err)
		return
	}
	answer := Ledger{First: first, Last: h.door.CurrentSequence(), Sequences: []Sequence{}}
	for seq := messages.Seq(from); seq < messages.Seq(from+limit) && seq <= answer.Last; seq++ {
		d, batch, err := h.door.Batch(seq)
		if err != nil {
			h.fail(w, &readingError{err})
			return
		}
		s := Sequence{Sequence: seq, View: d.View, Batch: d.Digest, Vertices: []messages.Digest{}}
		for i := 0; batch != nil && i < batch.Len(); i++ {
			s.Vertices = append(s.Vertices, batch.VertexHash(i))
		}
		answer.Sequences = append(answer.Sequences, s)
	}
	h.answer(w, http.StatusOK, answer)
}

// numberOf reads a number of the query.
func numberOf(r *http.Request, name string, otherwise, low, high uint64) (uint64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < low || n > high {
		return 0, badRequest("%s=%.40q is no number from %d to %d", name, text, low, high)
	}
	return n, nil
}

// isUnknown reports whether the ledger here does not have what was asked for.
func isUnknown(err error) bool {
	return errors.Is(err, replica.ErrUnknownVertex) || errors.Is(err, replica.ErrNotExecuted)
}
