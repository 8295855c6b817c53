package httpapi

import (
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

// Evidence describes a file of evidence. Where two votes conflict it says which
// and where; otherwise the file proves that a new-view does not follow.
type Evidence struct {
	File    string            `json:"file"`
	Replica messages.Index    `json:"replica"` // who lied
	Kind    string            `json:"kind,omitempty"`
	View    *messages.View    `json:"view,omitempty"`
	Seq     *messages.Seq     `json:"sequence,omitempty"`
	Digests []messages.Digest `json:"digests,omitempty"`
}

func (h *handler) listEvidence(w http.ResponseWriter, _ *http.Request) {
	list := []Evidence{}
	votes := h.door.Evidence()
	for _, f := range h.door.EvidenceFiles() {
		described := Evidence{File: f.Name, Replica: f.Member}
		for _, e := range votes {
			if e.FileName() == f.Name {
				described.Kind, described.View, described.Seq, described.Digests = e.Kind.String(), &e.View, &e.Seq, e.Digests[:]
			}
		}
		list = append(list, described)
	}
	h.answer(w, http.StatusOK, list)
}

// getEvidence answers with a file's bytes, as they are in the replica's folder.
func (h *handler) getEvidence(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	for _, f := range h.door.EvidenceFiles() {
		if f.Name != name {
			continue
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		if _, err := w.Write(f.Data); err != nil {
			h.log.Debug().Err(err).Msg("a client left before its answer")
		}
		return
	}
	h.fail(w, &Error{status: http.StatusNotFound, Message: "no such evidence", Hint: "GET /v1/evidence lists what there is"})
}
