package httpapi

import (
	"context"
	"net/http"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// Creator says which nonces a creator may use.
type Creator struct {
	Creator messages.Digest `json:"creator"`
	replica.Nonces
}

func (h *handler) getCreator(w http.ResponseWriter, r *http.Request) {
	var creator messages.Digest
	if err := creator.UnmarshalText([]byte(r.PathValue("creator"))); err != nil {
		h.fail(w, badRequest("%.80q names no creator: %v", r.PathValue("creator"), err))
		return
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), waitDefault, errWaited)
	defer cancel()
	nonces, err := h.door.Nonces(ctx, creator)
	if err != nil {
		h.fail(w, err)
		return
	}
	h.answer(w, http.StatusOK, Creator{creator, nonces})
}
