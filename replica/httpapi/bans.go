package httpapi

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/cretoai/consensus/messages"
)

func (h *handler) getBans(w http.ResponseWriter, _ *http.Request) {
	h.answer(w, http.StatusOK, h.door.Bans())
}

// deleteBan lifts a ban, on a loopback address only: there is no authentication,
// and whoever may pardon may undo what protects this replica.
func (h *handler) deleteBan(w http.ResponseWriter, r *http.Request) {
	if !h.localOnly {
		h.fail(w, &Error{
			status: http.StatusForbidden, Message: "bans are lifted on a loopback address only",
			Hint: "set api.listen to 127.0.0.1, and ask there",
		})
		return
	}
	member, err := strconv.ParseUint(r.PathValue("member"), 10, 16)
	if err != nil {
		h.fail(w, badRequest("%q is no member's index", r.PathValue("member")))
		return
	}
	if err := h.door.LiftBan(messages.Index(member)); err != nil {
		h.fail(w, err)
		return
	}
	h.answer(w, http.StatusOK, h.door.Bans())
}

// Evidence describes a file of evidence.
type Evidence struct {
	File    string             `json:"file"`
	Replica messages.Index     `json:"replica"` // who lied
	Kind    string             `json:"kind"`    // of vote
	View    messages.View      `json:"view"`
	Seq     messages.Seq       `json:"sequence"`
	Digests [2]messages.Digest `json:"digests"`
}

func (h *handler) listEvidence(w http.ResponseWriter, _ *http.Request) {
	list := []Evidence{}
	for _, e := range h.door.Evidence() {
		list = append(list, Evidence{e.FileName(), e.Member, e.Kind.String(), e.View, e.Seq, e.Digests})
	}
	h.answer(w, http.StatusOK, list)
}

// getEvidence answers with a file's bytes, as they are in the replica's folder.
func (h *handler) getEvidence(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	for _, e := range h.door.Evidence() {
		if e.FileName() != name {
			continue
		}
		file, err := messages.EncodeFrame(e)
		if err != nil {
			h.fail(w, fmt.Errorf("encode evidence: %w", err))
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		if _, err := w.Write(file); err != nil {
			h.log.Debug().Err(err).Msg("a client left before its answer")
		}
		return
	}
	h.fail(w, &Error{status: http.StatusNotFound, Message: "no such evidence", Hint: "GET /v1/evidence lists what there is"})
}
