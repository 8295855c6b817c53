package actors

import (
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/messages"
)

// peerLog writes what members do wrong to the log: one line a member and
// reason in a while, with the number of those left out. Members must not be
// able to fill a disk with lines about themselves.
type peerLog struct {
	log   zerolog.Logger
	clock runtime.Clock

	mu    sync.Mutex
	lines map[peerReason]*peerLine
}

// peerReason is a member and one of the fixed reasons in the code.
type peerReason struct {
	peer   messages.Index
	reason string
}

type peerLine struct {
	next    time.Time
	leftOut int
}

// peerLogEvery is how often a line about one member and reason is written.
const peerLogEvery = 10 * time.Second

func newPeerLog(log zerolog.Logger, clock runtime.Clock) *peerLog {
	return &peerLog{log: log, clock: clock, lines: make(map[peerReason]*peerLine)}
}

// warn begins a line about a member, or gives nil, on which every method of an
// event has no effect, if it is to be left out.
func (l *peerLog) warn(peer messages.Index, reason string) *zerolog.Event {
	now := l.clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	line := l.lines[peerReason{peer, reason}]
	if line == nil {
		line = &peerLine{}
		l.lines[peerReason{peer, reason}] = line
	}
	if now.Before(line.next) {
		line.leftOut++
		return nil
	}
	e := l.log.Warn().Int("peer", int(peer)).Str("reason", reason)
	if line.leftOut > 0 {
		e.Int("left_out", line.leftOut)
	}
	line.next, line.leftOut = now.Add(peerLogEvery), 0
	return e
}
