package actors

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/actors/runtime"
)

func TestMembersCannotFillTheLog(t *testing.T) {
	var out bytes.Buffer
	clock := runtime.NewVirtual(time.Unix(0, 0))
	l := newPeerLog(zerolog.New(&out), clock)
	for range 1000 {
		l.warn(1, "malformed").Msg("rejected")
	}
	l.warn(2, "malformed").Msg("rejected")
	l.warn(1, "bad signature").Msg("rejected")
	clock.Advance(peerLogEvery)
	l.warn(1, "malformed").Msg("rejected")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines, want 4: one a member and reason, and one more later", len(lines))
	}
	if !strings.Contains(lines[3], `"left_out":999`) {
		t.Errorf("the line does not say how many were left out: %s", lines[3])
	}
}
