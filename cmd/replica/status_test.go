package main

import (
	"strings"
	"testing"

	"github.com/cretoai/consensus/replica"
)

// A table has no room for why a peer does not vote; it stands below.
func TestStatusSaysWhoDoesNotVote(t *testing.T) {
	var out strings.Builder
	s := &replica.Status{Peers: []replica.PeerStatus{
		{Replica: 1, Name: "one", Connected: true},
		{Replica: 3, Name: "three", Connected: true, Abstains: "it observes"},
	}}
	if err := writeStatus(&out, s); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.HasSuffix(got, "\npeer 3 does not vote, as far as this replica knows: it observes\n") || strings.Contains(got, "peer 1 does") {
		t.Errorf("got\n%s", got)
	}
}
