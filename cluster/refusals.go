package cluster

import (
	"log/slog"
	"sync"
	"time"

	"github.com/cretoai/consensus/messages"
)

// refusalPause is the time between two lines about the same reason. Strangers
// may knock as often as they like; the log's disk is ours.
const refusalPause = time.Second

// refusals tells what was turned away, at a pace that others do not set.
type refusals struct {
	mu    sync.Mutex
	kinds map[string]*refusal // by reason: a small fixed set
}

type refusal struct {
	next    time.Time
	skipped int
}

// due reports whether a line may be written now, and how many were not.
func (r *refusals) due(reason string, now time.Time) (skipped int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.kinds[reason]
	if k == nil {
		if r.kinds == nil {
			r.kinds = make(map[string]*refusal)
		}
		k = new(refusal)
		r.kinds[reason] = k
	}
	if now.Before(k.next) {
		k.skipped++
		return 0, false
	}
	skipped, k.skipped, k.next = k.skipped, 0, now.Add(refusalPause)
	return skipped, true
}

// refuse counts and tells that a connection was not accepted.
func (r *Remote) refuse(from string, reason string, err error) {
	if skipped, ok := r.refusals.due(reason, r.cfg.Clock.Now()); ok {
		r.cfg.Logger.Warn("refused a connection", slog.String("from", from),
			slog.String("reason", reason), slog.Any("error", err), slog.Int("untold", skipped))
	}
	r.cfg.Observer.refused(reason)
}

// abused counts and tells what a member sent that no member sends; err may say
// more.
func (r *Remote) abused(peer messages.Index, what abuse, err error) {
	if skipped, ok := r.refusals.due(string(what), r.cfg.Clock.Now()); ok {
		r.cfg.Logger.Warn("closed the connection of a peer that broke the rules", slog.Int("peer", int(peer)),
			slog.String("reason", string(what)), slog.Any("error", err), slog.Int("untold", skipped))
	}
	r.cfg.Observer.dropped(peer, "", string(what))
}
