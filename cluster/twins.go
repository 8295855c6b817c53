package cluster

import (
	"log/slog"
	"net"
	"time"

	"github.com/cretoai/consensus/messages"
)

// A member's new connection replaces the one before, which that member has given up:
// it crashed, or the network failed, and we have not heard of it. Two processes with
// one key replace each other's again and again, as fast as they connect anew.
const (
	twinReplacements = 10 // of one member within twinWindow: no network fails that often
	twinWindow       = time.Minute
	twinPause        = time.Minute // between two warnings about a member
)

// twins counts how often a member's connections are replaced.
type twins struct {
	count       int
	since, told time.Time
}

// replaced reports whether it is time to warn.
func (t *twins) replaced(now time.Time) bool {
	if t.count == 0 || now.Sub(t.since) > twinWindow {
		t.count, t.since = 0, now
	}
	if t.count++; t.count < twinReplacements || !t.told.IsZero() && now.Sub(t.told) < twinPause {
		return false
	}
	t.count, t.told = 0, now
	return true
}

// warnOfTwins names the member and where the two connections come from.
func (r *Remote) warnOfTwins(member messages.Index, older, newer net.Addr) {
	r.cfg.Logger.Warn("a member's connections replace each other again and again: two processes use its key, and its operator must stop one of them",
		slog.Int("peer", int(member)), slog.String("name", r.cfg.Peers[member].Name),
		slog.String("from", older.String()), slog.String("and", newer.String()))
}
